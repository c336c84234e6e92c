"""Commands, views and facts of refunds."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from commerce.payment import Promised
from kernel.ids import OrderId, OrderLineId, PaymentMethodId, RefundId
from kernel.schemas import Code, Command, Minor, MoneyView, Quantity, Text, View

Destination = Literal["original", "gift_card", "store_credit"]
WAYS: dict[Destination, str] = {
    "original": "the way it was paid",
    "gift_card": "a gift card",
    "store_credit": "store credit",
}
"""Where money goes, in words."""


class RefundUnits(Command):
    order_line_id: OrderLineId
    quantity: Quantity


class RequestRefund(Command):
    """Units of lines, with their share of discount and tax, or an `amount` spread over what is left of the order.

    `cause` names what it is for (a ticket, say): one refund per order and cause. `payment_method_id` is the gift card
    the money goes to when `destination` is `gift_card`."""

    order_id: OrderId
    lines: list[RefundUnits] = Field(default_factory=list, max_length=100)
    shipping: bool = False
    amount: Annotated[Minor, Field(ge=1)] | None = None
    reason: Text
    cause: Code | None = None
    destination: Destination = "original"
    payment_method_id: PaymentMethodId | None = None


class DecideRefund(Command):
    accept: bool
    note: Text | None = None


class RetryRefund(Command):
    destination: Destination = "original"
    payment_method_id: PaymentMethodId | None = None


class SetRefundPolicy(Command):
    """Amounts in minor units of the channel's currency; see `rules.Policy`."""

    auto_minor: Minor
    customer_auto_minor: Minor
    second_minor: Minor
    approval_hours: Annotated[int, Field(ge=1, le=8760)]
    destinations: list[Destination] = Field(min_length=1, max_length=3)


class RefundCaseView(View):
    """What speaks for and against a refund, for the staff. `refunded` is what its order got back by now; the last two are
    of the customer's 180 days before it."""

    id: RefundId
    order_id: OrderId
    status: str
    amount: MoneyView
    paid: MoneyView
    refunded: MoneyView
    destination: Destination
    reason: str
    failure: str | None
    approvals_needed: int
    approvals: int
    guest: bool
    refunds_lately: int
    refunded_lately: MoneyView


class RefundLineView(View):
    """`order_line_id` is null for shipping; `discount` is the promotion's share that is not given back."""

    order_line_id: OrderLineId | None
    quantity: int
    goods: MoneyView
    discount: MoneyView
    tax: MoneyView
    amount: MoneyView


class RefundView(View):
    id: RefundId
    order_id: OrderId
    status: str
    amount: MoneyView
    destination: Destination
    reason: str
    approvals_needed: int
    approvals: int
    failure: str | None
    lines: list[RefundLineView]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """What another context wants given back, for a cause of its own. Units of lines, or an amount of the order, or `amounts` of
    lines (minor units)."""

    order_id: UUID
    cause: str
    reason: str
    units: dict[UUID, int] = field(default_factory=dict)
    shipping: bool = False
    amount: int | None = None
    amounts: dict[UUID, int] = field(default_factory=dict)
    destination: Destination = "original"
    gift_card_id: UUID | None = None


class RefundState(BaseModel):
    """What the saga knows. Amounts are minor units.

    `promised` are the captured payments it comes out of, chosen when it is sent; `answered` is what the gateway called
    each of them."""

    refund_id: UUID
    order_id: UUID
    group_id: UUID
    merchant_id: UUID
    customer_id: UUID | None
    intent_id: UUID
    amount: int
    currency: str
    destination: Destination
    gift_card_id: UUID | None
    decide_until: datetime
    promised: list[Promised] = []
    answered: dict[str, str | None] = {}
