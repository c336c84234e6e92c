"""A process that reads and is killed before it commits."""

import asyncio
from dataclasses import dataclass
from multiprocessing.connection import Connection
from uuid import UUID

from tests.conftest import opened
from tests.factories.carriers import Carrier


@dataclass(frozen=True)
class Errand:
    """Read `count` messages of `key` in `group`, say so, and wait for the end."""

    url: str
    carrier: Carrier
    group: str
    topics: list[str]
    key: UUID
    count: int


def main(errand: Errand, told: Connection) -> None:
    asyncio.run(_run(errand, told))


async def _run(errand: Errand, told: Connection) -> None:
    async with opened(errand.url) as shop:
        subscription = await errand.carrier.transport(shop.database).subscribe(errand.group, errand.topics)
        seen: list[int] = []
        while len(seen) < errand.count:
            seen += [m.sequence for m in await subscription.fetch(100, 0.2) if m.key == errand.key]
        told.send(seen)
        while True:
            await subscription.fetch(100, 0.2)
