"""Refunds as rows: what is to go back, for which lines, who agreed, and every time the gateway was asked."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import OWN_CUSTOMER, OWN_GUEST, OWN_MERCHANT, Base, append_only, laws, one_of, visible

REFUND_STATES = ("waiting_approval", "approved", "sending", "pending", "succeeded", "failed", "rejected")
DESTINATIONS = ("original", "gift_card", "store_credit")


class Refund(Base):
    """One intent to give money back, once per order and cause. `needed` is how many people have to agree."""

    __tablename__ = "refunds"
    __table_args__ = (
        one_of("status", *REFUND_STATES),
        one_of("destination", *DESTINATIONS),
        CheckConstraint("amount > 0 and goods >= discount and discount >= 0 and tax >= 0", name="amount"),
        CheckConstraint("needed between 0 and 2", name="needed"),
        CheckConstraint("(destination = 'original') or gift_card_id is not null", name="gift_card"),
        UniqueConstraint("order_id", "cause"),
        Index("ix_refunds_guest_key", "guest_key", postgresql_where="guest_key is not null"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    group_id: Mapped[UUID] = mapped_column(ForeignKey("order_groups.id"), index=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"), index=True)
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"), index=True)
    guest_key: Mapped[bytes | None]
    intent_id: Mapped[UUID] = mapped_column(ForeignKey("payment_intents.id"), index=True)
    cause: Mapped[str]
    reason: Mapped[str]
    status: Mapped[str]
    destination: Mapped[str]
    gift_card_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment_gift_cards.id"), index=True)
    currency: Mapped[str]
    amount: Mapped[int]
    goods: Mapped[int]
    discount: Mapped[int]
    tax: Mapped[int]
    needed: Mapped[int]
    requested_by: Mapped[str]
    failure: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class RefundLine(Base):
    """What of a line goes back, minor units; without an order line it is shipping. `amount` is what the customer gets."""

    __tablename__ = "refund_lines"
    __table_args__ = (
        UniqueConstraint("refund_id", "order_line_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("quantity >= 0 and amount >= 0 and (quantity > 0 or amount > 0)", name="something"),
        CheckConstraint("goods >= discount and discount >= 0 and tax >= 0", name="signs"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    refund_id: Mapped[UUID] = mapped_column(ForeignKey("refunds.id"))
    order_line_id: Mapped[UUID | None] = mapped_column(ForeignKey("order_lines.id"), index=True)
    quantity: Mapped[int]
    goods: Mapped[int]
    discount: Mapped[int]
    tax: Mapped[int]
    amount: Mapped[int]


class RefundPolicy(Base):
    """A store's rules of refunds: see `rules.Policy`. A channel without a row has its defaults."""

    __tablename__ = "refund_policies"
    __table_args__ = (
        CheckConstraint("auto_minor >= 0 and customer_auto_minor >= 0", name="limits"),
        CheckConstraint("second_minor >= greatest(auto_minor, customer_auto_minor)", name="second"),
        CheckConstraint("approval_hours > 0", name="approval_hours"),
    )
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id"), primary_key=True)
    auto_minor: Mapped[int]
    customer_auto_minor: Mapped[int]
    second_minor: Mapped[int]
    approval_hours: Mapped[int]
    destinations: Mapped[list[str]]
    updated_at: Mapped[datetime]


class RefundApproval(Base):
    """One person's word on a refund, once: two approvals are two people."""

    __tablename__ = "refund_approvals"
    refund_id: Mapped[UUID] = mapped_column(ForeignKey("refunds.id"), primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    accept: Mapped[bool]
    note: Mapped[str | None]
    at: Mapped[datetime]


class RefundAttempt(Base):
    """One time the money was sent: the key is written before the gateway hears of it."""

    __tablename__ = "refund_attempts"
    __table_args__ = (one_of("status", "intent", "pending", "succeeded", "declined"), UniqueConstraint("key"))
    id: Mapped[UUID] = mapped_column(primary_key=True)
    refund_id: Mapped[UUID] = mapped_column(ForeignKey("refunds.id"), index=True)
    key: Mapped[str]
    amount: Mapped[int]
    status: Mapped[str]
    failure: Mapped[str | None]
    gateway_reference: Mapped[str | None]
    at: Mapped[datetime]
    updated_at: Mapped[datetime]


IN_VISIBLE_REFUND = "exists (select from refunds r where r.id = refund_id)"

append_only("refund_lines")
append_only("refund_approvals")
laws(
    "refund",
    *visible("refunds", f"{OWN_CUSTOMER} or {OWN_GUEST} or {OWN_MERCHANT}"),
    *visible("refund_lines", IN_VISIBLE_REFUND, insert="true"),
    *visible("refund_approvals", IN_VISIBLE_REFUND, insert="true"),
    *visible("refund_attempts", IN_VISIBLE_REFUND, insert="true"),
    # What is given back never exceeds what was paid: per line, per order, and per purchase, with what went back because
    # units were cancelled. The order's row is locked, so that two refunds of one order see each other; a move between
    # states that count changes no sum. What a change of the order has set aside is not there to be refunded.
    """create function agora_check_refunds(refunded_order uuid, counted uuid) returns void language plpgsql as $$
declare o orders; given bigint; open bigint; left_over bigint; line record;
begin
  select * into o from orders where id = refunded_order for update;
  select coalesce(sum(amount), 0) into given from refunds
    where order_id = o.id and status not in ('failed', 'rejected');
  select coalesce(sum(amount), 0) into open from refunds
    where group_id = o.group_id and status not in ('failed', 'rejected', 'succeeded');
  select coalesce(sum(captured - refunded), 0) into left_over from payment_intents where reference_id = o.group_id;
  select left_over - coalesce(sum(amount), 0) into left_over from payment_refunds
    where reference_id = o.group_id and status = 'promised' and cause not like 'refund:%';
  if counted is not null and (o.status = 'cancelled' or given > o.total or open > left_over) then
    raise exception 'refunds of order % exceed what was captured', o.number
      using errcode = 'check_violation', constraint = 'refunds_within_captured';
  end if;
  for line in
    select coalesce(b.subtotal - b.discount + case when o.tax_included then 0 else b.tax end - b.refunded, o.total - (
             select sum(g.subtotal - g.discount + case when o.tax_included then 0 else g.tax end)
             from order_lines g where g.order_id = o.id)) as paid,
           coalesce(b.quantity - b.cancelled, 1) as units, sum(l.amount) as amount, sum(l.quantity) as quantity
    from refunds r join refund_lines l on l.refund_id = r.id left join order_lines b on b.id = l.order_line_id
    where r.order_id = o.id and r.status not in ('failed', 'rejected')
    group by b.id, b.subtotal, b.discount, b.tax, b.quantity, b.cancelled, b.refunded
  loop
    if line.amount > line.paid or line.quantity > line.units then
      raise exception 'refunds of a line of order % exceed what was paid for it', o.number
        using errcode = 'check_violation', constraint = 'refunds_within_captured';
    end if;
  end loop;
end $$""",
    """create function agora_refund_within_paid() returns trigger language plpgsql as $$
begin
  if new.status in ('failed', 'rejected') then return null; end if;
  if tg_op = 'UPDATE' and old.status not in ('failed', 'rejected') and old.amount = new.amount then return null; end if;
  if not exists (select from payment_intents where id = new.intent_id and reference_id = new.group_id) then
    raise exception 'refund % is not of its purchase', new.id
      using errcode = 'check_violation', constraint = 'refunds_within_captured';
  end if;
  perform agora_check_refunds(new.order_id, new.id);
  return null;
end $$""",
    # Nor are units cancelled, or changed, whose money went back by a refund.
    """create function agora_line_within_paid() returns trigger language plpgsql as $$
begin
  if exists (select from refunds where order_id = new.order_id and status not in ('failed', 'rejected')) then
    perform agora_check_refunds(new.order_id, null);
  end if;
  return null;
end $$""",
    """create constraint trigger lines_within_captured after update of cancelled, refunded, quantity, subtotal, discount, tax
on order_lines for each row execute function agora_line_within_paid()""",
    """create constraint trigger refunds_within_captured after insert or update of status, amount on refunds
for each row execute function agora_refund_within_paid()""",
    # A refund is the sum of its lines, each of them a line of its order.
    """create function agora_refund_adds_up() returns trigger language plpgsql as $$
declare r refunds; t bigint; foreign_lines bigint;
begin
  select * into r from refunds where id = coalesce((to_jsonb(new) ->> 'refund_id')::uuid, new.id);
  select coalesce(sum(l.amount), 0), count(*) filter (where b.order_id <> r.order_id) into t, foreign_lines
    from refund_lines l left join order_lines b on b.id = l.order_line_id where l.refund_id = r.id;
  if t <> r.amount or foreign_lines > 0 then
    raise exception 'refund % does not add up: % and lines %', r.id, r.amount, t
      using errcode = 'check_violation', constraint = 'refunds_add_up';
  end if;
  return null;
end $$""",
    """create constraint trigger refunds_add_up after insert or update of amount on refunds
for each row execute function agora_refund_adds_up()""",
    """create constraint trigger refund_lines_add_up after insert on refund_lines
for each row execute function agora_refund_adds_up()""",
    # Money never moves before approval: as many others as the refund needs have agreed, and nobody refused.
    """create function agora_refund_is_approved() returns trigger language plpgsql as $$
declare agreed bigint; refused bigint;
begin
  if new.status not in ('approved', 'sending', 'pending', 'succeeded') then return null; end if;
  select count(*) filter (where accept and subject <> new.requested_by), count(*) filter (where not accept)
    into agreed, refused from refund_approvals where refund_id = new.id;
  if agreed < new.needed or refused > 0 then
    raise exception 'refund % is not approved', new.id
      using errcode = 'check_violation', constraint = 'refunds_approved';
  end if;
  return null;
end $$""",
    """create constraint trigger refunds_approved after insert or update of status, needed on refunds
for each row execute function agora_refund_is_approved()""",
)
