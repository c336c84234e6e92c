"""The transport port: how messages get from the outbox to those who react. `postgres` is the embedded one."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from kernel import outbox
from kernel.auth import SYSTEM
from kernel.db import Database
from kernel.events import Message

IDLE_SECONDS = 0.02
"""How long a reader of the `postgres` transport sleeps when there is nothing to read."""


class Subscription(Protocol):
    """One reader of a consumer group. Messages of one key arrive in their order; delivery is at least once."""

    async def fetch(self, limit: int, wait: float) -> list[Message]:
        """Up to `limit` messages after the last fetched; waits at most `wait` seconds for the first."""
        ...

    async def commit(self) -> None:
        """Everything fetched so far is done: a reader that starts now will not see it again."""
        ...

    async def close(self) -> None: ...


class Transport(Protocol):
    async def publish(self, messages: Sequence[Message]) -> None:
        """Hands messages over durably, in order per key; raises when that is not certain."""
        ...

    async def subscribe(self, consumer: str, topics: Sequence[str]) -> Subscription: ...

    async def close(self) -> None: ...


class PostgresTransport:
    """The outbox read in place: publishing is what the relay's assignment of positions already did."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def publish(self, messages: Sequence[Message]) -> None:
        """Nothing left to do: a position is visible as soon as the relay's transaction commits."""

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

    async def close(self) -> None:
        """Nothing is held between fetches."""
