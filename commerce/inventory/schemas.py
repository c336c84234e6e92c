"""Commands and views of inventory."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from kernel.ids import LocationId, MerchantId, PublicId, VariantId
from kernel.money import Money
from kernel.schemas import Code, Command, Country, Text, View

LevelId = Annotated[UUID, PublicId("lvl")]


@dataclass(frozen=True, slots=True)
class Held:
    """Units of one variant promised at one location."""

    variant_id: UUID
    location_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class OwnStock:
    """Stock of a variant that the caller keeps; `unit` is what one is sold for, None where it is not for sale.
    `location` is a code or a name, None where there is only one."""

    variant_id: UUID
    sku: str
    name: str
    merchant_id: UUID
    unit: Money | None
    location: str | None = None

    def worth(self, units: int) -> Money | None:
        return Money(self.unit.minor * units, self.unit.currency) if self.unit else None


class CreateLocation(Command):
    merchant_id: MerchantId
    code: Code
    name: Text
    country: Country
    priority: Annotated[int, Field(ge=0, le=1000)] = 10


class ReceiveStock(Command):
    location_id: LocationId
    variant_id: VariantId
    quantity: Annotated[int, Field(ge=0, le=1_000_000)]


class AdjustStock(Command):
    quantity: Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
    reason: Text


class StockView(View):
    """A level as its merchant sees it; `available` is what can be sold now."""

    id: LevelId
    variant_id: VariantId
    location: str
    on_hand: int
    reserved: int
    allocated: int
    available: int


class SetReorderPoint(Command):
    """From how few sellable units on (`point`) a level is filled up, and by how many (`quantity`)."""

    point: Annotated[int, Field(ge=0, le=1_000_000)]
    quantity: Annotated[int, Field(ge=1, le=1_000_000)]


class AlertView(View):
    """A level that runs low. `sold_30_days` are the units promised to confirmed orders in that time."""

    level_id: LevelId
    variant_id: VariantId
    merchant_id: MerchantId
    location: str
    available: int
    point: int
    quantity: int
    sold_30_days: int
    opened_at: datetime
