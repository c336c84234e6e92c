"""Facts an order can refuse with."""

from kernel.errors import Conflict, Invalid, NotFound


class OrderNotFound(NotFound):
    code = "order_not_found"
    message = "There is no such order."


class IllegalMove(Conflict):
    code = "order_state"
    message = "The order is {status} and cannot become {wanted} any more."


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


class UnknownOrderLine(Invalid):
    code = "order_line_unknown"
    message = "One of the lines is not a line of this order, or stands there twice."


class ShippedTooMany(Conflict):
    code = "order_shipped_too_many"
    message = "More units than were ordered, or that are not cancelled, cannot be sent."


class UnknownShipment(NotFound):
    code = "shipment_unknown"
    message = "There is no such parcel on its way."
