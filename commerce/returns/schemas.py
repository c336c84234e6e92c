"""Commands and views of returns."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from commerce.refund.schemas import Destination
from kernel.ids import GroupId, OrderId, OrderLineId, PaymentMethodId, PublicId, RefundId, VariantId
from kernel.schemas import PERSONAL, Code, Command, LongText, Minor, MoneyView, Quantity, Text, View

ReturnId = Annotated[UUID, PublicId("ret")]
ReturnLineId = Annotated[UUID, PublicId("rln")]
ClaimId = Annotated[UUID, PublicId("clm")]
Condition = Literal["unopened", "opened", "used", "damaged"]
Resolution = Literal["refund", "exchange"]
Disposition = Literal["restock", "refurbish", "write_off", "send_back"]
ClaimKind = Literal["missing", "wrong", "broken"]
Days = Annotated[int, Field(ge=0, le=3650)]


class ReturnUnits(Command):
    """`replacement_id` is the variant wanted instead, for an exchange. `reason` overrides the request's."""

    order_line_id: OrderLineId
    quantity: Quantity = 1
    replacement_id: VariantId | None = None
    condition: Condition = "unopened"
    reason: Code | None = None


class RequestReturn(Command):
    """Units of a delivered order that go back, for money or for other variants of the same products.

    `payment_method_id` is a gift card for `destination` `gift_card`; in an exchange it is the saved method that pays the
    difference, or gets it."""

    order_id: OrderId
    lines: list[ReturnUnits] = Field(min_length=1, max_length=100)
    reason: Code
    resolution: Resolution = "refund"
    destination: Destination = "original"
    payment_method_id: PaymentMethodId | None = None


class DecideReturn(Command):
    accept: bool
    note: Text | None = None


class ReceivedUnits(Command):
    return_line_id: ReturnLineId
    quantity: Quantity


class ReceiveReturn(Command):
    """What arrived. `complete`: no more of it will."""

    lines: list[ReceivedUnits] = Field(default_factory=list, max_length=100)
    complete: bool = False


class InspectedUnits(Command):
    """`passed`: they bring back money or a replacement. What did not pass is sent back to the customer or written off.
    `other_item`: it is not what was sold; that never passes."""

    return_line_id: ReturnLineId
    quantity: Quantity
    condition: Condition
    passed: bool
    disposition: Disposition
    other_item: bool = False
    note: Text | None = None

    @model_validator(mode="after")
    def _sold(self) -> Self:
        if self.other_item and self.passed:
            raise ValueError("another item than was sold cannot pass")
        return self


class InspectReturn(Command):
    lines: list[InspectedUnits] = Field(min_length=1, max_length=200)


class OpenClaim(Command):
    order_id: OrderId
    order_line_id: OrderLineId
    quantity: Quantity = 1
    kind: ClaimKind
    text: Annotated[LongText, PERSONAL]


class SetReturnPolicy(Command):
    """The rules of a channel or of all, for a category (by its slug) or for all; see `rules.Policy`."""

    channel: Code | None = None
    category: Code | None = None
    window_days: Days = 30
    grey_days: Days = 14
    fault_days: Days = 180
    final_sale: bool = False
    conditions: list[Condition] = Field(default=["unopened", "opened"], max_length=4)
    review_minor: Minor = 100_000
    abuse_from: Annotated[int, Field(ge=0, le=101)] = 60
    one_per_order: bool = False
    destinations: list[Destination] = Field(
        default=["original", "gift_card", "store_credit"], min_length=1, max_length=3
    )
    refund_shipping: bool = True
    free_label: bool = False
    send_days: Annotated[int, Field(ge=1, le=365)] = 21
    grey_hours: Annotated[int, Field(ge=1, le=8760)] = 72
    grey_default: Literal["accept", "reject"] = "reject"


class SetReason(Command):
    """`fault`: it is the shop's. One that is not active can no longer be given."""

    text: Text
    fault: bool
    active: bool = True


class ReasonView(View):
    code: str
    text: str
    fault: bool


class QuoteView(View):
    """What a return would come to: `outcome` authorised, grey (a person decides) or rejected, why, and the money.

    `refund` is what goes back; in an exchange `difference` is paid by the customer, or, when negative, to them."""

    outcome: str
    explanation: str
    refund: MoneyView
    difference: MoneyView


class ReturnLineView(View):
    id: ReturnLineId
    order_line_id: OrderLineId
    name: str
    quantity: int
    reason: str
    condition: str
    replacement_id: VariantId | None
    received: int
    passed: int
    refunded: int
    exchanged: int


class LabelView(View):
    carrier: str
    tracking: str
    free: bool
    send_until: datetime


class ReturnView(View):
    id: ReturnId
    order_id: OrderId
    status: str
    resolution: Resolution
    destination: Destination
    explanation: str
    difference: MoneyView
    replacement_group_id: GroupId | None
    """The purchase the replacements become once the exchange is done."""
    lines: list[ReturnLineView]
    label: LabelView | None
    refund_id: RefundId | None
    created_at: datetime
    updated_at: datetime


class FoundUnits(View):
    """Units of a return: what was said of them, and how they were found, once somebody looked; `mismatch` when they are
    worse than they were said to be, or something else."""

    name: str
    options: dict[str, str]
    quantity: int
    reason: str
    said: str
    found: str | None
    passed: bool | None
    other_item: bool
    mismatch: bool
    note: str | None


class ReturnCaseView(View):
    """What speaks for and against a return, for the staff: `score` is 0 (no abuse) to 100; the last two counts are of the
    customer's 180 days before it and since, this return included."""

    id: ReturnId
    order_id: OrderId
    status: str
    resolution: str
    explanation: str
    score: int
    guest: bool
    returns_lately: int
    not_as_said_lately: int
    units: list[FoundUnits]


class ClaimView(View):
    id: ClaimId
    order_id: OrderId
    order_line_id: OrderLineId
    kind: ClaimKind
    quantity: int
    status: str
    refund_id: RefundId | None
    note: str | None
    created_at: datetime


class ReturnState(BaseModel):
    """What the saga knows. `charge_*` is the payment of an exchange's difference, minor units."""

    return_id: UUID
    order_id: UUID
    group_id: UUID
    merchant_id: UUID
    customer_id: UUID | None
    guest_key: str | None
    resolution: Resolution
    replacement_id: UUID | None
    currency: str
    verdict: str
    grey_until: datetime
    grey_default: str
    send_days: int
    free_label: bool
    refund_shipping: bool
    send_until: datetime | None = None
    charge_intent: UUID | None = None
    charge_minor: int = 0
    charge_kind: str = "free"
    charge_reference: str | None = None
    charge_failed: bool = False
    refund_id: UUID | None = None
