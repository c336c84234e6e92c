"""The inbox: an effect and the note that it happened are one transaction, so a redelivery changes nothing.

An event whose effect fails is parked, and with it every later event of the same key, so that order holds while other
keys flow. Parked events are retried with back-off, oldest first per key; after ATTEMPTS_MOST they are dead letters,
kept with their cause until a person replays or dismisses them.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import ValidationError

from kernel import telemetry
from kernel.auth import SYSTEM
from kernel.db import Database, Work
from kernel.events import Event, Message
from kernel.ids import new_id
from kernel.orchestration_events import DeadLetterAdded
from kernel.saga import back_off

ATTEMPTS_MOST = 6
log = telemetry.log("inbox")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event as a handler sees it: the fact, and the envelope it came in."""

    message: Message
    event: Event


Handler = Callable[[Work, Sequence[Delivery]], Awaitable[None]]
"""The effect of a batch of events in one transaction; all or none."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """Who reacts: a stable name (the inbox key), the events it wants, and what it does."""

    name: str
    events: tuple[type[Event], ...]
    handle: Handler

    def wants(self, message: Message) -> bool:
        return any(message.type == event.__name__ for event in self.events)


# $1 consumer, $2 events, $3 now, $4 their keys, $5 whether they may pass a parked one
_CLAIM = """
with parked as (
  select distinct key from dead_letters where consumer = $1 and key = any($4) and status = 'parked' and not $5
), claimed as (
  insert into inbox_events (consumer, event_id, at)
  select $1, m.id, $3 from unnest($2::uuid[], $4::uuid[]) m(id, key)
  where not exists (select from parked where parked.key = m.key) on conflict do nothing returning event_id
)
select event_id, null::uuid as key from claimed union all select null, key from parked
"""

_PARK = """
insert into dead_letters (id, consumer, event_id, key, sequence, type, message, cause, attempts, status, retry_at,
                          created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::timestamptz + make_interval(secs => $12), $11, $11)
on conflict (consumer, event_id) do nothing
"""


async def deliver(database: Database, consumer: Consumer, messages: Sequence[Message]) -> None:
    """Applies `messages` (in order): as one batch when all is well, else one by one with the failing keys parked."""
    wanted = _once([message for message in messages if consumer.wants(message)])
    if not wanted:
        return
    try:
        parked = await _apply(database, consumer, wanted)
    except Exception:  # the edge of a batch: find out which event it was
        log.info("batch_failed", consumer=consumer.name, size=len(wanted), exc_info=True)
        parked = await _parked_keys(database, consumer, wanted)
        for message in wanted:
            await _deliver_one(database, consumer, message, parked)
    for message in wanted:
        if message.key in parked and parked[message.key] is not message:
            await _park(database, consumer.name, message, "an earlier event of this key waits", 0)


def _once(messages: Sequence[Message]) -> list[Message]:
    """Each message at its first place: the claim of a batch tells apart what is new, not what stands in it twice."""
    first: dict[UUID, Message] = {}
    for message in messages:
        first.setdefault(message.id, message)
    return list(first.values())


async def bury(database: Database, reader: str, message: Message) -> None:
    """Puts a record that no consumer can read among the dead letters of the group that met it, once."""
    await _bury(database, reader, message, message.payload["cause"], 1)


async def _apply(
    database: Database, consumer: Consumer, messages: Sequence[Message], past: bool = False
) -> dict[UUID, Message | None]:
    """The effect of what is new among `messages`, except behind a parked event of the same key unless it may go `past`
    it; returns the keys of those that may not."""
    deliveries = [Delivery(message, message.event()) for message in messages]
    first, *others = [message.headers.get("traceparent") for message in messages]
    telemetry.adopt(first)
    with telemetry.span(f"consume.{consumer.name}", [o for o in others if o != first], batch=len(messages)):
        async with database.work(SYSTEM, durable=False) as work:
            ids, keys = [m.id for m in messages], [m.key for m in messages]
            rows = await work.rows(_CLAIM, consumer.name, ids, work.now, keys, past)
            fresh = {row["event_id"] for row in rows if row["event_id"]}
            if mine := [d for d in deliveries if d.message.id in fresh]:
                await consumer.handle(work, mine)
    for delivery in mine:
        telemetry.EVENTS.labels(consumer.name, delivery.message.type).inc()
    return {row["key"]: None for row in rows if row["key"]}


async def _deliver_one(
    database: Database, consumer: Consumer, message: Message, parked: dict[UUID, Message | None]
) -> None:
    if message.key in parked:
        return
    try:
        await _apply(database, consumer, [message])
    except (KeyError, ValidationError) as error:  # nobody can read it: no retry will help
        await _bury(database, consumer.name, message, type(error).__name__, 1)
    except Exception as error:  # the edge of one event
        log.warning("event_parked", consumer=consumer.name, event_id=str(message.id), exc_info=True)
        parked[message.key] = message
        await _park(database, consumer.name, message, type(error).__name__, 1)


async def _parked_keys(
    database: Database, consumer: Consumer, messages: Sequence[Message]
) -> dict[UUID, Message | None]:
    async with database.work(SYSTEM, durable=False) as work:
        rows = await work.rows(
            "select distinct key from dead_letters where consumer = $1 and key = any($2) and status = 'parked'",
            *(consumer.name, [message.key for message in messages]),
        )
    return {row["key"]: None for row in rows}


async def _park(database: Database, consumer: str, message: Message, cause: str, attempts: int) -> None:
    await _put_aside(database, consumer, message, cause, attempts, "parked")


async def _bury(database: Database, consumer: str, message: Message, cause: str, attempts: int) -> None:
    await _put_aside(database, consumer, message, cause, attempts, "dead")


async def _put_aside(
    database: Database, consumer: str, message: Message, cause: str, attempts: int, status: str
) -> None:
    letter = new_id()
    async with database.work(SYSTEM, durable=False) as work:
        written = await work.run(
            _PARK,
            *(letter, consumer, message.id, message.key, message.sequence, message.type),
            *(message.model_dump(mode="json"), cause, attempts, status, work.now, back_off(attempts)),
        )
        if status == "dead" and written:
            _mourn(work, letter, consumer, message)


def _mourn(work: Work, letter: UUID, consumer: str, message: Message) -> None:
    telemetry.DEAD_LETTERS.labels(consumer).inc()
    work.emit(DeadLetterAdded(message_key=message.key, dead_letter_id=letter, consumer=consumer, type=message.type))


async def retry_parked(database: Database, consumers: dict[str, Consumer], limit: int = 50) -> int:
    """Tries parked events that are due, the oldest of each key only; returns how many were tried."""
    async with database.work(SYSTEM, durable=False) as work:
        rows = await work.rows(
            "select distinct on (consumer, key) * from dead_letters where status = 'parked' "
            "order by consumer, key, sequence limit $1",
            limit,
        )
    due = [row for row in rows if row["retry_at"] <= database.clock() and row["consumer"] in consumers]
    for row in due:
        await _retry(database, consumers[row["consumer"]], row["id"], Message.model_validate(row["message"]))
    return len(due)


async def _retry(database: Database, consumer: Consumer, letter: UUID, message: Message) -> None:
    cause = None
    try:
        await _apply(database, consumer, [message], past=True)
    except Exception as error:  # the edge of one event: counted below
        cause = type(error).__name__
        log.warning("event_retry_failed", consumer=consumer.name, event_id=str(message.id), exc_info=True)
    async with database.work(SYSTEM, durable=False) as work:
        if cause is None:
            await _set(work, letter, "replayed")
            return
        attempts = await work.value(
            "update dead_letters set attempts = attempts + 1, cause = $2, updated_at = $3 where id = $1 returning attempts",
            *(letter, cause, work.now),
        )
        await work.run(
            "update dead_letters set retry_at = $2::timestamptz + make_interval(secs => $3) where id = $1",
            *(letter, work.now, back_off(attempts)),
        )
        if attempts >= ATTEMPTS_MOST:
            await _set(work, letter, "dead")
            _mourn(work, letter, consumer.name, message)


async def _set(work: Work, letter: UUID, status: str) -> None:
    await work.run("update dead_letters set status = $2, updated_at = $3 where id = $1", letter, status, work.now)


async def replay(database: Database, consumer: Consumer, letter: UUID) -> bool:
    """Runs a dead letter once more through the inbox; True when its effect is now there."""
    async with database.work(SYSTEM) as work:
        row = await work.row("select * from dead_letters where id = $1 and status in ('dead', 'parked')", letter)
    if row is None:
        return False
    await _apply(database, consumer, [Message.model_validate(row["message"])], past=True)
    async with database.work(SYSTEM) as work:
        await _set(work, letter, "replayed")
    return True
