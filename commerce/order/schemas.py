"""Commands, views and facts of orders."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from commerce.product import titled
from kernel.ids import (
    GroupId,
    LocationId,
    MerchantId,
    OrderId,
    OrderLineId,
    PaymentMethodId,
    PublicId,
    ShipmentId,
    VariantId,
)
from kernel.schemas import Address, Code, Command, LongText, MoneyView, Quantity, Text, View

ModificationId = Annotated[UUID, PublicId("mod")]
PackageId = Annotated[UUID, PublicId("pkg")]
ParcelId = ShipmentId
"""A parcel is a shipment: one thing, told from two sides."""
TagName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line to be written: amounts in minor units, tax by `tax_rate` already rounded."""

    id: UUID
    variant_id: UUID
    product_id: UUID
    sku: str
    name: str
    options: dict[str, str]
    quantity: int
    unit_minor: int
    discount: int
    tax_rate: Decimal
    tax: int

    @property
    def subtotal(self) -> int:
        return self.unit_minor * self.quantity


@dataclass(frozen=True, slots=True)
class NewOrder:
    """One merchant's part of a purchase."""

    id: UUID
    merchant_id: UUID
    shipping: int
    tax: int
    total: int
    lines: list[NewLine] = field(default_factory=list)

    @property
    def subtotal(self) -> int:
        return sum(line.subtotal for line in self.lines)

    @property
    def discount(self) -> int:
        return sum(line.discount for line in self.lines)


@dataclass(frozen=True, slots=True)
class NewGroup:
    id: UUID
    channel_id: UUID
    email: str
    currency: str
    tax_included: bool
    shipping_method: str
    address: Address
    orders: list[NewOrder]

    @property
    def total(self) -> int:
        return sum(order.total for order in self.orders)


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """A purchase as a whole; `total` is minor units, `failure` why it was cancelled before it was confirmed."""

    id: UUID
    status: str
    failure: str | None
    total: int
    currency: str


@dataclass(frozen=True, slots=True)
class SentLine:
    """A line with what became of its units."""

    id: UUID
    variant_id: UUID
    product_id: UUID
    sku: str
    name: str
    options: dict[str, str]
    quantity: int
    shipped: int
    returned: int
    tax_rate: Decimal

    @property
    def title(self) -> str:
        return titled(self.name, self.options)


@dataclass(frozen=True, slots=True)
class SentOrder:
    """An order as a return looks at it: whether and when it arrived, and what a replacement needs to follow it."""

    id: UUID
    status: str
    delivered_at: datetime | None
    email: str
    shipping_method: str
    address: Address
    lines: dict[UUID, SentLine]


@dataclass(frozen=True, slots=True)
class ToldLine:
    name: str
    options: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Told:
    """A purchase as its people are told about it. `numbers` are order numbers by merchant; `total` is minor units."""

    group_id: UUID
    customer_id: UUID | None
    email: str
    name: str
    numbers: dict[UUID, str]
    total: int
    currency: str
    paid: bool
    address: str
    lines: list[ToldLine]


class CancelOrder(Command):
    reason: Text


class ChangeAddress(Command):
    address: Address


class ChangeItem(Command):
    """Units of one item that become another variant. The item is named by its line, or by its SKU: then the first line
    that still has such units gives them."""

    line_id: OrderLineId | None = None
    sku: Code | None = None
    variant_id: VariantId
    quantity: Quantity = 1


class ChangeItems(Command):
    """What an order's items become. A dearer one is paid with `payment_method_id` or `payment_token`; for a cheaper one
    the difference goes to `payment_method_id`, or without one back the way it was paid."""

    items: Annotated[list[ChangeItem], Field(min_length=1, max_length=50)]
    payment_method_id: PaymentMethodId | None = None
    payment_token: Annotated[str, StringConstraints(min_length=1, max_length=80)] | None = None


class ChangePayment(Command):
    """Another way to pay the whole purchase: saved, or by a gateway's token."""

    payment_method_id: PaymentMethodId | None = None
    payment_token: Annotated[str, StringConstraints(min_length=1, max_length=80)] | None = None


class CancelItem(Command):
    """Units of one item, by its line or its SKU; without `quantity` all that are left of it."""

    line_id: OrderLineId | None = None
    sku: Code | None = None
    quantity: Quantity | None = None


class CancelLines(Command):
    items: Annotated[list[CancelItem], Field(min_length=1, max_length=50)]
    reason: Text


class ModificationView(View):
    """A change of an order: `requested` while its money is on the way, then `applied` or `failed`.

    `difference` is what the customer pays for it; below zero they get it back."""

    id: ModificationId
    order_id: OrderId
    kind: str
    status: str
    reason: str | None
    failure: str | None
    difference: MoneyView
    at: datetime


class UnitsOfLine(Command):
    order_line_id: OrderLineId
    quantity: Quantity


class NoteDelivery(Command):
    """A parcel that arrived; without one, all that are on their way."""

    shipment_id: ShipmentId | None = None


class OrderLineView(View):
    id: OrderLineId
    variant_id: VariantId
    sku: str
    name: str
    options: dict[str, str]
    quantity: int
    unit_price: MoneyView
    total: MoneyView
    cancelled: int = 0
    shipped: int = 0


class TotalsView(View):
    """`tax` is contained in the other amounts when `tax_included`."""

    subtotal: MoneyView
    discount: MoneyView
    shipping: MoneyView
    tax: MoneyView
    total: MoneyView
    tax_included: bool


class OrderView(View):
    id: OrderId
    group_id: GroupId
    number: str
    merchant_id: MerchantId
    status: str
    payment_status: str
    fulfillment_status: str
    lines: list[OrderLineView]
    totals: TotalsView
    shipping_address: Address | None
    items_modified: bool = False
    placed_at: datetime


class TimelineView(View):
    kind: str
    facts: dict[str, Any]
    at: datetime


class SalesView(View):
    """A merchant's own confirmed sales of the last `days` days."""

    days: int
    orders: int
    units: int
    revenue: MoneyView
    best: list[dict[str, str | int]]


class HoldOrder(Command):
    reason: Text


class HoldView(View):
    reason: str
    placed_at: datetime
    released_at: datetime | None


class AddNote(Command):
    """`for_customer` shows it to the order's customer, too."""

    text: LongText
    for_customer: bool = False


class NoteView(View):
    text: str
    for_customer: bool
    at: datetime


class TagView(View):
    tag: str
    at: datetime


class PlannedLine(View):
    line_id: OrderLineId
    sku: str
    quantity: int
    shipped: int


class PartView(View):
    """What one location sends of an order."""

    location_id: LocationId
    location: str
    lines: list[PlannedLine]


class PlanView(View):
    """How an order leaves the house. `unplanned` are units that are promised nowhere yet."""

    parts: list[PartView]
    unplanned: int


class ParcelLine(Command):
    line_id: OrderLineId
    quantity: Quantity


class ShipParcel(Command):
    """What leaves in one parcel from one location: lines, or a package with its label, which says carrier and number.
    `location_id` may be left out where only one has all of it."""

    lines: Annotated[list[ParcelLine], Field(min_length=1, max_length=200)] | None = None
    package_id: PackageId | None = None
    location_id: LocationId | None = None
    carrier: Code | None = None
    tracking_number: Code | None = None

    @model_validator(mode="after")
    def _one(self) -> "ShipParcel":
        if (self.lines is None) == (self.package_id is None):
            raise PydanticCustomError("parcel", "send either lines or package_id")
        if self.package_id and (self.carrier or self.tracking_number):
            raise PydanticCustomError("parcel", "the label of a package says its carrier and number")
        return self


class ParcelView(View):
    id: ParcelId
    location_id: LocationId
    carrier: str | None
    tracking_number: str | None
    lines: list[PlannedLine]
    at: datetime
