"""Commands, views and facts of pricing."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field

from commerce.pricing.policy import DEFAULT_POLICY, StorePolicy
from kernel.ids import PublicId, VariantId
from kernel.schemas import Code, Command, Country, Currency, MoneyView, Text, View

PriceListId = Annotated[UUID, PublicId("prl")]


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """A channel as the hot path knows it. `policy` is the store's rules as data (see `commerce.pricing.policy`)."""

    id: UUID
    code: str
    currency: str
    country: str
    tax_included: bool
    policy: StorePolicy


@dataclass(frozen=True, slots=True)
class PriceFacts:
    """Price of one unit, in minor units of `currency`; `compare_at_minor` is the struck-through one."""

    unit_minor: int
    compare_at_minor: int | None
    currency: str


@dataclass(frozen=True, slots=True)
class OwnVariant:
    """A variant that the caller may sell, and the shop it belongs to."""

    id: UUID
    sku: str
    name: str
    merchant_id: UUID


class CreateChannel(Command):
    code: Code
    name: Text
    currency: Currency
    country: Country
    tax_included: bool = True
    policy: StorePolicy = DEFAULT_POLICY


class SetTaxRate(Command):
    country: Country
    tax_class: Code
    rate: Annotated[Decimal, Field(ge=0, lt=1, decimal_places=4)]


class SetPrice(Command):
    variant_id: VariantId
    channel: Code
    minor: Annotated[int, Field(ge=0, le=100_000_000)]
    compare_at_minor: Annotated[int, Field(ge=0, le=100_000_000)] | None = None
    min_quantity: Annotated[int, Field(ge=1, le=9999)] = 1


class PastPriceView(View):
    """A price from `at` on, for at least `from_units` units."""

    price: MoneyView
    from_units: int
    at: datetime


class PriceStoryView(View):
    """What one unit of a variant costs in a channel, and what it cost before, newest first.

    `lowest_30_days` is what a reduction has to name (Directive 98/6/EC, article 6a)."""

    price: MoneyView | None
    compare_at: MoneyView | None
    lowest_30_days: MoneyView | None
    history: list[PastPriceView]
