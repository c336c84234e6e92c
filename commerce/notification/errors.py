"""Facts notification can refuse with."""

from kernel.errors import NotFound


class UnknownNotification(NotFound):
    code = "notification_unknown"
    message = "There is no such notification."
