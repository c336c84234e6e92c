"""Carts, and which purchase came of which cart."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import OWN_CUSTOMER, OWN_GUEST, Base, laws, one_of, visible


class Cart(Base):
    """What somebody means to buy in one channel, and so in one currency."""

    __tablename__ = "carts"
    __table_args__ = (
        one_of("status", "open", "ordered"),
        CheckConstraint("customer_id is not null or guest_key is not null", name="owner"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id"), index=True)
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"), index=True)
    guest_key: Mapped[bytes | None]
    email: Mapped[str | None] = mapped_column(info={"personal": True})
    status: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CartLine(Base):
    __tablename__ = "cart_lines"
    __table_args__ = (
        UniqueConstraint("cart_id", "variant_id"),
        CheckConstraint("quantity between 1 and 9999", name="quantity"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    cart_id: Mapped[UUID] = mapped_column(ForeignKey("carts.id"))
    variant_id: Mapped[UUID] = mapped_column(ForeignKey("product_variants.id"), index=True)
    quantity: Mapped[int]


class CartAdjustment(Base):
    """A coupon code the customer entered."""

    __tablename__ = "cart_adjustments"
    cart_id: Mapped[UUID] = mapped_column(ForeignKey("carts.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)


class CheckoutSession(Base):
    """One attempt to buy a cart; how far it got is its saga's to say."""

    __tablename__ = "checkout_sessions"
    group_id: Mapped[UUID] = mapped_column(ForeignKey("order_groups.id"), primary_key=True)
    cart_id: Mapped[UUID] = mapped_column(ForeignKey("carts.id"), index=True)
    started_at: Mapped[datetime]
    failed_at: Mapped[datetime | None]


laws(
    "checkout",
    # Volatile on purpose: called after the cart is locked, it sees what the lock's previous holder committed.
    """create function agora_cart_contents(cart uuid) returns jsonb language sql volatile as $$
  select jsonb_build_array(
    (select coalesce(jsonb_agg(jsonb_build_array(id, variant_id, quantity) order by id), '[]') from cart_lines where cart_id = cart),
    (select coalesce(jsonb_agg(code order by code), '[]') from cart_adjustments where cart_id = cart))
$$""",
    *visible("carts", f"{OWN_CUSTOMER} or {OWN_GUEST}"),
    *visible("cart_lines", "exists (select from carts c where c.id = cart_id)"),
    *visible("cart_adjustments", "exists (select from carts c where c.id = cart_id)"),
    *visible("checkout_sessions", "exists (select from order_groups g where g.id = group_id)"),
)
