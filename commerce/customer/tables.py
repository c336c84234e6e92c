"""People who buy."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import OWN_CUSTOMER, Base, laws, visible


class Customer(Base):
    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email"),
        CheckConstraint("(first_name is null) = (last_name is null)", name="parts"),
        Index("ix_customers_names", text("lower(last_name)"), text("lower(first_name)")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True, info={"personal": True})
    name: Mapped[str] = mapped_column(info={"personal": True})
    first_name: Mapped[str | None] = mapped_column(info={"personal": True})
    last_name: Mapped[str | None] = mapped_column(info={"personal": True})
    """The name in its parts, where it came in parts: `name` is both."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CustomerAddress(Base):
    __tablename__ = "customer_addresses"
    __table_args__ = (
        Index("uq_customer_addresses_default", "customer_id", unique=True, postgresql_where="is_default"),
        Index("ix_customer_addresses_customer_id", "customer_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    name: Mapped[str] = mapped_column(info={"personal": True})
    line1: Mapped[str] = mapped_column(info={"personal": True})
    line2: Mapped[str] = mapped_column(info={"personal": True})
    city: Mapped[str] = mapped_column(info={"personal": True})
    region: Mapped[str]
    postal_code: Mapped[str] = mapped_column(info={"personal": True})
    country: Mapped[str]
    is_default: Mapped[bool]
    created_at: Mapped[datetime]


laws(
    "customer",
    *visible("customers", "id = nullif(current_setting('agora.customer', true), '')::uuid"),
    *visible("customer_addresses", OWN_CUSTOMER),
)
