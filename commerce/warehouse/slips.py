"""Commands and views of what comes in, is put away, counted and sent on."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from commerce.warehouse.schemas import BinId, LocationId, VariantId
from kernel.ids import PublicId
from kernel.schemas import Command, Quantity, Text, View

ReceivingId = Annotated[UUID, PublicId("rcv")]
PutawayId = Annotated[UUID, PublicId("put")]
CountId = Annotated[UUID, PublicId("cnt")]
TransferId = Annotated[UUID, PublicId("trf")]
Counted = Annotated[int, Field(ge=0, le=1_000_000, strict=True)]


class GoodsLine(Command):
    variant_id: VariantId
    quantity: Quantity


GoodsLines = Annotated[list[GoodsLine], Field(min_length=1, max_length=200)]


class OpenReceiving(Command):
    """Goods announced for a place; `reference` is the sender's number of them, used once."""

    location_id: LocationId
    reference: Text
    lines: GoodsLines


class ReceiveGoods(Command):
    """What came, also more or other than was expected. `close`: no more of it will come."""

    lines: GoodsLines
    close: bool = False


class ReceivingLineView(View):
    """`difference` is how many more came than were expected."""

    variant_id: VariantId
    sku: str
    expected: int
    received: int
    difference: int


class ReceivingView(View):
    id: ReceivingId
    location_id: LocationId
    reference: str
    status: str
    lines: list[ReceivingLineView]
    created_at: datetime
    closed_at: datetime | None


class PutawayView(View):
    """Units to carry from one bin to another, named by their codes."""

    id: PutawayId
    sku: str
    quantity: int
    from_bin: str
    to_bin: str
    status: str


class PutAway(Command):
    """Where they went if not where they should, and how many if not all."""

    bin_id: BinId | None = None
    quantity: Quantity | None = None


class OpenCount(Command):
    """Which bins are to be counted; without any those that were not counted for the longest time, `most` of them."""

    location_id: LocationId
    bin_ids: list[BinId] = Field(default_factory=list, max_length=100)
    most: Annotated[int, Field(ge=1, le=100)] = 10


class CountedLine(Command):
    bin_id: BinId
    variant_id: VariantId
    counted: Counted


class EnterCount(Command):
    """What was found: every line of the count, and whatever else lay in its bins."""

    lines: Annotated[list[CountedLine], Field(min_length=1, max_length=1000)]


class DecideCount(Command):
    accept: bool


class AdjustBin(Command):
    """So many units more or fewer lie in a bin than the books say."""

    bin_id: BinId
    variant_id: VariantId
    quantity: Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
    reason: Text


class CountLineView(View):
    """`expected` and `counted` are null until the count is entered: who counts does not know what to find."""

    bin_id: BinId
    bin: str
    variant_id: VariantId
    sku: str
    expected: int | None
    counted: int | None


class CountView(View):
    """`status` is open, waiting (for a second person), applied or rejected; `variance` the units it is off, both ways."""

    id: CountId
    location_id: LocationId
    kind: str
    status: str
    reason: str
    variance: int
    lines: list[CountLineView]
    opened_at: datetime


class SendTransfer(Command):
    """Units go to another place of the same merchant; out of `from_bin_id` where the place they leave has bins."""

    variant_id: VariantId
    from_location_id: LocationId
    from_bin_id: BinId | None = None
    to_location_id: LocationId
    quantity: Quantity


class ReceiveTransfer(Command):
    """How many arrived, if not all."""

    quantity: Counted | None = None


class TransferView(View):
    id: TransferId
    variant_id: VariantId
    sku: str
    from_location: LocationId
    to_location: LocationId
    quantity: int
    received: int | None
    status: str
    sent_at: datetime
