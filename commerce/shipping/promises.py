"""When a parcel will be there: functions over working days, as the calendars of both countries have them."""

import asyncio
import importlib
import sys
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from holidays import HolidayBase

LIBRARY = "holidays"


@dataclass(frozen=True, slots=True)
class Handling:
    """How a shipper works: what is ordered before the cut-off (minutes of its day) is begun that day, and leaves after
    `days` more working days."""

    country: str
    timezone: str
    cutoff_minute: int
    days: int


USUAL = Handling("DE", "Europe/Berlin", 14 * 60, 1)
"""Where nobody set anything."""


@dataclass(frozen=True, slots=True)
class Promise:
    ships_on: date
    earliest_on: date
    latest_on: date


def promise(ordered_at: datetime, handling: Handling, to: str, min_days: int, max_days: int) -> Promise:
    """What can be promised for an order of this instant to a country; transit takes so many working days there."""
    local = ordered_at.astimezone(ZoneInfo(handling.timezone))
    house, today = calendar(handling.country), local.date()
    late = local.hour * 60 + local.minute >= handling.cutoff_minute
    begun = house.get_nth_working_day(today, 1 if late and house.is_working_day(today) else 0)
    return arrival(house.get_nth_working_day(begun, handling.days), to, min_days, max_days)


def arrival(ships_on: date, to: str, min_days: int, max_days: int) -> Promise:
    """What follows for a parcel that leaves on a day."""
    there = calendar(to)
    return Promise(
        ships_on, there.get_nth_working_day(ships_on, min_days), there.get_nth_working_day(ships_on, max_days)
    )


async def loaded() -> None:
    """Loads the library of calendars, once per process and not inside a transaction: it takes a third of a second."""
    if LIBRARY not in sys.modules:
        await asyncio.to_thread(importlib.import_module, LIBRARY)


@cache
def calendar(country: str) -> "HolidayBase":
    """The public holidays and weekends of a country; of one without a calendar Saturdays and Sundays."""
    import holidays  # `loaded` by who promises something; nobody else pays for it

    try:
        return holidays.country_holidays(country)
    except NotImplementedError:
        return holidays.HolidayBase()
