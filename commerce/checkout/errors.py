"""Facts a cart or a checkout can refuse with."""

from kernel.errors import Conflict, Invalid, NotFound


class UnknownCart(NotFound):
    code = "cart_unknown"
    message = "There is no such cart."


class CartClosed(Conflict):
    code = "cart_closed"
    message = "This cart has been ordered already. Start a new one."


class CartEmpty(Conflict):
    code = "cart_empty"
    message = "The cart is empty."


class CartFull(Conflict):
    code = "cart_full"
    message = "A cart holds at most {most} different items."


class UnknownLine(NotFound):
    code = "cart_line_unknown"
    message = "There is no such line in the cart."


class VariantNotForSale(Conflict):
    code = "variant_not_for_sale"
    message = "{skus} cannot be bought here. Remove it to go on."


class NotEnoughToAdd(Conflict):
    code = "insufficient_stock"
    message = "Only {available} of {sku} can be bought right now."


class EmailNeeded(Invalid):
    code = "email_required"
    message = "A guest's cart needs an e-mail address before checkout."


class AddressNeeded(Invalid):
    code = "address_required"
    message = "Send either shipping_address or address_id."


class PaymentNeeded(Invalid):
    code = "payment_required"
    message = "Send either payment_method_id or payment_token."


class PurchaseStillRunning(Conflict):
    code = "purchase_in_progress"
    message = "This purchase is still being completed. Try again in a moment."


class NothingToReview(Conflict):
    code = "nothing_to_review"
    message = "This purchase does not wait for a review."


class PartlyRefunded(Conflict):
    code = "order_partly_refunded"
    message = "Money of this purchase went back already, or is on its way: it can no longer be changed or cancelled as a whole."
