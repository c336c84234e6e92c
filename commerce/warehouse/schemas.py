"""Facts and views of the warehouse."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from kernel.ids import PublicId
from kernel.schemas import Command, Quantity, View

OrderId = Annotated[UUID, PublicId("ord")]
OrderLineId = Annotated[UUID, PublicId("oln")]
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
    quantity: Quantity


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
