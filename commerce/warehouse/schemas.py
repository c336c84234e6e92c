"""Facts and views of the warehouse."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from kernel.ids import PublicId
from kernel.schemas import Code, Command, Quantity, View

OrderId = Annotated[UUID, PublicId("ord")]
OrderLineId = Annotated[UUID, PublicId("oln")]
LocationId = Annotated[UUID, PublicId("loc")]
VariantId = Annotated[UUID, PublicId("var")]
BinId = Annotated[UUID, PublicId("bin")]
ZoneId = Annotated[UUID, PublicId("zon")]
Place = Annotated[int, Field(ge=0, le=10_000)]
PackageId = Annotated[UUID, PublicId("pkg")]
Grams = Annotated[int, Field(ge=1, le=1_000_000)]
Millimetres = Annotated[int, Field(ge=1, le=10_000)]


class ToPick(BaseModel):
    """Units of an order line that have to be taken."""

    order_id: UUID
    merchant_id: UUID
    order_line_id: UUID
    variant_id: UUID
    sku: str
    quantity: int


class PickUnits(Command):
    """`bin_id` is the bin they were taken from; without one the best is assumed."""

    quantity: Quantity
    bin_id: BinId | None = None


class PickLineView(View):
    order_line_id: OrderLineId
    sku: str
    quantity: int
    picked: int


class PickTaskView(View):
    order_id: OrderId
    status: str
    lines: list[PickLineView]
    created_at: datetime


class PackLine(Command):
    order_line_id: OrderLineId
    quantity: Quantity


class PackUnits(Command):
    """A box with units that were picked, weighed and measured from outside."""

    lines: Annotated[list[PackLine], Field(min_length=1, max_length=200)]
    weight_g: Grams
    length_mm: Millimetres
    width_mm: Millimetres
    height_mm: Millimetres


class PackedLine(View):
    order_line_id: OrderLineId
    sku: str
    quantity: int


class PackageView(View):
    """`status` is open, sealed, sent or cancelled; a cancelled one is empty."""

    id: PackageId
    order_id: OrderId
    status: str
    weight_g: int
    length_mm: int
    width_mm: int
    height_mm: int
    lines: list[PackedLine]
    packed_at: datetime
    sent_at: datetime | None


class OpenWarehouse(Command):
    """`variance_most` is by how many units a count may be off before a second person has to agree."""

    location_id: LocationId
    variance_most: Annotated[int, Field(ge=0, le=1_000_000)] = 5


class WarehouseView(View):
    location_id: LocationId
    variance_most: int
    created_at: datetime


class AddZone(Command):
    code: Code
    kind: Literal["shelf", "dock", "returns", "staging"] = "shelf"


class ZoneView(View):
    id: ZoneId
    code: str
    kind: str


class NewBin(Command):
    """Where it stands: aisles in order, bays along the aisle, levels up."""

    code: Code
    aisle: Place
    bay: Place
    level: Place = 0


class AddBins(Command):
    """`zone` is the code of the zone they stand in."""

    zone: Code
    bins: Annotated[list[NewBin], Field(min_length=1, max_length=500)]


class BinView(View):
    id: BinId
    zone: str
    code: str
    aisle: int
    bay: int
    level: int


class LyingView(View):
    """Units of a variant in a bin; `kind` is that of the zone."""

    bin_id: BinId
    bin: str
    zone: str
    kind: str
    location_id: LocationId
    location: str
    variant_id: VariantId
    sku: str
    quantity: int


class MoveUnits(Command):
    variant_id: VariantId
    from_bin_id: BinId
    to_bin_id: BinId
    quantity: Quantity
