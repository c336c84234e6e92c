"""Promotions and the codes that unlock them. Limits are counters with a CHECK, moved by guarded UPDATEs."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import Base, one_of


class Promotion(Base):
    """What a code gives: `percent` (of 100), `fixed` (minor units) or `shipping` (free)."""

    __tablename__ = "promotions"
    __table_args__ = (
        one_of("kind", "percent", "fixed", "shipping"),
        CheckConstraint("value >= 0 and (kind <> 'percent' or value <= 100)", name="value"),
        CheckConstraint("ends_at is null or ends_at > starts_at", name="window"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    value: Mapped[int]
    currency: Mapped[str]
    minimum_minor: Mapped[int]
    priority: Mapped[int]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Coupon(Base):
    __tablename__ = "promotion_coupons"
    __table_args__ = (
        CheckConstraint("code = upper(code)", name="code"),
        CheckConstraint("used >= 0 and (usage_limit is null or used <= usage_limit)", name="used"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    promotion_id: Mapped[UUID] = mapped_column(ForeignKey("promotions.id"), index=True)
    code: Mapped[str] = mapped_column(unique=True)
    usage_limit: Mapped[int | None]
    once_per_customer: Mapped[bool]
    used: Mapped[int]


class Redemption(Base):
    """A code used by a purchase. `customer_slot` is the buyer where the code is once per customer, else the group."""

    __tablename__ = "promotion_redemptions"
    __table_args__ = (UniqueConstraint("group_id", "coupon_id"), UniqueConstraint("coupon_id", "customer_slot"))
    id: Mapped[UUID] = mapped_column(primary_key=True)
    coupon_id: Mapped[UUID] = mapped_column(ForeignKey("promotion_coupons.id"))
    group_id: Mapped[UUID]
    customer_slot: Mapped[str]
    amount: Mapped[int]
    at: Mapped[datetime]
