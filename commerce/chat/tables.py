"""Conversations: threads, what was said, what was asked and answered, who took over."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import OWN_CUSTOMER, OWN_MERCHANT, OWN_SUBJECT, Base, Json, laws, one_of, visible


class ChatThread(Base):
    """One conversation. It belongs to its `subject` for good; `turn_id` is the message being answered until
    `busy_until`, so that two answers never run at once and a dead one frees the thread."""

    __tablename__ = "chat_threads"
    __table_args__ = (
        one_of("status", "open", "handed_over", "closed"),
        Index("ix_chat_threads_subject", "subject"),
        Index("ix_chat_threads_updated_at", "updated_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[str]
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"), index=True)
    role: Mapped[str]
    status: Mapped[str]
    turn_id: Mapped[UUID | None]
    busy_until: Mapped[datetime | None]
    pruned_at: Mapped[datetime | None]
    """When its memory was last made as small as it can be."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ChatMessage(Base):
    """`answers` is the message of the person that this one answers; `notice` what they should know about the answer."""

    __tablename__ = "chat_messages"
    __table_args__ = (one_of("author", "person", "agent", "staff"), Index("ix_chat_messages_thread_id", "thread_id"))
    id: Mapped[UUID] = mapped_column(primary_key=True)
    thread_id: Mapped[UUID] = mapped_column(ForeignKey("chat_threads.id"))
    answers: Mapped[UUID | None] = mapped_column(index=True)
    author: Mapped[str]
    agent: Mapped[str | None]
    text: Mapped[str] = mapped_column(info={"personal": True})
    notice: Mapped[str | None]
    options: Mapped[list[str]]
    created_at: Mapped[datetime]


class ChatConfirmation(Base):
    """What an agent wants to do and its person has to say yes to: exactly this call, once, in time."""

    __tablename__ = "chat_confirmations"
    __table_args__ = (
        one_of("status", "pending", "accepted", "used", "declined", "replaced"),
        Index("uq_chat_confirmations_pending", "thread_id", unique=True, postgresql_where="status = 'pending'"),
        Index("ix_chat_confirmations_thread_id", "thread_id"),
        CheckConstraint("(status = 'used') = (used_at is not null)", name="used"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    thread_id: Mapped[UUID] = mapped_column(ForeignKey("chat_threads.id"))
    subject: Mapped[str]
    agent: Mapped[str]
    tool: Mapped[str]
    arguments: Mapped[Json] = mapped_column(info={"personal": True})
    action: Mapped[str]
    summary: Mapped[str] = mapped_column(info={"personal": True})
    digest: Mapped[bytes]
    status: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ChatHandoff(Base):
    """A person takes over; one per thread."""

    __tablename__ = "chat_handoffs"
    thread_id: Mapped[UUID] = mapped_column(ForeignKey("chat_threads.id"), primary_key=True)
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("support_tickets.id"), index=True)
    reason: Mapped[str] = mapped_column(info={"personal": True})
    created_at: Mapped[datetime]


class ChatFeedback(Base):
    """Whether an answer helped, as its reader says; the last word counts."""

    __tablename__ = "chat_feedback"
    __table_args__ = (CheckConstraint("score in (-1, 1)", name="score"),)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("chat_messages.id"), primary_key=True)
    score: Mapped[int]
    note: Mapped[str] = mapped_column(info={"personal": True})
    at: Mapped[datetime]


class ChatBlocked(Base):
    """A message that tried to turn an agent against its rules, and why it was declined."""

    __tablename__ = "chat_blocked"
    message_id: Mapped[UUID] = mapped_column(ForeignKey("chat_messages.id"), primary_key=True)
    reason: Mapped[str]
    at: Mapped[datetime]


class ChatFact(Base):
    """What a customer or a shop told us to remember. `thread_id` and `message_id` say where: the run of an agent has that
    message as its cause, and the conversation may be forgotten before the fact. `act` is the agent that noted it."""

    __tablename__ = "chat_facts"
    __table_args__ = (
        CheckConstraint("num_nonnulls(customer_id, merchant_id) = 1", name="owner"),
        CheckConstraint("key ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="key"),
        CheckConstraint("length(text) between 1 and 300", name="text"),
        CheckConstraint("expires_at > created_at", name="lifetime"),
        *(
            Index(f"uq_chat_facts_{owner}_key", owner, "key", unique=True, postgresql_where=f"{owner} is not null")
            for owner in ("customer_id", "merchant_id")
        ),
        Index("ix_chat_facts_expires_at", "expires_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    merchant_id: Mapped[UUID | None] = mapped_column(ForeignKey("merchants.id"))
    key: Mapped[str] = mapped_column(info={"personal": True})
    text: Mapped[str] = mapped_column(info={"personal": True})
    thread_id: Mapped[UUID | None]
    message_id: Mapped[UUID | None]
    act: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


_IN_OWN_THREAD = "exists (select from chat_threads t where t.id = thread_id)"
_OWN_MESSAGE = "exists (select from chat_messages m where m.id = message_id)"

laws(
    "chat",
    *visible("chat_threads", OWN_SUBJECT),
    *visible("chat_messages", _IN_OWN_THREAD),
    *visible("chat_confirmations", OWN_SUBJECT),
    *visible("chat_handoffs", _IN_OWN_THREAD),
    *visible("chat_feedback", _OWN_MESSAGE),
    *visible("chat_blocked", _OWN_MESSAGE),
    *visible("chat_facts", f"{OWN_CUSTOMER} or {OWN_MERCHANT}"),
)
