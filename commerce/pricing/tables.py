"""Channels, taxes and prices. A channel is a shop front: currency, country, tax mode and store policy, as data."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import Base, Json, append_only


class Channel(Base):
    __tablename__ = "channels"
    __table_args__ = (CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    currency: Mapped[str]
    country: Mapped[str]
    tax_included: Mapped[bool]
    active: Mapped[bool]
    policy: Mapped[Json]
    created_at: Mapped[datetime]


class ChannelPolicy(Base):
    """Every store policy a channel ever had, as it was set: who allowed what, and when."""

    __tablename__ = "channel_policies"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id"), index=True)
    policy: Mapped[Json]
    actor: Mapped[str]
    at: Mapped[datetime]


class TaxRate(Base):
    """The rate of a class in a country from a day on; the latest one that has begun counts."""

    __tablename__ = "tax_rates"
    __table_args__ = (
        UniqueConstraint("country", "tax_class", "valid_from"),
        CheckConstraint("rate >= 0 and rate < 1", name="rate"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    country: Mapped[str]
    tax_class: Mapped[str]
    rate: Mapped[Decimal] = mapped_column(Numeric(6, 4))
    valid_from: Mapped[datetime]


class PriceList(Base):
    __tablename__ = "price_lists"
    __table_args__ = (
        UniqueConstraint("channel_id", "code"),
        CheckConstraint("ends_at is null or ends_at > starts_at", name="window"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id"))
    code: Mapped[str]
    currency: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]


class Price(Base):
    """What one unit costs in a price list, from `min_quantity` units on."""

    __tablename__ = "prices"
    __table_args__ = (
        UniqueConstraint("variant_id", "price_list_id", "min_quantity"),
        CheckConstraint("minor >= 0", name="minor"),
        CheckConstraint("compare_at_minor is null or compare_at_minor > minor", name="compare_at"),
        CheckConstraint("min_quantity >= 1", name="min_quantity"),
        Index("ix_prices_price_list_id", "price_list_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    variant_id: Mapped[UUID] = mapped_column(ForeignKey("product_variants.id"))
    price_list_id: Mapped[UUID] = mapped_column(ForeignKey("price_lists.id"))
    min_quantity: Mapped[int]
    minor: Mapped[int]
    compare_at_minor: Mapped[int | None]
    updated_at: Mapped[datetime]


class PriceHistory(Base):
    """Every price a variant ever had: the source of the lowest price of the last 30 days."""

    __tablename__ = "price_history"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    variant_id: Mapped[UUID] = mapped_column(ForeignKey("product_variants.id"), index=True)
    price_list_id: Mapped[UUID] = mapped_column(ForeignKey("price_lists.id"), index=True)
    min_quantity: Mapped[int]
    minor: Mapped[int]
    at: Mapped[datetime]


append_only("price_history")
append_only("channel_policies")
