"""Commands, views and facts of payment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from kernel.ids import GroupId, PaymentMethodId
from kernel.schemas import Command, Currency, MoneyView, View

Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{4,80}$")]


Destination = Literal["original", "original_or_gift_card", "any"]
"""Where a store's policy lets money go back."""


class AddPaymentMethod(Command):
    """A card by the token of the gateway's own form, or a gift card by its code. Card numbers are refused."""

    token: Token | None = None
    gift_card_code: Annotated[str, StringConstraints(min_length=8, max_length=40)] | None = None
    brand: Annotated[str, StringConstraints(max_length=20)] | None = None
    last4: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")] | None = None


class IssueGiftCard(Command):
    amount: Annotated[int, Field(ge=1, le=1_000_000)]
    currency: Currency


class GiftCardView(View):
    """`code` is shown once, when the card is issued; only its hash is kept."""

    code: str
    balance: MoneyView


class PaymentMethodView(View):
    id: PaymentMethodId
    kind: Literal["card", "wallet", "gift_card"]
    brand: str | None
    last4: str | None
    balance: MoneyView | None = None


class NextAction(View):
    type: Literal["redirect"] = "redirect"
    url: str


class PaymentView(View):
    """`status`: processing, requires_action, authorised, captured, failed, voided or refunded."""

    status: str
    amount: MoneyView
    failure: str | None = None
    next_action: NextAction | None = None


class ReviewView(View):
    """A purchase as the score saw it. `decision` is review while nobody decided; `paid_before` and `failed_before` are
    its buyer's earlier purchases (0 for guests)."""

    group_id: GroupId
    score: int
    reasons: list[str]
    decision: str
    decided_by: str
    amount: MoneyView
    kind: str
    status: str
    guest: bool
    paid_before: int
    failed_before: int


@dataclass(frozen=True, slots=True)
class Tender:
    """How a checkout pays: a saved method, a bare token, a gift card, or nothing at all when the total is zero."""

    kind: Literal["card", "gift_card", "free"]
    token: str | None = None
    method_id: UUID | None = None
    gift_card_id: UUID | None = None
    customer_id: UUID | None = None
    """Whose saved method it is; None for a bare token."""


@dataclass(frozen=True, slots=True)
class Risk:
    score: int
    reasons: tuple[str, ...]
    decision: Literal["accept", "review", "reject"]


class Captured(BaseModel):
    """A captured payment of a purchase; `left` is what may still go back. Amounts are minor units."""

    intent_id: UUID
    group_id: UUID
    kind: str
    method_id: UUID | None
    gift_card_id: UUID | None
    token: str | None
    reference: str | None
    currency: str
    captured: int
    left: int

    def is_by(self, tender: Tender) -> bool:
        """Whether this way to pay is the one it was paid with."""
        if tender.gift_card_id or self.gift_card_id:
            return tender.gift_card_id == self.gift_card_id
        if tender.method_id and self.method_id:
            return tender.method_id == self.method_id
        return tender.token == self.token


class PaymentRowView(View):
    """One payment or refund, as it happened; it never changes."""

    type: Literal["payment", "refund"]
    amount: MoneyView
    method: str
    payment_method_id: PaymentMethodId | None
    at: datetime


class Share(BaseModel):
    """What of a captured amount belongs to one merchant, minor units."""

    merchant_id: UUID
    amount: int


class Promised(BaseModel):
    """A refund that is decided: to a gift card, to a card that did not pay (`token`), or of a charge (`reference`).

    `paid_by` is the gift card that paid, for a card that refuses what goes to it."""

    id: UUID
    group_id: UUID
    intent_id: UUID
    amount: int
    currency: str
    shares: list[Share]
    gift_card_id: UUID | None
    reference: str | None
    token: str | None
    paid_by: UUID | None = None
