"""`python -m bench.transport`: events per second through each transport, from the outbox to the committed effect.

One process relays and reads. PostgreSQL is the embedded server; Kafka is what KAFKA_BOOTSTRAP_SERVERS names, and is
left out without it. Rounds take turns; the effect is one inbox row and one counter per batch.
"""

import argparse
import asyncio
import os
import secrets
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from commerce.order.events import OrderPlaced
from kernel.auth import SYSTEM
from kernel.db import Database, Work, connect
from kernel.embedded_postgres import EmbeddedPostgres
from kernel.ids import new_id
from kernel.inbox import Consumer, Delivery
from kernel.kafka_cluster import Options
from kernel.kafka_transport import KafkaTransport
from kernel.registry import TableRegistry
from kernel.transport import PostgresTransport, Transport
from kernel.wire import Wire
from migrations import upgrade as migrations
from workers.consumer import Reader
from workers.relay import relay

KEYS = 500
SECONDS_MOST = 120


class Count:
    """The effect: how many events there were."""

    def __init__(self, name: str) -> None:
        self.events = 0
        self.consumer = Consumer(name, (OrderPlaced,), self.handle)

    async def handle(self, _: Work, deliveries: Sequence[Delivery]) -> None:
        self.events += len(deliveries)


async def one_round(database: Database, transport: Transport, name: str, events: int) -> tuple[float, float]:
    """Events per second of the relay alone, and from the first relayed to the last effect."""
    keys = [new_id() for _ in range(KEYS)]
    for first in range(0, events, KEYS):
        async with database.work(SYSTEM) as work:
            work.emit(
                *(OrderPlaced(group_id=k, order_ids=[k], total=1, currency="EUR") for k in keys[: events - first])
            )
    began = time.perf_counter()
    while await relay(database, transport):
        pass
    relayed = time.perf_counter() - began
    count = Count(f"{name}-{secrets.token_hex(4)}")
    reader = await Reader.open(database, transport, name, [count.consumer])
    began = time.perf_counter()
    async with asyncio.timeout(SECONDS_MOST):
        while count.events < events:
            if not await reader.step():
                await asyncio.sleep(0.002)
    read = time.perf_counter() - began
    await reader.close()
    return events / relayed, events / read


async def compare(database: Database, servers: str | None, rounds: int, events: int) -> None:
    transports: dict[str, Transport] = {"postgres": PostgresTransport(database)}
    if servers:
        options = Options(servers, f"bench{secrets.token_hex(4)}.")
        transports["kafka"] = KafkaTransport(database, Wire(TableRegistry(database)), options)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in transports}
    for _ in range(rounds):
        for name, transport in transports.items():
            found[name].append(await one_round(database, transport, name, events))
    for name, transport in transports.items():
        out, back = (median(pair[side] for pair in found[name]) for side in (0, 1))
        print(f"  {name:<9} relay {out:8.0f} events/s   reader with its inbox {back:8.0f} events/s")
        await transport.close()


async def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.transport", description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--events", type=int, default=10_000)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="agora-bench-") as folder:
        postgres = EmbeddedPostgres(Path(folder))
        try:
            url = await migrations.create_database(await postgres.start(), "bench")
            await asyncio.to_thread(migrations.upgrade, url)
            database = await connect(url)
            print(f"{os.cpu_count()} cores, {asked.events} events of {KEYS} keys, median of {asked.rounds} rounds")
            await compare(database, os.environ.get("KAFKA_BOOTSTRAP_SERVERS"), asked.rounds, asked.events)
            await database.close()
        finally:
            await postgres.stop()


if __name__ == "__main__":
    asyncio.run(main())
