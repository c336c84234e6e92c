"""Facts and views of the warehouse."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel

from kernel.ids import PublicId
from kernel.schemas import Command, Quantity, View

OrderId = Annotated[UUID, PublicId("ord")]
OrderLineId = Annotated[UUID, PublicId("oln")]


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
