"""Commands and views of waves, short picks and labour."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from commerce.warehouse.schemas import BinId, LocationId, OrderId, OrderLineId
from commerce.warehouse.slips import Counted
from kernel.ids import PublicId
from kernel.schemas import Command, Quantity, View

WaveId = Annotated[UUID, PublicId("wav")]
ShortId = Annotated[UUID, PublicId("sho")]


class PlanWave(Command):
    """`most` orders of a place, oldest first, in one round."""

    location_id: LocationId
    most: Annotated[int, Field(ge=1, le=100)] = 20


class PickStop(Command):
    """How many were taken, all of the stop by default."""

    quantity: Quantity | None = None


class ShortStop(Command):
    """How many units of the article were in the bin: fewer than the stop wants. They are taken."""

    found: Counted


class ReportShort(Command):
    """How many units of the line's article were in the bin: fewer than are wanted. They are taken."""

    bin_id: BinId
    found: Counted


class StopView(View):
    position: int
    bin: str
    sku: str
    order_id: OrderId
    order_line_id: OrderLineId
    quantity: int
    picked: int
    status: str


class WaveView(View):
    """`length` of the round and `alone`, the way of picking its orders one by one; in bays. `missing` units of the orders
    are in no bin."""

    id: WaveId
    location_id: LocationId
    status: str
    length: int
    alone: int
    missing: int
    stops: list[StopView]
    created_at: datetime


class ShortView(View):
    """What became of the missing units: other bins have them, they come from another place, or wait as a backorder."""

    id: ShortId
    order_id: OrderId
    order_line_id: OrderLineId
    sku: str
    bin: str
    wanted: int
    found: int
    elsewhere: int
    relocated: int
    backordered: int
    at: datetime


class LaborView(View):
    """Finished work of one person: `lines_an_hour` is null where it took no measurable time."""

    actor: str
    kind: str
    jobs: int
    lines: int
    units: int
    seconds: int
    lines_an_hour: int | None
