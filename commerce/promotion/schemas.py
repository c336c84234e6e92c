"""Commands and facts of promotion."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from kernel.schemas import Command, Currency, Minor, Text

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
