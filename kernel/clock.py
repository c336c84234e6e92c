"""The injected clock. Services never ask the machine for the time: a unit of work carries one instant."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the current aware UTC instant."""


def system_clock() -> datetime:
    return datetime.now(UTC)
