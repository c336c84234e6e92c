"""Facts an order can refuse with."""

from kernel.errors import Conflict, Invalid, NotFound


class OrderNotFound(NotFound):
    code = "order_not_found"
    message = "There is no such order."


class IllegalMove(Conflict):
    code = "order_state"
    message = "The order is {status} and cannot become {wanted} any more."


class NotChangeable(Conflict):
    code = "order_not_changeable"
    message = "The order is {status}: it can no longer be changed so."

    @staticmethod
    def of(kind: str, status: str, other: bool) -> Conflict:
        """The error that says it for this kind of change; `other` when another order of the purchase stands in its way."""
        cancel = GroupNotCancellable if other else NotCancellable
        return {"cancel": cancel, "address": AddressNotChangeable}.get(kind, NotChangeable)(status=status)


class ChangeSpent(Conflict):
    code = "order_change_spent"
    message = "This shop allows that only once, or not after the items of an order were changed."


class AlreadyPacked(Conflict):
    code = "order_already_packed"
    message = "These items are being packed already: they can no longer be changed."


class ChangeInProgress(Conflict):
    code = "order_change_in_progress"
    message = "Another change of this purchase is still being completed. Try again in a moment."


class UnknownOrderLine(NotFound):
    code = "order_line_unknown"
    message = "There are not {quantity} of {item} in the order that can still be changed."


class OrderOnHold(Conflict):
    code = "order_on_hold"
    message = "The order is on hold."


class OrderNotOnHold(Conflict):
    code = "order_not_on_hold"
    message = "The order is not on hold."


class NotHoldable(Conflict):
    code = "order_not_holdable"
    message = "The order is {status}: there is nothing to hold back."


class NotShippable(Conflict):
    code = "order_not_shippable"
    message = "The order is {status}: nothing of it can be shipped now."


class UnitsNotThere(Conflict):
    code = "order_units_not_there"
    message = "Those units do not all lie there picked and ready. Name what one location has of the order."


class SameItem(Conflict):
    code = "order_item_same"
    message = "{sku} is what was ordered already. Choose something else."


class OtherProduct(Conflict):
    code = "order_item_other_product"
    message = "{sku} is another product. Only another variant of the same product can take the place of an item."


class NotCancellable(Conflict):
    code = "order_not_cancellable"
    message = "The order is {status}: it can no longer be cancelled. A return is possible once it is delivered."


class ReasonNotAllowed(Invalid):
    code = "cancel_reason_invalid"
    message = "That reason is not one of this shop's: {allowed}."


class AddressNotChangeable(Conflict):
    code = "order_address_fixed"
    message = "The order is {status}: its address can no longer be changed."


class GroupNotCancellable(Conflict):
    code = "order_not_cancellable"
    message = "Another part of this purchase is {status}, so it cannot be cancelled as a whole."


class ShippedTooMany(Conflict):
    code = "order_shipped_too_many"
    message = "More units than were ordered, or that are not cancelled, cannot be sent."


class UnknownShipment(NotFound):
    code = "shipment_unknown"
    message = "There is no such parcel on its way."
