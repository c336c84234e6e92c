"""Commands, views and facts of shipping."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

from kernel.schemas import Code, Command, Currency, Minor, MoneyView, Text, View

Zone = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}|\*)$")]


@dataclass(frozen=True, slots=True)
class Rate:
    """What a method costs for one parcel, minor units, and how many days it takes."""

    code: str
    name: str
    minor: int
    min_days: int
    max_days: int


class NewRate(Command):
    country: Zone
    currency: Currency
    up_to_g: Annotated[int, Field(ge=1, le=100_000_000)]
    minor: Minor
    free_from_minor: Minor | None = None


class SetShippingMethod(Command):
    code: Code
    name: Text
    min_days: Annotated[int, Field(ge=0, le=60)]
    max_days: Annotated[int, Field(ge=0, le=90)]
    rates: list[NewRate] = Field(min_length=1, max_length=500)


class RateView(View):
    code: str
    name: str
    price: MoneyView
    min_days: int
    max_days: int
