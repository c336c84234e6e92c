"""Commands, views and facts of promotion."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from kernel.schemas import Command, Currency, Minor, MoneyView, Text, View

CouponCode = Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"^[A-Za-z0-9-]{3,32}$")]


@dataclass(frozen=True, slots=True)
class CouponFacts:
    """A code with what it gives."""

    coupon_id: UUID
    code: str
    name: str
    kind: str
    value: int
    currency: str
    minimum_minor: int
    priority: int
    starts_at: datetime
    ends_at: datetime | None
    usage_limit: int | None
    once_per_customer: bool
    used: int


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a code takes off: by line (minor units >= 0, by position), or the shipping."""

    coupon_id: UUID
    code: str
    label: str
    lines: list[int] = field(default_factory=list)
    free_shipping: bool = False

    @property
    def amount(self) -> int:
        return sum(self.lines)


class CreateCoupon(Command):
    """A promotion with one code. `value` is percent, minor units, or nothing for free shipping."""

    code: CouponCode
    name: Text
    kind: Literal["percent", "fixed", "shipping"]
    value: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    currency: Currency = "EUR"
    minimum_minor: Minor = 0
    priority: Annotated[int, Field(ge=0, le=1000)] = 10
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    usage_limit: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    once_per_customer: bool = False


class CouponView(View):
    """What a code gives: `percent` of the goods, `amount` off them, or free shipping when it is neither."""

    code: str
    name: str
    percent: int | None
    amount: MoneyView | None
    minimum: MoneyView
    ends_at: datetime | None


class CouponAnswer(View):
    """Whether the caller can use a code now; `reason` is why not, and says nothing about codes that are not theirs."""

    code: str
    usable: bool
    reason: str | None = None
    coupon: CouponView | None = None


class PromotionView(CouponView):
    """A promotion as those see it who run it."""

    running: bool
    starts_at: datetime
    used: int
    usage_limit: int | None
