"""Events: each effect once, in order per key; what fails is put aside with its key, retried, and never silently lost."""

from uuid import uuid4

import asyncpg
import pytest

from commerce.app import Commerce
from commerce.order.events import OrderPlaced
from kernel.auth import SYSTEM
from kernel.ids import new_id
from kernel.inbox import ATTEMPTS_MOST, deliver, retry_parked
from kernel.transport import PostgresTransport
from tests.factories.events import Recorder, effects, emit
from workers.relay import relay

TOPIC = ["order"]


@pytest.fixture
async def transport(shop: Commerce) -> PostgresTransport:
    return PostgresTransport(shop.database)


async def test_an_event_is_written_with_its_transaction_or_not_at_all(shop: Commerce, sql: asyncpg.Connection) -> None:
    key = new_id()

    async def fail() -> None:
        async with shop.database.work(SYSTEM) as work:
            work.emit(OrderPlaced(group_id=key, order_ids=[], total=1, currency="EUR"))
            await work.run("select 1 / 0")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await fail()
    assert await sql.fetchval("select count(*) from outbox_events where key = $1", key) == 0
    await emit(shop, key, key)
    await emit(shop, key)
    rows = await sql.fetch("select sequence from outbox_events where key = $1 order by id", key)
    assert [row["sequence"] for row in rows] == [1, 2, 3]


async def test_a_redelivery_changes_nothing(
    shop: Commerce, sql: asyncpg.Connection, transport: PostgresTransport
) -> None:
    recorder, key = Recorder("twice"), new_id()
    subscription = await transport.subscribe("twice", TOPIC)
    await emit(shop, key, key)
    await relay(shop.database, transport)
    messages = [m for m in await subscription.fetch(500, 0) if m.key == key]
    for _ in range(3):
        await deliver(shop.database, recorder.consumer, messages)
    assert await effects(sql, "twice", key) == [1, 2]


async def test_a_reader_that_dies_before_its_commit_reads_again(
    shop: Commerce, sql: asyncpg.Connection, transport: PostgresTransport
) -> None:
    key = new_id()
    await emit(shop, key)
    await relay(shop.database, transport)
    first = await transport.subscribe("dies", TOPIC)
    seen = {m.id for m in await first.fetch(500, 0)}
    again = await transport.subscribe("dies", TOPIC)
    assert {m.id for m in await again.fetch(500, 0)} == seen
    await again.commit()
    assert await (await transport.subscribe("dies", TOPIC)).fetch(500, 0) == []


async def test_a_failing_key_is_parked_in_order_while_others_flow(
    shop: Commerce, sql: asyncpg.Connection, transport: PostgresTransport
) -> None:
    recorder, bad, good = Recorder("parks"), new_id(), new_id()
    recorder.broken.add(bad)
    subscription = await transport.subscribe("parks", TOPIC)
    await emit(shop, bad, good, bad, good)
    await relay(shop.database, transport)
    await deliver(
        shop.database, recorder.consumer, [m for m in await subscription.fetch(500, 0) if m.key in (bad, good)]
    )
    assert await effects(sql, "parks", good) == [1, 2]
    assert await effects(sql, "parks", bad) == []
    parked = "select sequence, status, cause from dead_letters where consumer = 'parks' order by sequence"
    assert [tuple(row) for row in await sql.fetch(parked)] == [
        (1, "parked", "RuntimeError"),
        (2, "parked", "an earlier event of this key waits"),
    ]
    recorder.broken.clear()
    for _ in range(2):
        await sql.execute("update dead_letters set retry_at = now() - interval '1 second'")
        await retry_parked(shop.database, {"parks": recorder.consumer})
    assert await effects(sql, "parks", bad) == [1, 2]
    assert {row["status"] for row in await sql.fetch(parked)} == {"replayed"}


async def test_after_its_attempts_an_event_is_a_dead_letter_that_can_be_replayed(
    shop: Commerce, sql: asyncpg.Connection, transport: PostgresTransport
) -> None:
    recorder, key = Recorder("dies-out"), new_id()
    recorder.broken.add(key)
    subscription = await transport.subscribe("dies-out", TOPIC)
    await emit(shop, key)
    await relay(shop.database, transport)
    await deliver(shop.database, recorder.consumer, [m for m in await subscription.fetch(500, 0) if m.key == key])
    for _ in range(ATTEMPTS_MOST):
        await sql.execute("update dead_letters set retry_at = now() - interval '1 second'")
        await retry_parked(shop.database, {"dies-out": recorder.consumer})
    letter = await sql.fetchrow("select id, status from dead_letters where consumer = 'dies-out'")
    assert letter["status"] == "dead"
    told = await sql.fetchval(
        "select payload from outbox_events where type = 'DeadLetterAdded' order by id desc limit 1"
    )
    assert str(letter["id"]) in told
    recorder.broken.clear()
    async with shop.database.work(SYSTEM) as work:
        assert letter["id"] in [shown.id for shown in (await shop.orchestration.dead_letters(work)).items]
        await shop.orchestration.replay(work, letter["id"])
    await retry_parked(shop.database, {"dies-out": recorder.consumer})
    assert await effects(sql, "dies-out", key) == [1]


async def test_a_poison_message_is_buried_at_once(
    shop: Commerce, sql: asyncpg.Connection, transport: PostgresTransport
) -> None:
    recorder, key = Recorder("poison"), new_id()
    subscription = await transport.subscribe("poison", TOPIC)
    await emit(shop, key)
    await sql.execute('update outbox_events set payload = \'{"total": "x"}\' where key = $1', key)
    await relay(shop.database, transport)
    await deliver(shop.database, recorder.consumer, [m for m in await subscription.fetch(500, 0) if m.key == key])
    letter = await sql.fetchrow("select status, cause from dead_letters where consumer = 'poison'")
    assert tuple(letter) == ("dead", "ValidationError")


async def test_only_one_relay_works_and_positions_follow_commits(shop: Commerce, transport: PostgresTransport) -> None:
    key = uuid4()
    await emit(shop, *[key] * 20)
    async with shop.database.work(SYSTEM) as holder:
        await holder.run("select pg_advisory_xact_lock(7206001)")
        assert await relay(shop.database, transport) == 0
    assert await relay(shop.database, transport) >= 20
    async with shop.database.work(SYSTEM) as work:
        rows = await work.rows("select position from outbox_events where key = $1 order by sequence", key)
    positions = [row["position"] for row in rows]
    assert positions == sorted(positions)
    assert len(set(positions)) == 20
