"""Facts a return can refuse with."""

from kernel.errors import Conflict, Invalid, NotFound


class ReturnNotFound(NotFound):
    code = "return_not_found"
    message = "There is no such return."


class ClaimNotFound(NotFound):
    code = "claim_not_found"
    message = "There is no such claim."


class NotDelivered(Conflict):
    code = "order_not_delivered"
    message = "The order is {status}: a return is possible once it is delivered."


class UnknownReturnLine(Invalid):
    code = "return_line_unknown"
    message = "One of the lines is not part of this, or stands there twice."


class UnknownReason(Invalid):
    code = "return_reason_unknown"
    message = "That is not one of the reasons: {allowed}."


class MoreThanDelivered(Conflict):
    code = "return_more_than_delivered"
    message = "Only {left} of {item} can still be sent back."


class ReturnRefused(Conflict):
    """`explanation` is written by the policy engine for the customer."""

    code = "return_refused"
    message = "{explanation}"


class OfAnExchange(Conflict):
    """Part of what a replacement is worth was paid with the order it replaces: its money is for a person to sort out."""

    code = "return_of_exchange"
    message = "This came in an exchange. A person of the shop takes it back: please open a support request."


class OnePerOrder(Conflict):
    code = "return_one_per_order"
    message = "There is a return or an exchange of this order already; only one is possible."


class ReplacementNeeded(Invalid):
    code = "exchange_replacement"
    message = "An exchange names a replacement for every line; a refund names none."


class OtherProduct(Conflict):
    code = "exchange_other_product"
    message = "An exchange is for another variant of the same product."


class NotForSale(Conflict):
    code = "exchange_not_for_sale"
    message = "The replacement is not for sale at the moment."


class SettlementNeeded(Conflict):
    code = "exchange_payment_needed"
    message = (
        "The replacement costs {difference} more: name a saved payment method of this customer for the difference."
    )


class ReturnState(Conflict):
    code = "return_state"
    message = "The return is {status}: that is not possible now."


class ReceivedTooMany(Conflict):
    code = "return_received_too_many"
    message = "More units than were announced, or than have arrived, cannot be noted."


class ClaimDecided(Conflict):
    code = "claim_decided"
    message = "The claim is {status} already."


class ProductUnknown(NotFound):
    code = "return_product_unknown"
    message = "That is not in this order, or it is back already. There is still: {items}."


class ProductUnclear(Invalid):
    code = "return_product_unclear"
    message = "Several things in this order fit: {items}. Which one do you mean?"


class ParcelNotLost(Conflict):
    code = "parcel_not_lost"
    message = "This parcel is not lost, or it was sent again already."


class NothingLost(Conflict):
    code = "parcel_paid_back"
    message = "What was in this parcel was given back already."
