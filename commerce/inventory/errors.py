"""Facts the stock can refuse with."""

from kernel.errors import Conflict, Invalid, NotFound


class InsufficientStock(Conflict):
    code = "insufficient_stock"
    message = "There is not enough stock of {skus}. Nothing was reserved."


class UnknownLevel(NotFound):
    code = "not_found"
    message = "There is no such stock level."


class AdjustmentBelowPromised(Conflict):
    code = "adjustment_below_promised"
    message = "That would leave less than the {promised} units already promised to customers."


class LocationHasBins(Conflict):
    code = "location_has_bins"
    message = "This place has bins: its stock is received, counted and moved by the warehouse."


class NotFreeToMove(Conflict):
    code = "stock_not_free"
    message = "So many units are not free to be taken away: they are promised, or not there."


class NothingToAdjust(Invalid):
    code = "nothing_to_adjust"
    message = "An adjustment of zero changes nothing."


class HoldLost(Conflict):
    code = "hold_lost"
    message = "The stock held for this purchase is no longer there."


class NoAlert(NotFound):
    code = "stock_alert_unknown"
    message = "This stock level does not run low."


class LocationNeeded(Conflict):
    code = "location_needed"
    message = "Name the location of {sku} that is meant, one of: {locations}."


class NoShelf(Conflict):
    code = "stock_no_shelf"
    message = "There is no active place for these units."
