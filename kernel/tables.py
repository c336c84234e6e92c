"""The metadata all tables share, and the kernel's own: sagas, outbox, inbox, dead letters, idempotency, schedules.

Tables are declared as SQLAlchemy classes; their instances serve as typed rows and never meet an ORM session.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, class_mapper, mapped_column

Json = dict[str, Any]


class Base(DeclarativeBase):
    """Column types follow from the annotations: instants are TIMESTAMPTZ, amounts BIGINT, texts TEXT."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: TIMESTAMP(timezone=True),
        int: BigInteger,
        str: Text,
        Json: JSONB,
        list[str]: JSONB,
    }

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """A row as it was read: without the bookkeeping of changes that the constructor pays for on every column."""
        row = class_mapper(cls).class_manager.new_instance()
        row.__dict__.update(values)
        return row


LAWS: dict[str, list[str]] = {}
"""DDL that tables cannot say (policies, triggers, functions), by context, in the order it must run."""

PARTITIONED: list[str] = []
"""Tables range-partitioned by the month of their UUIDv7 id."""


LAST: list[str] = []
"""DDL that must follow the grants: what the application role may never do (append-only tables)."""


def append_only(table: str) -> None:
    LAST.append(f"revoke update, delete, truncate on {table} from agora_app")


def laws(context: str, *statements: str) -> None:
    LAWS.setdefault(context, []).extend(statements)


def partitioned(table: str) -> dict[str, str]:
    """Table argument of a table that grows; its partitions are made by `agora_make_partitions`."""
    PARTITIONED.append(table)
    return {"postgresql_partition_by": "RANGE (id)"}


def one_of(column: str, *values: str) -> CheckConstraint:
    """The states a column may hold, as a CHECK."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=column)


def visible(table: str, condition: str, *, insert: str | None = None) -> list[str]:
    """Row-level security for `table`: staff and the system see all, others what `condition` says.

    A missing setting is NULL and so yields no row at all. `insert` is the rule for new rows where it must differ: a row
    that is written in one statement with its parent cannot look for that parent.
    """
    rule = f"current_setting('agora.staff', true) = 'on' or {condition}"
    found = [
        f"alter table {table} enable row level security",
        f"alter table {table} force row level security",
        f"create policy {table}_visible on {table} using ({rule})",
    ]
    if insert:
        found.append(f"create policy {table}_insert on {table} for insert with check ({insert})")
    return found


OWN_CUSTOMER = "customer_id = nullif(current_setting('agora.customer', true), '')::uuid"
OWN_MERCHANT = "merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[])"
OWN_SUBJECT = "subject = current_setting('agora.subject', true)"
"""For rows of any caller, signed in or guest: `subject` is `Principal.subject`."""
OWN_GUEST = "guest_key = decode(nullif(current_setting('agora.guest', true), ''), 'hex')"


class SagaInstance(Base):
    __tablename__ = "saga_instances"
    __table_args__ = (
        one_of("status", "running", "waiting", "compensating", "completed", "compensated", "stuck"),
        Index("ix_saga_instances_due", "due_at", postgresql_where="status in ('running', 'waiting', 'compensating')"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    definition: Mapped[int]
    subject_id: Mapped[UUID] = mapped_column(index=True)
    status: Mapped[str]
    step: Mapped[int] = mapped_column(default=0)
    data: Mapped[Json]
    error: Mapped[str | None]
    """Code of the business reason it went back for; null while it goes forward."""
    cause: Mapped[str | None]
    """Why the last attempt failed; null when it did not."""
    attempts: Mapped[int] = mapped_column(server_default="0")
    version: Mapped[int] = mapped_column(server_default="1")
    owner: Mapped[UUID | None]
    due_at: Mapped[datetime]
    deadline_at: Mapped[datetime | None]
    trace: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class SagaStep(Base):
    __tablename__ = "saga_steps"
    __table_args__ = (one_of("phase", "do", "undo"), one_of("status", "intent", "done", "failed", "skipped"))
    saga_id: Mapped[UUID] = mapped_column(ForeignKey("saga_instances.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    phase: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    key: Mapped[str]
    request: Mapped[Json | None]
    result: Mapped[Json | None]
    at: Mapped[datetime]


class OutboxEvent(Base):
    __tablename__ = "outbox_events"
    __table_args__ = (
        Index("ix_outbox_events_unsent", "id", postgresql_where="position is null"),
        Index("ix_outbox_events_position", "position"),
        Index("ix_outbox_events_key", "key"),
        partitioned("outbox_events"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int | None]
    topic: Mapped[str]
    key: Mapped[UUID]
    sequence: Mapped[int]
    type: Mapped[str]
    version: Mapped[int]
    payload: Mapped[Json]
    headers: Mapped[Json]
    occurred_at: Mapped[datetime]


class OutboxSequence(Base):
    __tablename__ = "outbox_sequences"
    key: Mapped[UUID] = mapped_column(primary_key=True)
    last: Mapped[int]


class TransportCursor(Base):
    """How far a consumer group of the `postgres` transport has read."""

    __tablename__ = "transport_cursors"
    consumer: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(server_default="0")


class TransportMark(Base):
    """How far a partition of the `kafka` transport was acknowledged (kernel/marks.py)."""

    __tablename__ = "transport_marks"
    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    next_offset: Mapped[int]
    lost_from: Mapped[int | None]


class EventSchema(Base):
    """Numbers of Avro schemas where no registry server gives them out. They go into four bytes, and never change."""

    __tablename__ = "event_schemas"
    __table_args__ = (UniqueConstraint("subject", "digest"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    subject: Mapped[str]
    schema: Mapped[str]
    digest: Mapped[bytes]
    created_at: Mapped[datetime]


class InboxEvent(Base):
    """One row per effect: written in the effect's own transaction, so a redelivery changes nothing."""

    __tablename__ = "inbox_events"
    consumer: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)


class DeadLetter(Base):
    __tablename__ = "dead_letters"
    __table_args__ = (
        UniqueConstraint("consumer", "event_id"),
        one_of("status", "parked", "dead", "replayed", "dismissed"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    consumer: Mapped[str]
    event_id: Mapped[UUID]
    key: Mapped[UUID] = mapped_column(index=True)
    sequence: Mapped[int]
    type: Mapped[str]
    message: Mapped[Json]
    cause: Mapped[str]
    attempts: Mapped[int]
    status: Mapped[str]
    retry_at: Mapped[datetime | None] = mapped_column(index=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Schedule(Base):
    __tablename__ = "schedules"
    name: Mapped[str] = mapped_column(primary_key=True)
    every_seconds: Mapped[int]
    next_at: Mapped[datetime]
    last_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


class IdempotencyKey(Base):
    """One request of one caller: claimed in the effect's transaction, its answer stored once."""

    __tablename__ = "gateway_idempotency_keys"
    subject: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request_hash: Mapped[bytes]
    resource: Mapped[UUID | None]
    """What the request made, when its answer is rendered after the commit."""
    status: Mapped[int | None]
    body: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
