"""Commands, views and facts of payment."""

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from kernel.ids import PublicId
from kernel.schemas import Command, Currency, MoneyView, View

PaymentMethodId = Annotated[UUID, PublicId("pm")]
Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{4,80}$")]


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
    kind: Literal["card", "gift_card"]
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

    group_id: Annotated[UUID, PublicId("grp")]
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


@dataclass(frozen=True, slots=True)
class Risk:
    score: int
    reasons: tuple[str, ...]
    decision: Literal["accept", "review", "reject"]


class Share(BaseModel):
    """What of a captured amount belongs to one merchant, minor units."""

    merchant_id: UUID
    amount: int
