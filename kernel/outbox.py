"""The outbox: events of a transaction, written in it; the relay gives them their order and hands them on.

The outbox is also the log of the `postgres` transport (ADR 0005): a relay assigns `position` while it holds an
advisory lock, so positions become visible in their own order and a reader never misses one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from kernel import telemetry
from kernel.db import Record, Work
from kernel.events import Event, Message
from kernel.ids import new_id
from kernel.tables import laws

RELAY_LOCK = 7_206_001
"""Advisory lock key of the one relay of this database."""

laws(
    "kernel",
    "create sequence outbox_position_seq",
)

_WRITE = """
with given as (
  select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::int[], $6::jsonb[]) with ordinality
    as g(id, topic, key, type, version, payload, n)
), counted as (
  insert into outbox_sequences as s (key, last)
  select key, count(*) from given group by key order by key
  on conflict (key) do update set last = s.last + excluded.last
  returning key, last
)
insert into outbox_events (id, topic, key, sequence, type, version, payload, headers, occurred_at)
select g.id, g.topic, g.key,
       c.last - count(*) over (partition by g.key) + row_number() over (partition by g.key order by g.n),
       g.type, g.version, g.payload, $7, $8
from given g join counted c using (key)
"""

_ASSIGN = """
with batch as (
  select id from outbox_events where position is null order by id limit $1
), ordered as (
  select id, nextval('outbox_position_seq') as position from batch order by id
)
update outbox_events o set position = ordered.position from ordered where o.id = ordered.id
returning o.*
"""

_READ = "select * from outbox_events where position > $1 and topic = any($2) order by position limit $3"


async def write(work: Work, events: Sequence[Event], headers: dict[str, str] | None = None) -> None:
    """Adds `events` to this transaction's outbox in order; one statement for all."""
    await work.run(
        _WRITE,
        [new_id() for _ in events],
        [event.destination for event in events],
        [event.key for event in events],
        [type(event).__name__ for event in events],
        [event.version for event in events],
        [event.model_dump(mode="json") for event in events],
        {"traceparent": telemetry.traceparent(), **(headers or {})},
        work.now,
    )


def message(row: Record | dict[str, Any]) -> Message:
    names = ("id", "topic", "key", "sequence", "type", "version", "payload", "headers", "occurred_at")
    return Message.model_construct(**{name: row[name] for name in names})


async def assign(work: Work, limit: int = 500) -> list[Message]:
    """Gives the next unsent events their positions and returns them in order; empty when another relay is at it."""
    if not await work.value("select pg_try_advisory_xact_lock($1)", RELAY_LOCK):
        return []
    rows = await work.rows(_ASSIGN, limit)
    return [message(row) for row in sorted(rows, key=lambda row: row["position"])]


async def read(work: Work, after: int, topics: Sequence[str], limit: int) -> list[tuple[int, Message]]:
    rows = await work.rows(_READ, after, list(topics), limit)
    return [(row["position"], message(row)) for row in rows]


async def resend(work: Work, topic: str, after: UUID | None, since: datetime) -> int:
    """Takes the mark "handed over" from the events of `topic` that followed `after` (all, when it is None or too old to be
    here), not older than `since`; returns how many the relay will hand over again."""
    return await work.run(
        "update outbox_events set position = null where topic = $1 and occurred_at >= $3 "
        "and position > coalesce((select position from outbox_events where id = $2), 0)",
        *(topic, after, since),
    )


async def find(work: Work, event_id: UUID) -> Message | None:
    row = await work.row("select * from outbox_events where id = $1", event_id)
    return message(row) if row else None
