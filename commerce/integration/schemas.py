"""The general form of what can be brought in: one record a line, named by the id it has where it comes from.

Amounts are minor units of the channel's currency. docs/import.md tells it in words.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, TypeAdapter

from commerce.order.history import PastStatus
from commerce.payment.history import PastMethod
from kernel.schemas import Address, Code, Command, Email, LongText, Minor, Quantity, Text, View

ExternalId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Handle = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Names = Annotated[list[ExternalId], Field(max_length=500)]


class VariantRecord(Command):
    """`stock` are the units that can be sold."""

    id: ExternalId
    sku: Code
    options: dict[Text, Text] = Field(default_factory=dict, max_length=5)
    price: Minor
    stock: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    weight_g: Annotated[int, Field(ge=0, le=1_000_000)] = 500


class ProductRecord(Command):
    type: Literal["product"]
    id: ExternalId
    name: Text
    description: LongText | None = None
    category: Text
    variants: list[VariantRecord] = Field(min_length=1, max_length=500)


class CustomerRecord(Command):
    type: Literal["customer"]
    id: ExternalId
    email: Email
    first_name: Text
    last_name: Text
    address: Address | None = None
    payment_methods: list[PastMethod] = Field(default_factory=list, max_length=50)


class LineRecord(Command):
    """A line as it was sold: its name and options may differ from the product's of today."""

    sku: Code
    quantity: Quantity = 1
    price: Minor
    name: Text | None = None
    options: dict[Text, Text] | None = None


class PaymentRecord(Command):
    """Money that came in, or went back, in the order it happened; `method` is the id of a payment method."""

    kind: Literal["payment", "refund"]
    amount: Annotated[int, Field(ge=1, le=1_000_000_000_000)]
    method: ExternalId


class ParcelRecord(Command):
    """What left in one parcel: `lines` are positions in the order, from 0."""

    tracking: Text
    lines: list[Annotated[int, Field(ge=0, le=999)]] = Field(min_length=1, max_length=200)


class OrderRecord(Command):
    type: Literal["order"]
    id: ExternalId
    number: Handle
    customer: ExternalId
    status: PastStatus
    placed_at: datetime | None = None
    address: Address
    lines: list[LineRecord] = Field(min_length=1, max_length=200)
    payments: list[PaymentRecord] = Field(default_factory=list, max_length=100)
    parcels: list[ParcelRecord] = Field(default_factory=list, max_length=100)
    cancel_reason: Text | None = None


Record = Annotated[ProductRecord | CustomerRecord | OrderRecord, Field(discriminator="type")]
RECORD: TypeAdapter[ProductRecord | CustomerRecord | OrderRecord] = TypeAdapter(Record)


class RefusedView(View):
    line: int
    external_id: str | None
    code: str
    message: str


class ImportView(View):
    """`known` are records that were there from before; `refused` the first of the lines that could not be taken."""

    status: str
    lines: int
    taken: int
    known: int
    refused: int
    errors: list[RefusedView]


@dataclass(frozen=True, slots=True)
class Target:
    """Where records go: whose they are, and what the system they come from is called."""

    job_id: UUID
    source: str
    channel: str
    merchant_id: UUID
    location_id: UUID
