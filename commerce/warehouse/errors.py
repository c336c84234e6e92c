"""Facts the warehouse can refuse with."""

from kernel.errors import Conflict, NotFound


class UnknownPickTask(NotFound):
    code = "pick_task_unknown"
    message = "There is no such pick task."


class AlreadyPicked(Conflict):
    code = "already_picked"
    message = "These units have been picked already, or the task is closed."


class UnknownPackage(NotFound):
    code = "package_unknown"
    message = "There is no such package."


class NothingToPack(Conflict):
    code = "package_units_not_there"
    message = "Some of these units are not picked, or are in another package, or have left. Nothing was packed."


class PackageOfOneOrder(Conflict):
    code = "package_of_one_order"
    message = "A package holds units of one order only."


class PackageClosed(Conflict):
    code = "package_closed"
    message = "The package is {status}: that cannot be done with it any more."


class UnknownWarehouse(NotFound):
    code = "warehouse_unknown"
    message = "There is no such place with bins."


class WarehouseExists(Conflict):
    code = "warehouse_exists"
    message = "This place has bins already."


class NotIdle(Conflict):
    code = "warehouse_not_idle"
    message = "Orders were picked there and have not left. Send them first; then the place can get bins."


class UnknownBin(NotFound):
    code = "bin_unknown"
    message = "There is no such bin at this place."


class NoSuchZone(NotFound):
    code = "zone_unknown"
    message = "This place has no zone of that name or kind with a bin in it: {kind}."


class ZoneTaken(Conflict):
    code = "zone_taken"
    message = "There is a zone {zone} already."


class BinTaken(Conflict):
    code = "bin_taken"
    message = "There is a bin {bin} already. None was added."


class BinUnitsNotThere(Conflict):
    code = "bin_units_not_there"
    message = "The bin does not hold so many of these units. Nothing was moved."
