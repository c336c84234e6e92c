"""Events whose effects can be counted."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from commerce.app import Commerce
from commerce.order.events import OrderPlaced
from kernel.auth import SYSTEM
from kernel.db import Work
from kernel.inbox import Consumer, Delivery


class Recorder:
    """A consumer whose effects are rows; it fails for the keys in `broken`."""

    def __init__(self, name: str) -> None:
        self.broken: set[UUID] = set()
        self.consumer = Consumer(name, (OrderPlaced,), self.handle)

    async def handle(self, work: Work, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            await work.run(
                "insert into gateway_usage values ($1, now(), $2)",
                *(
                    f"{self.consumer.name}:{delivery.message.key}:{delivery.message.sequence}",
                    delivery.message.sequence,
                ),
            )
            if delivery.message.key in self.broken:
                raise RuntimeError("broken on purpose")


async def effects(sql: asyncpg.Connection, name: str, key: UUID) -> list[int]:
    rows = await sql.fetch("select requests from gateway_usage where subject like $1 order by 1", f"{name}:{key}:%")
    return [row["requests"] for row in rows]


async def emit(shop: Commerce, *keys: UUID) -> None:
    async with shop.database.work(SYSTEM) as work:
        work.emit(*[OrderPlaced(group_id=key, order_ids=[], total=1, currency="EUR") for key in keys])


async def counted(sql: asyncpg.Connection, recorder: Recorder, *keys: UUID) -> int:
    """How many effects there are for `keys`."""
    found: int = await sql.fetchval(
        "select count(*) from gateway_usage where subject like $1 and split_part(subject, ':', 2)::uuid = any($2)",
        *(f"{recorder.consumer.name}:%", list(keys)),
    )
    return found
