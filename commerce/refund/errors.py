"""Facts a refund can refuse with."""

from kernel.errors import Conflict, Forbidden, Invalid, NotFound


class RefundNotFound(NotFound):
    code = "refund_not_found"
    message = "There is no such refund."


class UnknownLine(Invalid):
    code = "refund_line_unknown"
    message = "One of the lines is not a line of this order, or stands there twice."


class UnitsOrAmount(Invalid):
    code = "refund_units_or_amount"
    message = "Ask for units of lines or for an amount, not for both and not for neither."


class MoreThanPaid(Conflict):
    code = "refund_more_than_paid"
    message = "Only {left} of this can still be given back."


class NothingPaid(Conflict):
    code = "refund_nothing_paid"
    message = "Nothing was captured for this order, so there is nothing to give back. It can be cancelled instead."


class BeingCancelled(Conflict):
    code = "refund_order_cancelling"
    message = "The order is cancelled, or about to be: all of its money goes back already."


class BeingChanged(Conflict):
    code = "refund_order_changing"
    message = "The order is being changed at the moment. Ask again once that is done."


class RefundTwice(Conflict):
    code = "refund_cause_twice"
    message = "There is a refund for this cause already."


class DestinationNotAllowed(Conflict):
    code = "refund_destination"
    message = "The money cannot go there. Possible: {allowed}."


class NotWaiting(Conflict):
    code = "refund_not_waiting"
    message = "The refund is {status}: there is nothing to decide."


class OwnRequest(Forbidden):
    code = "refund_own_request"
    message = "Somebody else has to decide a refund that you asked for."


class DecidedAlready(Conflict):
    code = "refund_decided_already"
    message = "You have agreed already: a second person has to."


class NotFailed(Conflict):
    code = "refund_not_failed"
    message = "The refund is {status}: only one that failed can be sent again."


class LimitsReversed(Invalid):
    code = "refund_limits_reversed"
    message = "The limit for a second person must not lie below the others."
