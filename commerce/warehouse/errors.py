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
