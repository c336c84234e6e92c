"""The feed of a customer or of a merchant."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import OWN_CUSTOMER, OWN_MERCHANT, Base, laws, visible


class Notification(Base):
    """One thing told once to one reader; `cause` is the event that made it."""

    __tablename__ = "notifications"
    __table_args__ = (
        CheckConstraint("(customer_id is null) <> (merchant_id is null)", name="reader"),
        UniqueConstraint("cause", "customer_id", "merchant_id", postgresql_nulls_not_distinct=True),
        Index("ix_notifications_customer_id", "customer_id"),
        Index("ix_notifications_merchant_id", "merchant_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    cause: Mapped[str]
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    merchant_id: Mapped[UUID | None] = mapped_column(ForeignKey("merchants.id"))
    kind: Mapped[str]
    title: Mapped[str]
    text: Mapped[str]
    read_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


laws("notification", *visible("notifications", f"{OWN_CUSTOMER} or {OWN_MERCHANT}"))
