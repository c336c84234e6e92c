"""The transports that must keep the contract, each on what carries it."""

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from commerce.app import Commerce
from kernel.db import Database
from kernel.inbox import Consumer
from kernel.kafka_cluster import Options
from kernel.kafka_transport import KafkaTransport
from kernel.registry import TableRegistry
from kernel.transport import PostgresTransport, Transport
from kernel.wire import Wire
from tests.factories.kafka import Apache, Broker, Noida
from workers.consumer import Reader
from workers.loops import forever
from workers.relay import relay

APACHE = os.environ.get("AGORA_TEST_KAFKA") == "apache"
KAFKAS = ["apache"] if APACHE else ["noida"]
CARRIERS = KAFKAS if APACHE else ["postgres", *KAFKAS]
SESSION = 6.0
STALL = 8.0
"""Seconds; both brokers allow no shorter session, and a rebalance after a death takes one."""


@dataclass(frozen=True)
class Carrier:
    """`servers` and `prefix` None: PostgreSQL. Can be sent to another process."""

    servers: str | None
    prefix: str = ""

    def transport(self, database: Database) -> Transport:
        if self.servers is None:
            return PostgresTransport(database)
        options = Options(self.servers, self.prefix, partitions=3, session=SESSION, stall=STALL)
        return KafkaTransport(database, Wire(TableRegistry(database)), options)


def broker(name: str) -> Broker:
    return Apache() if name == "apache" else Noida()


def carrier(found: Broker | None) -> Carrier:
    return Carrier(found.servers, f"t{secrets.token_hex(4)}.") if found else Carrier(None)


async def drain(shop: Commerce, transport: Transport) -> None:
    """Relays everything there is."""
    while await relay(shop.database, transport):
        pass


async def eventually(check: Callable[[], Awaitable[Any]], seconds: float = 30.0) -> float:
    """Waits until `check` is true; returns after how many seconds."""
    began = time.monotonic()
    while not await check():
        assert time.monotonic() < began + seconds, "it did not come about"
        await asyncio.sleep(0.02)
    return time.monotonic() - began


@asynccontextmanager
async def reading(shop: Commerce, transport: Transport, group: str, *consumers: Consumer) -> AsyncIterator[Reader]:
    """A reader that has joined its group and is at work until the block ends."""
    reader, joined = await Reader.open(shop.database, transport, group, consumers), asyncio.Event()

    async def step() -> int:
        done = await reader.step()
        joined.set()
        return done

    async with running("reader", step):
        async with asyncio.timeout(40):
            await joined.wait()
        yield reader
    await reader.close()


@asynccontextmanager
async def relaying(shop: Commerce, transport: Transport) -> AsyncIterator[None]:
    """A relay at work until the block ends."""
    async with running("relay", lambda: relay(shop.database, transport)):
        yield


@asynccontextmanager
async def running(name: str, step: Callable[[], Awaitable[int]]) -> AsyncIterator[None]:
    task = asyncio.create_task(forever(name, step, 0.02, 0.05))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
