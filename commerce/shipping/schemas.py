"""Commands, views and facts of shipping."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from kernel.ids import PublicId
from kernel.schemas import Code, Command, Currency, Minor, MoneyView, Text, View

ShipmentId = Annotated[UUID, PublicId("shp")]
OrderId = Annotated[UUID, PublicId("ord")]
OrderLineId = Annotated[UUID, PublicId("oln")]
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


class ShipmentLineView(View):
    order_line_id: OrderLineId
    quantity: int


class ShipmentView(View):
    id: ShipmentId
    order_id: OrderId
    carrier: str
    tracking: str
    status: str
    lines: list[ShipmentLineView]
    dispatched_at: datetime
    delivered_at: datetime | None
