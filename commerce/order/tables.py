"""Orders: one group per checkout, one order per merchant in it. What was bought is a snapshot and does not change."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import (
    OWN_CUSTOMER,
    OWN_GUEST,
    OWN_MERCHANT,
    Base,
    Json,
    append_only,
    laws,
    one_of,
    partitioned,
    visible,
)

ORDER_STATES = (
    "placed",
    "confirmed",
    "processing",
    "partially_shipped",
    "shipped",
    "delivered",
    "completed",
    "cancelling",
    "cancelled",
)


class OrderGroup(Base):
    __tablename__ = "order_groups"
    __table_args__ = (
        one_of("status", "pending", "confirmed", "cancelled"),
        CheckConstraint("customer_id is not null or guest_key is not null", name="owner"),
        {"postgresql_with": {"fillfactor": "80"}},
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id"), index=True)
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"), index=True)
    guest_key: Mapped[bytes | None]
    email: Mapped[str]
    status: Mapped[str]
    currency: Mapped[str]
    total: Mapped[int]
    shipping_method: Mapped[str]
    failure: Mapped[str | None]
    placed_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Order(Base):
    """One merchant's part of a group. `total` is the sum of what is stored; tax is inside or on top."""

    __tablename__ = "orders"
    __table_args__ = (
        one_of("status", *ORDER_STATES),
        one_of("payment_status", "pending", "authorised", "paid", "partially_refunded", "refunded", "voided", "failed"),
        one_of("fulfillment_status", "unfulfilled", "picking", "packed", "partially_shipped", "shipped", "delivered"),
        CheckConstraint(
            "total = subtotal - discount + shipping + case when tax_included then 0 else tax end", name="total"
        ),
        CheckConstraint(
            "subtotal >= 0 and discount between 0 and subtotal and shipping >= 0 and tax >= 0", name="signs"
        ),
        Index("ix_orders_group_id", "group_id"),
        Index("ix_orders_merchant_id", "merchant_id"),
        Index("ix_orders_customer_id", "customer_id"),
        Index("ix_orders_number", "number"),
        Index("ix_orders_guest_key", "guest_key", postgresql_where="guest_key is not null"),
        partitioned("orders"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str]
    group_id: Mapped[UUID] = mapped_column(ForeignKey("order_groups.id"))
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"))
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    guest_key: Mapped[bytes | None]
    status: Mapped[str]
    payment_status: Mapped[str]
    fulfillment_status: Mapped[str]
    currency: Mapped[str]
    tax_included: Mapped[bool]
    subtotal: Mapped[int]
    discount: Mapped[int]
    shipping: Mapped[int]
    tax: Mapped[int]
    total: Mapped[int]
    placed_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class OrderLine(Base):
    """A line as it was bought: name, options, price and tax are copies."""

    __tablename__ = "order_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("subtotal = quantity * unit_minor", name="subtotal"),
        CheckConstraint("discount between 0 and subtotal", name="discount"),
        CheckConstraint(
            "shipped >= 0 and cancelled >= 0 and returned between 0 and shipped and shipped + cancelled <= quantity",
            name="quantities",
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    variant_id: Mapped[UUID] = mapped_column(ForeignKey("product_variants.id"), index=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"), index=True)
    sku: Mapped[str]
    name: Mapped[str]
    options: Mapped[Json]
    quantity: Mapped[int]
    unit_minor: Mapped[int]
    subtotal: Mapped[int]
    discount: Mapped[int]
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(6, 4))
    tax: Mapped[int]
    shipped: Mapped[int] = mapped_column(server_default="0")
    cancelled: Mapped[int] = mapped_column(server_default="0")
    returned: Mapped[int] = mapped_column(server_default="0")


class OrderAddress(Base):
    """Where a group goes: a copy of its own; a later change of the customer's address leaves it alone."""

    __tablename__ = "order_addresses"
    group_id: Mapped[UUID] = mapped_column(ForeignKey("order_groups.id"), primary_key=True)
    name: Mapped[str]
    line1: Mapped[str]
    line2: Mapped[str]
    city: Mapped[str]
    region: Mapped[str]
    postal_code: Mapped[str]
    country: Mapped[str]
    updated_at: Mapped[datetime]


class OrderCancellation(Base):
    """A wish to cancel, once per order; its saga gives money and stock back."""

    __tablename__ = "order_cancellations"
    __table_args__ = (one_of("status", "requested", "done"),)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    reason: Mapped[str]
    actor: Mapped[str]
    status: Mapped[str]
    requested_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class TimelineEvent(Base):
    """The history a customer and the staff see, written by events."""

    __tablename__ = "order_timeline_events"
    __table_args__ = (
        Index("ix_order_timeline_events_order_id", "order_id"),
        Index("ix_order_timeline_events_group_id", "group_id"),
        partitioned("order_timeline_events"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    group_id: Mapped[UUID] = mapped_column(ForeignKey("order_groups.id"))
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("orders.id"))
    kind: Mapped[str]
    facts: Mapped[Json]
    at: Mapped[datetime]


class DeliveryTracking(Base):
    """When an order's first parcel left and its last one arrived."""

    __tablename__ = "order_delivery_tracking"
    __table_args__ = (CheckConstraint("delivered_at >= shipped_at", name="order_of_events"),)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    shipped_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]


IN_VISIBLE_ORDER = "exists (select from orders o where o.id = order_id)"
IN_VISIBLE_GROUP = "exists (select from order_groups g where g.id = group_id)"

append_only("order_timeline_events")
laws(
    "order",
    "create sequence order_number_seq start 100001",
    *visible("order_groups", f"{OWN_CUSTOMER} or {OWN_GUEST}"),
    *visible("orders", f"{OWN_CUSTOMER} or {OWN_GUEST} or {OWN_MERCHANT}"),
    *visible("order_lines", IN_VISIBLE_ORDER, insert="true"),
    *visible("order_addresses", IN_VISIBLE_GROUP, insert="true"),
    *visible("order_cancellations", IN_VISIBLE_ORDER, insert="true"),
    *visible("order_delivery_tracking", IN_VISIBLE_ORDER),
    *visible("order_timeline_events", f"{IN_VISIBLE_GROUP} or {IN_VISIBLE_ORDER}"),
    # An order's sums are the sums of its lines: checked when the transaction commits, whoever wrote them.
    """create function agora_order_adds_up() returns trigger language plpgsql as $$
declare s bigint; d bigint; o orders;
begin
  select * into o from orders where id = new.id;
  if not found then return null; end if;
  select coalesce(sum(subtotal), 0), coalesce(sum(discount), 0) into s, d from order_lines where order_id = new.id;
  if s <> o.subtotal or d <> o.discount then
    raise exception 'order % does not add up: % and %, lines % and %', o.number, o.subtotal, o.discount, s, d
      using errcode = 'check_violation', constraint = 'orders_add_up';
  end if;
  return null;
end $$""",
    """create constraint trigger orders_add_up after insert or update of subtotal, discount on orders
deferrable initially deferred for each row execute function agora_order_adds_up()""",
    # Price, tax and what was bought are a snapshot: only the counts of a line may move.
    """create function agora_line_is_snapshot() returns trigger language plpgsql as $$
begin
  raise exception 'the price, tax and product of an order line are a snapshot'
    using errcode = 'check_violation', constraint = 'order_lines_snapshot';
end $$""",
    """create trigger order_lines_snapshot before update of order_id, variant_id, product_id, sku, name, options, quantity,
unit_minor, subtotal, discount, tax_rate, tax on order_lines for each row execute function agora_line_is_snapshot()""",
)
