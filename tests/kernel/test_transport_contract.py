"""What every transport keeps: order per key, at least once, nothing lost, the effect once. Same tests for all of them.

With AGORA_TEST_KAFKA=apache (`make test-kafka`) they run on Apache Kafka itself, else on PostgreSQL and on `noida-db`.
"""

import asyncio
import multiprocessing
import os
import signal
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from commerce.app import Commerce
from kernel.auth import SYSTEM
from kernel.events import Message
from kernel.ids import new_id, parse
from kernel.inbox import Consumer
from kernel.transport import Subscription, Transport
from tests.conftest import served
from tests.factories.api import guest
from tests.factories.carriers import CARRIERS, Carrier, drain, eventually, reading, relaying
from tests.factories.events import Recorder, counted, effects, emit
from tests.factories.kafka import Broker, Noida
from tests.factories.world import World
from tests.faults import reader as dying
from workers.relay import relay
from workers.subscriptions import GROUP, consumers

REBALANCES = "test_readers_of_a_group_come_and_go_and_nothing_is_lost"
"""Not asked of `noida-db`, which takes a commit amid a rebalance for a stranger's and then waits for a ghost."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    left_out = {"noida"} if metafunc.function.__name__ == REBALANCES else set()
    carriers = [name for name in CARRIERS if name not in left_out]
    metafunc.parametrize("on", carriers, indirect=True, scope="module")


TOPIC = ["order"]
QUIET = 1.0
"""Seconds without events around a rebalance."""
FORKS = multiprocessing.get_context("forkserver")


async def collected(subscription: Subscription, count: int, *keys: UUID, seconds: float = 20) -> list[Message]:
    """The first `count` messages of `keys`."""
    found: list[Message] = []
    async with asyncio.timeout(seconds):
        while len(found) < count:
            found += [message for message in await subscription.fetch(200, 0.2) if message.key in keys]
    return found


async def test_messages_arrive_whole_and_in_the_order_of_their_key(
    shop: Commerce, sql: asyncpg.Connection, transport: Transport
) -> None:
    keys = [new_id() for _ in range(12)]
    for _ in range(5):
        await emit(shop, *keys, *keys)
        await relay(shop.database, transport, limit=7)
    await drain(shop, transport)
    subscription = await transport.subscribe("whole", TOPIC)
    found = await collected(subscription, 120, *keys)
    await subscription.close()
    assert {key: [m.sequence for m in found if m.key == key] for key in keys} == {key: [*range(1, 11)] for key in keys}
    rows = {row["id"]: row for row in await sql.fetch("select * from outbox_events where key = any($1)", keys)}
    for message in found:
        row = rows[message.id]
        assert message.topic == "order"
        assert message.type == row["type"] == "OrderPlaced"
        assert message.version == row["version"]
        assert message.occurred_at == row["occurred_at"]
        assert message.payload == {"group_id": str(message.key), "order_ids": [], "total": 1, "currency": "EUR"}
        assert len(message.headers["traceparent"]) == 55
        assert message.event().key == message.key


async def test_what_is_committed_is_not_read_again(shop: Commerce, transport: Transport) -> None:
    key = new_id()
    await emit(shop, key, key)
    await drain(shop, transport)
    first = await transport.subscribe("commits", TOPIC)
    await collected(first, 2, key)
    await first.commit()
    await first.close()
    await emit(shop, key)
    await drain(shop, transport)
    again = await transport.subscribe("commits", TOPIC)
    assert [m.sequence for m in await collected(again, 1, key)] == [3]
    await again.close()


async def test_a_rewound_reader_gets_the_same_again(shop: Commerce, transport: Transport) -> None:
    key = new_id()
    await emit(shop, key, key, key)
    await drain(shop, transport)
    subscription = await transport.subscribe("rewinds", TOPIC)
    await collected(subscription, 3, key)
    await subscription.rewind()
    assert [m.sequence for m in await collected(subscription, 3, key)] == [1, 2, 3]
    await subscription.commit()
    await subscription.rewind()
    assert [m for m in await subscription.fetch(200, 1.0) if m.key == key] == []
    await subscription.close()


async def test_a_reader_that_fails_amid_a_batch_does_not_read_past_it(
    shop: Commerce, sql: asyncpg.Connection, transport: Transport
) -> None:
    """As when the database goes away between two reactions: the batch is read again, and each effect is there once."""
    first, second, key = Recorder(f"first-{new_id().hex}"), Recorder(f"second-{new_id().hex}"), new_id()

    @dataclass(frozen=True, slots=True)
    class Faltering(Consumer):
        falters: list[bool] = field(default_factory=lambda: [True])

        def wants(self, message: Message) -> bool:
            if message.key == key and self.falters and self.falters.pop():
                raise ConnectionError("on purpose")
            return Consumer.wants(self, message)

    await emit(shop, key, key)
    await drain(shop, transport)
    faltering = Faltering(second.consumer.name, second.consumer.events, second.consumer.handle)
    async with reading(shop, transport, "falters", first.consumer, faltering):
        await eventually(lambda: _has(sql, second, key, 2))
    assert faltering.falters == []
    for recorder in (first, second):
        assert await effects(sql, recorder.consumer.name, key) == [1, 2]


async def test_a_reader_killed_before_its_commit_is_replaced(
    shop: Commerce, sql: asyncpg.Connection, url: str, on: Carrier, kafka: Broker, transport: Transport
) -> None:
    recorder, key = Recorder(f"killed-{new_id().hex}"), new_id()
    await emit(shop, *[key] * 4)
    await drain(shop, transport)
    here, there = FORKS.Pipe()
    errand = dying.Errand(url, on, "killed", TOPIC, key, 4)
    process = FORKS.Process(target=dying.main, args=(errand, there))
    process.start()
    assert await asyncio.to_thread(here.recv) == [1, 2, 3, 4]
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    await asyncio.to_thread(process.join)
    if isinstance(
        kafka, Noida
    ):  # it waits for ever for a member that died; its memory of members ends with its process
        await kafka.restart()
    async with reading(shop, transport, "killed", recorder.consumer):
        await eventually(lambda: _has(sql, recorder, key, 4))
    assert await effects(sql, recorder.consumer.name, key) == [1, 2, 3, 4]


async def _has(sql: asyncpg.Connection, recorder: Recorder, key: UUID, count: int) -> bool:
    return len(await effects(sql, recorder.consumer.name, key)) >= count


async def test_a_batch_handed_over_twice_counts_once(
    shop: Commerce, sql: asyncpg.Connection, transport: Transport
) -> None:
    """The relay dies after the transport has the batch and before its own commit: the next one sends it again."""
    recorder, key = Recorder(f"twice-{new_id().hex}"), new_id()
    await drain(shop, transport)
    await emit(shop, key, key, key)

    async def dies() -> None:
        async with shop.database.work(SYSTEM) as work:
            rows = await work.rows("select * from outbox_events where key = $1 order by id", key)
            await transport.publish([Message.model_validate(dict(row)) for row in rows])
            await work.run("select 1 / 0")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await dies()
    await drain(shop, transport)
    async with reading(shop, transport, "twice", recorder.consumer):
        await eventually(lambda: _has(sql, recorder, key, 3))
        last = new_id()
        await emit(shop, last)
        await drain(shop, transport)
        await eventually(lambda: _has(sql, recorder, last, 1))
    assert await effects(sql, recorder.consumer.name, key) == [1, 2, 3]


async def test_readers_of_a_group_come_and_go_and_nothing_is_lost(
    shop: Commerce, sql: asyncpg.Connection, transport: Transport
) -> None:
    recorder, keys = Recorder(f"group-{new_id().hex}"), [new_id() for _ in range(30)]
    async with relaying(shop, transport), reading(shop, transport, "group", recorder.consumer):
        for done in (60, 180):
            async with reading(shop, transport, "group", recorder.consumer):
                await emit(shop, *keys, *keys)
                await eventually(lambda done=done: _all(sql, recorder, done, *keys))  # type: ignore[misc]
                await asyncio.sleep(QUIET)
            await asyncio.sleep(QUIET)
            await emit(shop, *keys, *keys)
            await eventually(lambda done=done + 60: _all(sql, recorder, done, *keys))  # type: ignore[misc]
            await asyncio.sleep(QUIET)
    for key in keys:
        assert await effects(sql, recorder.consumer.name, key) == [*range(1, 9)]


async def _all(sql: asyncpg.Connection, recorder: Recorder, count: int, *keys: UUID) -> bool:
    return await counted(sql, recorder, *keys) >= count


async def test_a_poison_message_is_a_dead_letter_and_others_flow(
    shop: Commerce, sql: asyncpg.Connection, transport: Transport
) -> None:
    recorder, bad, good = Recorder(f"poison-{new_id().hex}"), new_id(), new_id()
    await drain(shop, transport)
    await emit(shop, bad, good)
    await sql.execute('update outbox_events set payload = \'{"total": "x"}\' where key = $1', bad)
    await drain(shop, transport)
    async with reading(shop, transport, "poison", recorder.consumer):
        await eventually(lambda: _has(sql, recorder, good, 1))
        buried = "select count(*) from dead_letters where consumer = $1"
        await eventually(lambda: sql.fetchval(buried, recorder.consumer.name))
    letters = await sql.fetch("select * from dead_letters where consumer = $1", recorder.consumer.name)
    assert [(row["key"], row["status"], row["cause"]) for row in letters] == [(bad, "dead", "ValidationError")]
    assert '"total": "x"' in letters[0]["message"]
    assert await effects(sql, recorder.consumer.name, bad) == []


async def test_a_publication_that_fails_marks_nothing(
    shop: Commerce, sql: asyncpg.Connection, transport: Transport
) -> None:
    key = new_id()
    await drain(shop, transport)
    await emit(shop, key, key)

    class Refuses:
        async def publish(self, messages: Any) -> None:
            raise ConnectionError("on purpose")

    with pytest.raises(ConnectionError):
        await relay(shop.database, Refuses())  # type: ignore[arg-type]
    assert await sql.fetchval("select count(*) from outbox_events where key = $1 and position is null", key) == 2
    await drain(shop, transport)
    subscription = await transport.subscribe("fails", TOPIC)
    assert [m.sequence for m in await collected(subscription, 2, key)] == [1, 2]
    await subscription.close()


async def test_a_purchase_and_its_reactions(
    shop: Commerce, sql: asyncpg.Connection, transport: Transport, world: World
) -> None:
    """Cart and checkout through REST; history and notification come by the transport."""
    async with served(shop) as http, relaying(shop, transport), reading(shop, transport, GROUP, *consumers(shop)):
        buyer = guest(http)
        cart = await buyer.cart({world.variants["mug"]: 2}, email="gil@demo.test")
        group = await buyer.checkout(cart)
        assert (group["status"], group["payment"]["status"]) == ("confirmed", "captured")
        group_id = parse("grp", group["id"])
        await eventually(lambda: _told(sql, group_id))
    history = await sql.fetch("select kind from order_timeline_events where group_id = $1", group_id)
    assert sorted(row["kind"] for row in history) == [
        *("OrderConfirmed", "OrderPaid", "OrderPlaced"),
        *("PaymentAuthorized", "PaymentCaptured", "PickCreated"),
    ]
    mails = await sql.fetch(
        "select subject from email_messages where subject like $1", f"%{group['orders'][0]['number']}%"
    )
    assert len(mails) == 1


async def _told(sql: asyncpg.Connection, group: UUID) -> bool:
    history = await sql.fetchval("select count(*) from order_timeline_events where group_id = $1", group)
    number = await sql.fetchval("select number from orders where group_id = $1", group)
    mails = await sql.fetchval("select count(*) from email_messages where subject like $1", f"%{number}%")
    return bool(history >= 6 and mails >= 1)
