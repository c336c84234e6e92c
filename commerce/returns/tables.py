"""Returns as rows: what is to come back and why, what arrived, how it was, and what became of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import OWN_CUSTOMER, OWN_GUEST, OWN_MERCHANT, Base, append_only, laws, one_of, visible

RETURN_STATES = (
    *("requested", "authorised", "rejected", "in_transit", "partly_received", "received", "inspected", "completed"),
    "cancelled",
)


class ReturnReason(Base):
    """Why things come back; `fault` is the shop's."""

    __tablename__ = "return_reasons"
    code: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
    fault: Mapped[bool]
    active: Mapped[bool]


class ReturnPolicy(Base):
    """A store's rules, for a channel or all, for a category or all; the most particular one counts. See `rules.Policy`."""

    __tablename__ = "return_policies"
    __table_args__ = (
        UniqueConstraint("channel_id", "category_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("window_days >= 0 and grey_days >= 0 and fault_days >= window_days", name="days"),
        CheckConstraint("send_days > 0 and grey_hours > 0 and review_minor >= 0 and abuse_from >= 0", name="limits"),
        one_of("grey_default", "accept", "reject"),
        Index("ix_return_policies_category_id", "category_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[UUID | None] = mapped_column(ForeignKey("channels.id"))
    category_id: Mapped[UUID | None] = mapped_column(ForeignKey("product_categories.id"))
    window_days: Mapped[int]
    grey_days: Mapped[int]
    fault_days: Mapped[int]
    final_sale: Mapped[bool]
    conditions: Mapped[list[str]]
    review_minor: Mapped[int]
    abuse_from: Mapped[int]
    one_per_order: Mapped[bool]
    destinations: Mapped[list[str]]
    refund_shipping: Mapped[bool]
    free_label: Mapped[bool]
    send_days: Mapped[int]
    grey_hours: Mapped[int]
    grey_default: Mapped[str]
    updated_at: Mapped[datetime]


class ReturnRequest(Base):
    """One wish to send things of an order back, for money or for other variants.

    `exclusive`: the store allows one per order. `difference` is what an exchange costs more (less, when negative);
    `method_id` pays it or gets it, `replacement_id` is the purchase that the replacements become."""

    __tablename__ = "return_requests"
    __table_args__ = (
        one_of("status", *RETURN_STATES),
        one_of("resolution", "refund", "exchange"),
        one_of("verdict", "authorised", "grey"),
        one_of("destination", "original", "gift_card", "store_credit"),
        CheckConstraint("score between 0 and 100", name="score"),
        CheckConstraint("(resolution = 'exchange') = (replacement_id is not null)", name="exchange"),
        Index(
            "uq_return_requests_one_per_order",
            "order_id",
            unique=True,
            postgresql_where="exclusive and status not in ('rejected', 'cancelled')",
        ),
        Index("ix_return_requests_order_id", "order_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
    group_id: Mapped[UUID] = mapped_column(ForeignKey("order_groups.id"), index=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"), index=True)
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"), index=True)
    guest_key: Mapped[bytes | None]
    resolution: Mapped[str]
    status: Mapped[str]
    destination: Mapped[str]
    gift_card_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment_gift_cards.id"), index=True)
    method_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment_methods.id"), index=True)
    replacement_id: Mapped[UUID | None] = mapped_column(unique=True)
    refund_id: Mapped[UUID | None] = mapped_column(ForeignKey("refunds.id"), index=True)
    currency: Mapped[str]
    difference: Mapped[int]
    verdict: Mapped[str]
    explanation: Mapped[str]
    score: Mapped[int]
    exclusive: Mapped[bool]
    requested_by: Mapped[str]
    note: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ReturnLine(Base):
    """Units of an order line on their way back. Their counts only grow, and each is bounded by the one before; a unit is
    refunded or exchanged, never both."""

    __tablename__ = "return_lines"
    __table_args__ = (
        UniqueConstraint("return_id", "order_line_id"),
        one_of("condition", "unopened", "opened", "used", "damaged"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("received between 0 and quantity and inspected between 0 and received", name="received"),
        CheckConstraint(
            "passed between 0 and inspected and refunded >= 0 and exchanged >= 0 and refunded + exchanged <= passed",
            name="once",
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    return_id: Mapped[UUID] = mapped_column(ForeignKey("return_requests.id"))
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("order_lines.id"), index=True)
    variant_id: Mapped[UUID] = mapped_column(ForeignKey("product_variants.id"), index=True)
    reason: Mapped[str] = mapped_column(ForeignKey("return_reasons.code"), index=True)
    condition: Mapped[str]
    quantity: Mapped[int]
    received: Mapped[int] = mapped_column(server_default="0")
    inspected: Mapped[int] = mapped_column(server_default="0")
    passed: Mapped[int] = mapped_column(server_default="0")
    refunded: Mapped[int] = mapped_column(server_default="0")
    exchanged: Mapped[int] = mapped_column(server_default="0")


class ReturnLabel(Base):
    """The label of the parcel, once per return; `free` when the shop pays for it."""

    __tablename__ = "return_labels"
    return_id: Mapped[UUID] = mapped_column(ForeignKey("return_requests.id"), primary_key=True)
    carrier: Mapped[str]
    tracking: Mapped[str] = mapped_column(unique=True)
    free: Mapped[bool]
    send_until: Mapped[datetime]
    created_at: Mapped[datetime]


class ReturnInspection(Base):
    """How some units of a line were found, and what is to become of them; `other_item` when they are not what was sold."""

    __tablename__ = "return_inspections"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        one_of("condition", "unopened", "opened", "used", "damaged"),
        one_of("disposition", "restock", "refurbish", "write_off", "send_back"),
        CheckConstraint("disposition <> 'send_back' or not passed", name="send_back"),
        CheckConstraint("not (other_item and passed)", name="other_item"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    return_line_id: Mapped[UUID] = mapped_column(ForeignKey("return_lines.id"), index=True)
    quantity: Mapped[int]
    condition: Mapped[str]
    passed: Mapped[bool]
    other_item: Mapped[bool] = mapped_column(server_default="false")
    disposition: Mapped[str]
    note: Mapped[str | None]
    inspector: Mapped[str]
    at: Mapped[datetime]


class ReturnDisposition(Base):
    """What was done with inspected units, once per inspection; only `restock` moves stock."""

    __tablename__ = "return_dispositions"
    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("return_inspections.id"), primary_key=True)
    return_line_id: Mapped[UUID] = mapped_column(ForeignKey("return_lines.id"), index=True)
    kind: Mapped[str]
    quantity: Mapped[int]
    at: Mapped[datetime]


class ReturnExchange(Base):
    """What a line is exchanged for, and at which price of a unit it was offered."""

    __tablename__ = "return_exchanges"
    __table_args__ = (CheckConstraint("unit_minor >= 0", name="unit_minor"),)
    return_line_id: Mapped[UUID] = mapped_column(ForeignKey("return_lines.id"), primary_key=True)
    variant_id: Mapped[UUID] = mapped_column(ForeignKey("product_variants.id"), index=True)
    unit_minor: Mapped[int]
    difference: Mapped[int]


class ReturnClaim(Base):
    """Units that never came, are wrong or broken: money back without sending anything, when a person agrees."""

    __tablename__ = "return_claims"
    __table_args__ = (
        one_of("kind", "missing", "wrong", "broken"),
        one_of("status", "open", "accepted", "rejected"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("(status = 'accepted') = (refund_id is not null)", name="refund"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("order_lines.id"), index=True)
    group_id: Mapped[UUID] = mapped_column(ForeignKey("order_groups.id"), index=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"), index=True)
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"), index=True)
    guest_key: Mapped[bytes | None]
    kind: Mapped[str]
    quantity: Mapped[int]
    text: Mapped[str]
    status: Mapped[str]
    refund_id: Mapped[UUID | None] = mapped_column(ForeignKey("refunds.id"), index=True)
    note: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


OWN = f"{OWN_CUSTOMER} or {OWN_GUEST} or {OWN_MERCHANT}"
IN_VISIBLE_RETURN = "exists (select from return_requests r where r.id = return_id)"
IN_VISIBLE_LINE = "exists (select from return_lines l where l.id = return_line_id)"

append_only("return_inspections")
append_only("return_dispositions")
laws(
    "returns",
    """insert into return_reasons (code, text, fault, active) values
  ('not_wanted', 'I do not want it any more', false, true),
  ('wrong_size', 'It does not fit', false, true),
  ('not_as_described', 'It is not as described', true, true),
  ('defective', 'It is defective', true, true),
  ('damaged', 'It arrived damaged', true, true),
  ('wrong_item', 'It is not what I ordered', true, true),
  ('late', 'It came too late', true, true)""",
    *visible("return_requests", OWN),
    *visible("return_claims", OWN),
    *visible("return_lines", IN_VISIBLE_RETURN, insert="true"),
    *visible("return_labels", IN_VISIBLE_RETURN, insert="true"),
    *visible("return_exchanges", IN_VISIBLE_LINE, insert="true"),
    *visible("return_inspections", IN_VISIBLE_LINE, insert="true"),
    *visible("return_dispositions", IN_VISIBLE_LINE, insert="true"),
    # Never more comes back (or is claimed) than arrived. The order's line is locked, so that two wishes see each other.
    """create function agora_return_within_delivered() returns trigger language plpgsql as $$
declare b order_lines; delivered boolean; units bigint; claimed bigint;
begin
  select * into b from order_lines where id = new.order_line_id for update;
  select status in ('delivered', 'completed') into delivered from orders where id = b.order_id;
  select coalesce(sum(case when r.status = 'completed' then l.received else l.quantity end), 0) into units
    from return_lines l join return_requests r on r.id = l.return_id
    where l.order_line_id = b.id and r.status not in ('rejected', 'cancelled');
  select coalesce(sum(quantity), 0) into claimed from return_claims
    where order_line_id = b.id and status <> 'rejected';
  if not coalesce(delivered, false) or units + claimed > b.shipped then
    raise exception 'more units of order line % come back than were delivered', b.id
      using errcode = 'check_violation', constraint = 'returns_within_delivered';
  end if;
  return null;
end $$""",
    """create constraint trigger returns_within_delivered after insert or update of quantity on return_lines
for each row execute function agora_return_within_delivered()""",
    """create constraint trigger claims_within_delivered after insert or update of quantity on return_claims
for each row execute function agora_return_within_delivered()""",
    # A unit is refunded or exchanged, whoever refunds it.
    """create function agora_refunded_or_exchanged() returns trigger language plpgsql as $$
declare bought bigint; refunded bigint; swapped bigint;
begin
  select quantity into bought from order_lines where id = new.order_line_id for update;
  select coalesce(sum(l.quantity), 0) into refunded from refund_lines l join refunds r on r.id = l.refund_id
    where l.order_line_id = new.order_line_id and r.status not in ('failed', 'rejected');
  select coalesce(sum(exchanged), 0) into swapped from return_lines where order_line_id = new.order_line_id;
  if refunded + swapped > bought then
    raise exception 'units of order line % would be both exchanged and refunded', new.order_line_id
      using errcode = 'check_violation', constraint = 'refunded_or_exchanged';
  end if;
  return null;
end $$""",
    """create constraint trigger refunded_or_exchanged after insert on refund_lines
for each row when (new.order_line_id is not null) execute function agora_refunded_or_exchanged()""",
    """create function agora_revived_or_exchanged() returns trigger language plpgsql as $$
begin
  if exists (select from refund_lines f join order_lines b on b.id = f.order_line_id
    where f.refund_id = new.id and b.quantity <
      (select coalesce(sum(l.quantity), 0) from refund_lines l join refunds r on r.id = l.refund_id
       where l.order_line_id = b.id and r.status not in ('failed', 'rejected'))
      + (select coalesce(sum(exchanged), 0) from return_lines where order_line_id = b.id)) then
    raise exception 'units of refund % were exchanged', new.id
      using errcode = 'check_violation', constraint = 'refunded_or_exchanged';
  end if;
  return null;
end $$""",
    """create constraint trigger revived_or_exchanged after update of status on refunds
for each row when (old.status = 'failed' and new.status <> 'failed') execute function agora_revived_or_exchanged()""",
    """create constraint trigger exchanged_or_refunded after update of exchanged on return_lines
for each row when (new.exchanged > 0) execute function agora_refunded_or_exchanged()""",
)
