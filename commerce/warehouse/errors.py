"""Facts the warehouse can refuse with."""

from kernel.errors import Conflict, NotFound


class UnknownPickTask(NotFound):
    code = "pick_task_unknown"
    message = "There is no such pick task."


class AlreadyPicked(Conflict):
    code = "already_picked"
    message = "These units have been picked already, or the task is closed."
