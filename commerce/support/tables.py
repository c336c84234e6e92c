"""Questions of customers, guests and merchants, what was said about them, and the clock they run against."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import OWN_CUSTOMER, OWN_GUEST, OWN_MERCHANT, Base, Json, append_only, laws, one_of, visible

TARGET_KINDS = ("first_response_at_risk", "resolution_at_risk", "first_response_breached", "resolution_breached")
"""What happens to a target once at most."""

PRIVATE_KINDS = ("noted", "assigned", "escalated", *TARGET_KINDS)
"""Events of a ticket that its owner never sees."""

KINDS = (
    *("opened", "replied", "status_changed", "reopened", "rated"),
    *("clock_paused", "clock_resumed", "clock_stopped", "clock_restarted"),
    *PRIVATE_KINDS,
)


def listed(*kinds: str) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)


class SlaPolicy(Base):
    """What is promised for a priority. A ticket keeps the instants it was opened with."""

    __tablename__ = "support_sla_policies"
    __table_args__ = (
        one_of("priority", "low", "normal", "high", "urgent"),
        CheckConstraint("first_response_minutes between 1 and resolution_minutes", name="minutes"),
    )
    priority: Mapped[str] = mapped_column(primary_key=True)
    first_response_minutes: Mapped[int]
    resolution_minutes: Mapped[int]
    updated_at: Mapped[datetime]


class Ticket(Base):
    """A question of one customer, guest or merchant; of none of them when the house itself opened it."""

    __tablename__ = "support_tickets"
    __table_args__ = (
        one_of("channel", "chat", "web", "email"),
        one_of("category", "order", "delivery", "payment", "return", "product", "account", "selling", "other"),
        one_of("status", "open", "pending", "solved", "closed"),
        CheckConstraint("num_nonnulls(customer_id, guest_key, merchant_id) <= 1", name="owner"),
        CheckConstraint("guest_key is null or email is not null or channel = 'chat'", name="reachable"),
        CheckConstraint("(summary is null) = (transcript is null)", name="handover"),
        CheckConstraint("(paused_at is not null) = (status = 'pending')", name="paused"),
        CheckConstraint("(solved_at is not null) = (status in ('solved', 'closed'))", name="solved"),
        Index("ix_support_tickets_guest_key", "guest_key", postgresql_where="guest_key is not null"),
        Index("ix_support_tickets_running", "resolution_due_at", postgresql_where="status in ('open', 'pending')"),
        Index("ix_support_tickets_solved", "solved_at", postgresql_where="status = 'solved'"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"), index=True)
    guest_key: Mapped[bytes | None]
    merchant_id: Mapped[UUID | None] = mapped_column(ForeignKey("merchants.id"), index=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    """Who opened it, when they were signed in."""
    email: Mapped[str | None] = mapped_column(info={"personal": True})
    """Where to answer a guest, or somebody the house opened it for; a customer's address is read when it is needed."""
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("orders.id"), index=True)
    channel: Mapped[str]
    category: Mapped[str]
    priority: Mapped[str] = mapped_column(ForeignKey("support_sla_policies.priority"), index=True)
    subject: Mapped[str] = mapped_column(info={"personal": True})
    summary: Mapped[str | None] = mapped_column(info={"personal": True})
    transcript: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB, info={"personal": True})
    status: Mapped[str]
    assigned_to: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    escalation: Mapped[int]
    """Level of the last escalation, 0 without one."""
    first_response_due_at: Mapped[datetime]
    first_responded_at: Mapped[datetime | None]
    resolution_due_at: Mapped[datetime]
    paused_at: Mapped[datetime | None]
    solved_at: Mapped[datetime | None]
    events: Mapped[int]
    """How many lines its history has: the number of the last one."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class TicketMessage(Base):
    __tablename__ = "support_ticket_messages"
    __table_args__ = (
        one_of("side", "owner", "staff"),
        CheckConstraint("side = 'staff' or not internal", name="internal"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("support_tickets.id"), index=True)
    side: Mapped[str]
    author: Mapped[str]
    act: Mapped[str | None]
    internal: Mapped[bool]
    body: Mapped[str] = mapped_column(info={"personal": True})
    created_at: Mapped[datetime]


class TicketEvent(Base):
    """One line of a ticket's history, numbered from 1 without gaps. A target is warned of once, and missed once."""

    __tablename__ = "support_ticket_events"
    __table_args__ = (
        one_of("kind", *KINDS),
        Index(
            "uq_support_ticket_events_target",
            "ticket_id",
            "kind",
            unique=True,
            postgresql_where=f"kind in ({listed(*TARGET_KINDS)})",
        ),
    )
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("support_tickets.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    actor: Mapped[str]
    act: Mapped[str | None]
    facts: Mapped[Json]
    at: Mapped[datetime]


class Escalation(Base):
    __tablename__ = "support_escalations"
    __table_args__ = (
        UniqueConstraint("ticket_id", "level"),
        one_of("reason", "by_hand", "first_response_breached", "resolution_breached"),
        Index("uq_support_escalations_reason", "ticket_id", "reason", unique=True, postgresql_where="reason <> 'by_hand'"),
    )  # fmt: skip
    id: Mapped[UUID] = mapped_column(primary_key=True)
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("support_tickets.id"))
    level: Mapped[int]
    reason: Mapped[str]
    note: Mapped[str] = mapped_column(info={"personal": True})
    actor: Mapped[str]
    created_at: Mapped[datetime]


class Satisfaction(Base):
    """What the owner thinks of the answer, once."""

    __tablename__ = "support_satisfaction"
    __table_args__ = (CheckConstraint("score between 1 and 5", name="score"),)
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("support_tickets.id"), primary_key=True)
    score: Mapped[int]
    comment: Mapped[str] = mapped_column(info={"personal": True})
    created_at: Mapped[datetime]


class Macro(Base):
    __tablename__ = "support_macros"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    body: Mapped[str]
    updated_at: Mapped[datetime]


class Article(Base):
    __tablename__ = "support_articles"
    __table_args__ = (
        one_of("audience", "public", "staff"),
        CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="slug"),
        Index("ix_support_articles_words", "words", postgresql_using="gin"),
        Index(
            "ix_support_articles_title_trgm", "title", postgresql_using="gin", postgresql_ops={"title": "gin_trgm_ops"}
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    body: Mapped[str]
    tags: Mapped[list[str]]
    audience: Mapped[str]
    published: Mapped[bool]
    words: Mapped[str] = mapped_column(
        TSVECTOR,
        Computed(
            "setweight(to_tsvector('english'::regconfig, title), 'A') || "
            "setweight(to_tsvector('english'::regconfig, tags::text), 'B') || "
            "setweight(to_tsvector('english'::regconfig, body), 'C')",
            persisted=True,
        ),
    )
    updated_at: Mapped[datetime]


IN_VISIBLE_TICKET = "exists (select from support_tickets t where t.id = ticket_id)"

append_only("support_ticket_events")
laws(
    "support",
    "create sequence support_ticket_number_seq start 1001",
    *visible("support_tickets", f"{OWN_CUSTOMER} or {OWN_GUEST} or {OWN_MERCHANT}"),
    *visible("support_ticket_messages", f"(not internal and {IN_VISIBLE_TICKET})"),
    *visible("support_ticket_events", f"(kind not in ({listed(*PRIVATE_KINDS)}) and {IN_VISIBLE_TICKET})"),
    *visible("support_satisfaction", IN_VISIBLE_TICKET),
    *visible("support_escalations", "false"),
    *visible("support_macros", "false"),
    *visible("support_articles", "(audience = 'public' and published)"),
    # The clock never moves silently: whoever pauses, resumes, stops or restarts it writes that line of the history in
    # the same transaction. An instant that moves without such a step is refused altogether.
    """create function agora_clock_is_told() returns trigger language plpgsql as $$
declare wanted text[] := array_remove(array[
  case when old.paused_at is null and new.paused_at is not null then 'clock_paused' end,
  case when old.paused_at is not null and new.paused_at is null then 'clock_resumed' end,
  case when old.solved_at is null and new.solved_at is not null then 'clock_stopped' end,
  case when old.solved_at is not null and new.solved_at is null then 'clock_restarted' end], null);
begin
  if cardinality(wanted) = 0 or not wanted <@ array(
    select kind from support_ticket_events where ticket_id = new.id and number > old.events and number <= new.events
  ) then
    raise exception 'the clock of ticket % moved without a word', new.number
      using errcode = 'check_violation', constraint = 'support_tickets_clock_told';
  end if;
  return null;
end $$""",
    """create constraint trigger support_tickets_clock_told after update on support_tickets
deferrable initially deferred for each row when (old.paused_at is distinct from new.paused_at
or old.solved_at is distinct from new.solved_at or old.resolution_due_at <> new.resolution_due_at
or old.first_response_due_at <> new.first_response_due_at) execute function agora_clock_is_told()""",
)
