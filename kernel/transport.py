"""The transport port: how messages get from the outbox to those who react. `postgres` is the embedded one; the other
one is in kernel/kafka_transport.py."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from kernel import outbox
from kernel.auth import SYSTEM
from kernel.db import Database
from kernel.events import Message
from kernel.settings import Settings

IDLE_SECONDS = 0.02
"""How long a reader of the `postgres` transport sleeps when there is nothing to read."""


class RecordsLost(Exception):
    """The transport no longer has what it was given: ask `lost`, and hand it over again before anything new."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Records of one partition that are gone: all that followed the event `after` (None: all there were)."""

    topic: str
    partition: int
    next_offset: int
    after: UUID | None


class Subscription(Protocol):
    """One reader of a consumer group. Messages of one key arrive in their order; delivery is at least once."""

    async def fetch(self, limit: int, wait: float) -> list[Message]:
        """Up to `limit` messages after the last fetched; waits at most `wait` seconds for the first."""
        ...

    async def commit(self) -> None:
        """Everything fetched so far is done: a reader that starts now will not see it again."""
        ...

    async def rewind(self) -> None:
        """What was fetched since the last commit is not done: `fetch` returns it once more."""
        ...

    async def close(self) -> None: ...


class Transport(Protocol):
    async def publish(self, messages: Sequence[Message]) -> None:
        """Hands messages over durably, in order per key; raises when that is not certain (RecordsLost: see `lost`)."""
        ...

    async def lost(self) -> list[Loss]:
        """What was handed over and is there no more."""
        ...

    async def subscribe(self, consumer: str, topics: Sequence[str]) -> Subscription: ...

    async def close(self) -> None: ...


class PostgresTransport:
    """The outbox read in place: publishing is what the relay's assignment of positions already did."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def publish(self, messages: Sequence[Message]) -> None:
        """Nothing left to do: a position is visible as soon as the relay's transaction commits."""

    async def lost(self) -> list[Loss]:
        """Nothing: the outbox is the log."""
        return []

    async def subscribe(self, consumer: str, topics: Sequence[str]) -> "PostgresSubscription":
        async with self.database.work(SYSTEM, durable=False) as work:
            position = await work.value(
                "insert into transport_cursors (consumer, position) values ($1, 0) "
                "on conflict (consumer) do update set consumer = excluded.consumer returning position",
                consumer,
            )
        return PostgresSubscription(self.database, consumer, list(topics), position)

    async def close(self) -> None:
        """The database belongs to the process, not to the transport."""


class PostgresSubscription:
    def __init__(self, database: Database, consumer: str, topics: list[str], position: int) -> None:
        self.database = database
        self.consumer = consumer
        self.topics = topics
        self.position = position
        self.committed = position

    async def fetch(self, limit: int, wait: float) -> list[Message]:
        until = asyncio.get_running_loop().time() + wait
        while True:
            async with self.database.work(SYSTEM, durable=False) as work:
                found = await outbox.read(work, self.position, self.topics, limit)
            if found:
                self.position = found[-1][0]
                return [message for _, message in found]
            if asyncio.get_running_loop().time() >= until:
                return []
            await asyncio.sleep(min(IDLE_SECONDS, wait))

    async def commit(self) -> None:
        async with self.database.work(SYSTEM, durable=False) as work:
            await work.run(
                "update transport_cursors set position = $2 where consumer = $1 and position < $2",
                *(self.consumer, self.position),
            )
        self.committed = self.position

    async def rewind(self) -> None:
        self.position = self.committed

    async def close(self) -> None:
        """Nothing is held between fetches."""


def transport(database: Database, settings: Settings) -> Transport:
    """Kafka where KAFKA_BOOTSTRAP_SERVERS names one, else PostgreSQL. Kafka's client is imported only then."""
    if not settings.kafka_bootstrap_servers:
        return PostgresTransport(database)
    from kernel.kafka_transport import kafka

    return kafka(database, settings)
