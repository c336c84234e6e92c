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
    """A line as it was bought: name, options, price and tax are copies. `refunded` is what of it was given back."""

    __tablename__ = "order_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("subtotal = quantity * unit_minor", name="subtotal"),
        CheckConstraint("discount between 0 and subtotal", name="discount"),
        CheckConstraint(
            "shipped >= 0 and cancelled >= 0 and returned between 0 and shipped and shipped + cancelled <= quantity",
            name="quantities",
        ),
        CheckConstraint("refunded between 0 and subtotal - discount + tax", name="refunded"),
        Index("ix_order_lines_modification_id", "modification_id", postgresql_where="modification_id is not null"),
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
    refunded: Mapped[int] = mapped_column(server_default="0")
    modification_id: Mapped[UUID | None] = mapped_column(ForeignKey("order_modifications.id"))
    """The change that made it what it is; null as long as it is what was bought."""


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


class Modification(Base):
    """A change of an order after it was placed. While the money of one is on its way no other begins in the purchase.

    `difference` is what the customer pays for it, minor units; below zero they get it back. `method_id` pays or takes it.
    """

    __tablename__ = "order_modifications"
    __table_args__ = (
        one_of("kind", "items", "payment", "address", "cancel_lines"),
        one_of("status", "requested", "applied", "failed"),
        CheckConstraint("(status = 'failed') = (failure is not null)", name="failure"),
        Index("ix_order_modifications_open", "group_id", unique=True, postgresql_where="status = 'requested'"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    group_id: Mapped[UUID] = mapped_column(ForeignKey("order_groups.id"), index=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    kind: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str | None]
    method_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment_methods.id"), index=True)
    difference: Mapped[int]
    currency: Mapped[str]
    actor: Mapped[str]
    failure: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ModificationLine(Base):
    """Units of a line that a modification takes: what they were, and what they became (nothing when cancelled).

    `amount` is what the entry adds to the order's total, minor units."""

    __tablename__ = "order_modification_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("new_variant_id <> variant_id", name="differs"),
        CheckConstraint("(new_variant_id is null) = (new_unit_minor is null)", name="replacement"),
    )
    modification_id: Mapped[UUID] = mapped_column(ForeignKey("order_modifications.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("order_lines.id"), index=True)
    quantity: Mapped[int]
    variant_id: Mapped[UUID] = mapped_column(ForeignKey("product_variants.id"), index=True)
    sku: Mapped[str]
    options: Mapped[Json]
    unit_minor: Mapped[int]
    new_variant_id: Mapped[UUID | None] = mapped_column(ForeignKey("product_variants.id"), index=True)
    new_sku: Mapped[str | None]
    new_options: Mapped[Json | None]
    new_unit_minor: Mapped[int | None]
    amount: Mapped[int]


class Hold(Base):
    """Why an order waits: while it is held nothing is picked or shipped. One at a time per order."""

    __tablename__ = "order_holds"
    __table_args__ = (
        Index("ix_order_holds_open", "order_id", unique=True, postgresql_where="released_at is null"),
        CheckConstraint("(released_at is null) = (released_by is null)", name="released"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    reason: Mapped[str]
    actor: Mapped[str]
    placed_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None]


class Note(Base):
    """What somebody wrote about an order; only a note `for_customer` is shown to its customer."""

    __tablename__ = "order_notes"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    text: Mapped[str] = mapped_column(info={"personal": True})
    for_customer: Mapped[bool]
    author: Mapped[str]
    at: Mapped[datetime]


class Tag(Base):
    """A word by which staff and merchant find an order again."""

    __tablename__ = "order_tags"
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True)
    actor: Mapped[str]
    at: Mapped[datetime]


class FulfillmentPlan(Base):
    """Units of a line that one location sends. Made from where the stock of the order is promised."""

    __tablename__ = "order_fulfillment_plans"
    __table_args__ = (CheckConstraint("quantity > 0 and shipped between 0 and quantity", name="quantities"),)
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("order_lines.id"), primary_key=True)
    location_id: Mapped[UUID] = mapped_column(ForeignKey("inventory_locations.id"), primary_key=True, index=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    quantity: Mapped[int]
    shipped: Mapped[int]
    planned_at: Mapped[datetime]


class Split(Base):
    """A part of an order that goes its own way: one per location that sends some of it, once there are two."""

    __tablename__ = "order_splits"
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    location_id: Mapped[UUID] = mapped_column(ForeignKey("inventory_locations.id"), primary_key=True, index=True)
    units: Mapped[int]
    split_at: Mapped[datetime]


class PartialShipment(Base):
    """Units of a line that left in one parcel from one location; append-only."""

    __tablename__ = "order_partial_shipments"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)
    parcel_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("order_lines.id"), primary_key=True, index=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    location_id: Mapped[UUID] = mapped_column(ForeignKey("inventory_locations.id"), index=True)
    quantity: Mapped[int]
    carrier: Mapped[str | None]
    tracking_number: Mapped[str | None]
    actor: Mapped[str]
    at: Mapped[datetime]


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

OF_OWN_MERCHANT = f"exists (select from orders o where o.id = order_id and o.{OWN_MERCHANT})"

append_only("order_timeline_events")
append_only("order_modification_lines")
append_only("order_notes")
append_only("order_partial_shipments")
BY_ORDER = ("order_holds", "order_fulfillment_plans", "order_splits", "order_partial_shipments")
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
    *visible("order_modifications", IN_VISIBLE_ORDER),
    *visible("order_modification_lines", "exists (select from order_modifications m where m.id = modification_id)"),
    *visible("order_notes", f"(for_customer and {IN_VISIBLE_ORDER}) or {OF_OWN_MERCHANT}"),
    *visible("order_tags", OF_OWN_MERCHANT),
    *(law for table in BY_ORDER for law in visible(table, IN_VISIBLE_ORDER)),
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
    # A line that a modification changes must leave an order that adds up, too.
    """create function agora_lines_add_up() returns trigger language plpgsql as $$
declare s bigint; d bigint; o orders;
begin
  select * into o from orders where id = new.order_id;
  select coalesce(sum(subtotal), 0), coalesce(sum(discount), 0) into s, d from order_lines where order_id = o.id;
  if s <> o.subtotal or d <> o.discount then
    raise exception 'order % does not add up: % and %, lines % and %', o.number, o.subtotal, o.discount, s, d
      using errcode = 'check_violation', constraint = 'orders_add_up';
  end if;
  return null;
end $$""",
    """create constraint trigger order_lines_add_up after update of subtotal, discount on order_lines
deferrable initially deferred for each row execute function agora_lines_add_up()""",
    # Price, tax and what was bought are a snapshot: only the counts of a line may move. A recorded modification of this
    # order, not yet applied, may put something else in its place, and signs the line.
    """create function agora_line_is_snapshot() returns trigger language plpgsql as $$
begin
  if new.order_id = old.order_id and new.modification_id is distinct from old.modification_id and exists (
    select from order_modifications m
    where m.id = new.modification_id and m.order_id = new.order_id and m.kind = 'items' and m.status = 'requested') then
    return new;
  end if;
  raise exception 'the price, tax and product of an order line are a snapshot'
    using errcode = 'check_violation', constraint = 'order_lines_snapshot';
end $$""",
    """create trigger order_lines_snapshot before update of order_id, variant_id, product_id, sku, name, options, quantity,
unit_minor, subtotal, discount, tax_rate, tax on order_lines for each row execute function agora_line_is_snapshot()""",
)
