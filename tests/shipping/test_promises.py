"""Promised days: working days of both countries, a cut-off in the shipper's own time."""

from datetime import UTC, date, datetime

import pytest

from commerce.shipping.promises import USUAL, Handling, Promise, arrival, promise

BERLIN_10 = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)  # a Wednesday, before the cut-off


@pytest.mark.parametrize(
    ("ordered", "to", "days", "expected"),
    [
        (BERLIN_10, "DE", (1, 3), (date(2026, 11, 26), date(2026, 11, 27), date(2026, 12, 1))),
        # 14:00 in Berlin is after the cut-off: begun a day later
        (datetime(2026, 11, 25, 13, 0, tzinfo=UTC), "DE", (1, 1), (date(2026, 11, 27), date(2026, 11, 30), date(2026, 11, 30))),
        # in summer the same UTC hour is an hour later there
        (datetime(2026, 7, 1, 12, 0, tzinfo=UTC), "DE", (1, 1), (date(2026, 7, 3), date(2026, 7, 6), date(2026, 7, 6))),
        # Saturday counts as Monday, and its hour does not matter
        (datetime(2026, 11, 28, 20, 0, tzinfo=UTC), "DE", (0, 0), (date(2026, 12, 1), date(2026, 12, 1), date(2026, 12, 1))),
        # Christmas in both, Saint Stephen's in Austria
        (datetime(2026, 12, 23, 9, 0, tzinfo=UTC), "AT", (1, 2), (date(2026, 12, 24), date(2026, 12, 28), date(2026, 12, 29))),
        # the weekend of Saudi Arabia is Friday and Saturday
        (BERLIN_10, "SA", (1, 2), (date(2026, 11, 26), date(2026, 11, 29), date(2026, 11, 30))),
        # a country without a calendar has weekends
        (BERLIN_10, "XK", (2, 2), (date(2026, 11, 26), date(2026, 11, 30), date(2026, 11, 30))),
    ],
)  # fmt: skip
def test_a_promise_keeps_to_working_days(
    ordered: datetime, to: str, days: tuple[int, int], expected: tuple[date, date, date]
) -> None:
    assert promise(ordered, USUAL, to, *days) == Promise(*expected)


def test_the_calendar_of_the_house_decides_when_it_leaves() -> None:
    """The Fourth of July 2026 is a Saturday, kept on Friday the third."""
    house = Handling("US", "America/New_York", 12 * 60, 0)
    ordered = datetime(2026, 7, 3, 14, 0, tzinfo=UTC)
    assert promise(ordered, house, "US", 1, 1).ships_on == date(2026, 7, 6)


def test_a_parcel_that_leaves_now_is_promised_from_its_day_on() -> None:
    assert arrival(date(2026, 12, 24), "DE", 1, 3) == Promise(
        date(2026, 12, 24), date(2026, 12, 28), date(2026, 12, 30)
    )
