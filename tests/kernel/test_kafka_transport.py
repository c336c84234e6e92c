"""What can happen to a broker and its clients: nothing is lost, orders go through, stuck clients are replaced."""

import asyncio
import time
from uuid import UUID

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, OutOfOrderSequenceNumber

from commerce.app import Commerce
from kernel import outbox
from kernel.auth import SYSTEM
from kernel.db import Database
from kernel.ids import new_id, parse
from kernel.kafka_cluster import Cluster
from kernel.kafka_subscription import KafkaSubscription
from kernel.kafka_transport import KafkaTransport
from kernel.settings import Settings
from kernel.transport import RecordsLost, Transport
from kernel.transport import transport as chosen
from tests.conftest import served
from tests.factories.api import guest
from tests.factories.carriers import KAFKAS, Carrier, drain, eventually, reading, relaying
from tests.factories.events import Recorder, counted, effects, emit
from tests.factories.kafka import Broker, Noida
from tests.factories.world import World
from workers.consumer import Reader
from workers.relay import relay, restore
from workers.subscriptions import GROUP, consumers

pytestmark = pytest.mark.parametrize("on", KAFKAS, indirect=True, scope="module")
TOPIC = ["order"]


async def has(sql: asyncpg.Connection, recorder: Recorder, count: int, *keys: UUID) -> bool:
    return await counted(sql, recorder, *keys) >= count


def unique(name: str) -> Recorder:
    return Recorder(f"{name}-{new_id().hex}")


async def test_two_readers_share_the_work_of_a_group(
    shop: Commerce, sql: asyncpg.Connection, transport: Transport
) -> None:
    """Each gets partitions, each partition one of them."""
    keys = [new_id() for _ in range(40)]
    first, second = await transport.subscribe("shared", TOPIC), await transport.subscribe("shared", TOPIC)
    await asyncio.gather(first.fetch(1, 1.0), second.fetch(1, 1.0))
    await emit(shop, *keys)
    await drain(shop, transport)
    seen: dict[int, list[UUID]] = {0: [], 1: []}
    async with asyncio.timeout(30):
        while len(seen[0]) + len(seen[1]) < len(keys):
            for number, reader in enumerate((first, second)):
                seen[number] += [m.key for m in await reader.fetch(100, 0.1) if m.key in keys]
    await first.close()
    await second.close()
    assert sorted(seen[0] + seen[1]) == sorted(keys)
    assert min(len(seen[0]), len(seen[1])) > 0


async def test_a_rebalance_amid_the_work_loses_nothing(
    shop: Commerce, sql: asyncpg.Connection, on: Carrier, kafka: Broker, transport: Transport
) -> None:
    """Readers come and go, some in the middle of joining, while events keep coming."""
    recorder, keys = unique("amid"), [new_id() for _ in range(30)]
    async with relaying(shop, transport), reading(shop, transport, "amid", recorder.consumer):
        for _ in range(3):
            await emit(shop, *keys)
            other = await Reader.open(shop.database, transport, "amid", [recorder.consumer])
            await asyncio.wait([asyncio.ensure_future(_steps(other))], timeout=0.7)
            await emit(shop, *keys)
            await other.close()
        if isinstance(kafka, Noida):  # it never forgets a member that rejoins under a new name
            await kafka.restart()
        await eventually(lambda: has(sql, recorder, 180, *keys), 60)
    for key in keys:
        assert await effects(sql, recorder.consumer.name, key) == [1, 2, 3, 4, 5, 6]


async def _steps(reader: Reader) -> None:
    async with asyncio.timeout(0.6):
        while True:
            await reader.step()
            await asyncio.sleep(0.02)


async def test_a_broker_restart_amid_the_work_loses_nothing(
    shop: Commerce, sql: asyncpg.Connection, kafka: Broker, transport: Transport, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder, keys = unique("restart"), [new_id() for _ in range(50)]
    async with relaying(shop, transport), reading(shop, transport, "restart", recorder.consumer):
        await emit(shop, *keys)
        await eventually(lambda: has(sql, recorder, 10, *keys))
        await emit(shop, *keys)
        await kafka.stop()
        await emit(shop, *keys)
        await kafka.start()
        await emit(shop, *keys)
        seconds = await eventually(lambda: has(sql, recorder, 200, *keys), 60)
    for key in keys:
        assert await effects(sql, recorder.consumer.name, key) == [1, 2, 3, 4]
    with capsys.disabled():
        print(f"\n  broker restart: 200 events drained {seconds:.1f} s after it, 0 lost, 0 twice")


async def test_what_a_broker_lost_is_handed_over_again(
    shop: Commerce, sql: asyncpg.Connection, kafka: Broker, transport: Transport
) -> None:
    """It comes back with an empty disk: topics, records and positions are gone, and the outbox has them all."""
    recorder, keys = unique("wiped"), [new_id() for _ in range(20)]
    await emit(shop, *keys)
    await drain(shop, transport)
    await kafka.stop()
    kafka.wipe()
    await kafka.start()
    assert {loss.topic for loss in await transport.lost()} >= {"order"}
    await emit(shop, *keys)
    async with relaying(shop, transport), reading(shop, transport, "wiped", recorder.consumer):
        await eventually(lambda: has(sql, recorder, 40, *keys), 60)
    for key in keys:
        assert await effects(sql, recorder.consumer.name, key) == [1, 2]
    assert await transport.lost() == []


async def test_a_shortened_log_is_found_and_only_its_end_sent_again(
    shop: Commerce, sql: asyncpg.Connection, transport: Transport
) -> None:
    """The mark of one partition lies past the end of its log, as after a crash that lost the last records."""
    for _ in range(10):
        await emit(shop, new_id(), new_id())
    await drain(shop, transport)
    places = {row["id"]: row["position"] for row in await sql.fetch("select id, position from outbox_events")}
    await sql.execute("update transport_marks set next_offset = next_offset + 5 where topic = 'order'")
    loss = min(await transport.lost(), key=lambda found: places[found.after])
    await sql.execute("update transport_marks set next_offset = next_offset - 5 where partition <> $1", loss.partition)
    assert await transport.lost() == [loss]
    later = "select count(*) from outbox_events where topic = 'order' and position > $1"
    expected = await sql.fetchval(later, places[loss.after])
    assert await restore(shop.database, transport) == expected < len(places)
    assert await transport.lost() == []
    await drain(shop, transport)


async def test_a_record_in_an_acknowledged_place_stops_the_relay_until_all_is_back(
    shop: Commerce, sql: asyncpg.Connection, transport: Transport
) -> None:
    """The broker lost records and took new ones before anybody looked: their offsets tell."""
    key = new_id()
    await emit(shop, key)
    await drain(shop, transport)
    await sql.execute("update transport_marks set next_offset = next_offset + 5 where topic = 'order'")
    await emit(shop, *[key] * 10)
    with pytest.raises(RecordsLost):
        async with shop.database.work(SYSTEM) as work:
            await transport.publish(await outbox.assign(work))
    assert await sql.fetchval("select count(*) from outbox_events where key = $1 and position is null", key) == 10
    (loss,) = [
        loss for loss in await transport.lost() if loss.after is not None and loss.after == await _first(sql, key)
    ]
    assert loss.topic == "order"
    await drain(shop, transport)
    assert await transport.lost() == []
    assert await sql.fetchval("select count(*) from outbox_events where key = $1 and position is null", key) == 0


async def _first(sql: asyncpg.Connection, key: UUID) -> UUID:
    found: UUID = await sql.fetchval("select id from outbox_events where key = $1 and sequence = 1", key)
    return found


async def test_orders_go_through_while_the_broker_is_down(
    shop: Commerce,
    sql: asyncpg.Connection,
    kafka: Broker,
    transport: Transport,
    world: World,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with served(shop) as http, relaying(shop, transport), reading(shop, transport, GROUP, *consumers(shop)):
        await kafka.stop()
        groups, began = [], time.monotonic()
        for _ in range(5):
            buyer = guest(http)
            cart = await buyer.cart({world.variants["pen"]: 1}, email="gil@demo.test")
            placed = await buyer.checkout(cart)
            assert (placed["status"], placed["payment"]["status"]) == ("confirmed", "captured")
            groups.append(parse("grp", placed["id"]))
        placing = time.monotonic() - began
        assert await _history(sql, groups) == 0
        assert await sql.fetchval("select count(*) from outbox_events where position is null") >= 30
        await kafka.start()
        seconds = await eventually(lambda: _complete(sql, groups), 60)
    assert await _history(sql, groups) == 30
    with capsys.disabled():
        print(f"\n  broker down: 5 orders in {placing:.1f} s; after its return all reactions in {seconds:.1f} s")


async def _history(sql: asyncpg.Connection, groups: list[UUID]) -> int:
    return int(await sql.fetchval("select count(*) from order_timeline_events where group_id = any($1)", groups))


async def _complete(sql: asyncpg.Connection, groups: list[UUID]) -> bool:
    return await _history(sql, groups) >= 30


async def test_a_publication_without_a_broker_marks_nothing(
    shop: Commerce, sql: asyncpg.Connection, kafka: Broker, transport: Transport
) -> None:
    key = new_id()
    await drain(shop, transport)
    await emit(shop, key)
    await kafka.stop()
    began = time.monotonic()
    with pytest.raises((KafkaError, TimeoutError)):
        await relay(shop.database, transport)
    took = time.monotonic() - began
    await kafka.start()
    assert took < 5, "the relay's transaction does not wait longer than the database allows"
    assert await sql.fetchval("select position from outbox_events where key = $1", key) is None
    await drain(shop, transport)
    assert await sql.fetchval("select position from outbox_events where key = $1", key) is not None


async def test_a_producer_out_of_sequence_is_replaced(
    shop: Commerce, sql: asyncpg.Connection, transport: KafkaTransport
) -> None:
    recorder, key = unique("sequence"), new_id()
    await emit(shop, key)
    await drain(shop, transport)
    stuck = transport._producer
    numbers = stuck._txn_manager._sequence_numbers
    for partition in list(numbers):
        numbers[partition] += 100  # what a lost answer during a change of leader leaves behind
    await emit(shop, key)
    with pytest.raises(OutOfOrderSequenceNumber):
        await relay(shop.database, transport)
    await drain(shop, transport)
    assert transport._producer is not stuck
    async with reading(shop, transport, "sequence", recorder.consumer):
        await eventually(lambda: has(sql, recorder, 2, key))
    assert await effects(sql, recorder.consumer.name, key) == [1, 2]


async def test_a_reader_that_stops_silently_is_replaced(
    shop: Commerce, sql: asyncpg.Connection, transport: Transport
) -> None:
    key = new_id()
    reader = await transport.subscribe("silent", TOPIC)
    assert isinstance(reader, KafkaSubscription)
    await reader.fetch(500, 1.0)
    await reader.commit()
    dead = reader._consumer
    dead._fetcher._fetch_task.cancel()  # its background work ends, and nobody is told
    await emit(shop, key)
    await drain(shop, transport)
    found = []
    async with asyncio.timeout(40):
        while not found:
            found = [m for m in await reader.fetch(500, 0.2) if m.key == key]
    assert reader._consumer is not dead
    assert [m.sequence for m in found] == [1]
    await reader.close()


async def test_a_record_of_a_stranger_is_a_dead_letter(
    shop: Commerce, sql: asyncpg.Connection, on: Carrier, transport: Transport
) -> None:
    """Bytes that are no message of ours: kept with their place and cause, once, and what follows flows."""
    recorder, key = unique("stranger"), new_id()
    await drain(shop, transport)
    producer = AIOKafkaProducer(bootstrap_servers=on.servers)
    await producer.start()
    await producer.send_and_wait(f"{on.prefix}order", b"hello", key=b"k")
    await producer.stop()
    await emit(shop, key)
    await drain(shop, transport)
    for _ in range(2):
        async with reading(shop, transport, "stranger", recorder.consumer):
            await eventually(lambda: has(sql, recorder, 1, key))
            await eventually(lambda: sql.fetchval("select count(*) from dead_letters where consumer = 'stranger'"))
    letters = await sql.fetch("select type, status, cause from dead_letters where consumer = 'stranger'")
    assert [tuple(row) for row in letters] == [("Unreadable", "dead", "envelope: KeyError")]


async def test_new_topics_have_the_partitions_that_are_asked_for(on: Carrier, transport: KafkaTransport) -> None:
    cluster: Cluster = transport._cluster
    await cluster.ensure([cluster.named("asked")])
    await cluster.ensure([cluster.named("asked")])
    brokers, topics = await cluster.topics()
    assert (brokers, cluster.named("asked") in topics) == (1, True)
    async with cluster._admin() as admin:
        (described,) = await admin.describe_topics([cluster.named("asked")])
    assert len(described["partitions"]) == 3


async def test_the_settings_choose_the_transport(shop: Commerce, on: Carrier) -> None:
    database: Database = shop.database
    plain = chosen(database, Settings(KAFKA_BOOTSTRAP_SERVERS=None))
    assert type(plain).__name__ == "PostgresTransport"
    kafka = chosen(database, Settings(KAFKA_BOOTSTRAP_SERVERS=on.servers, KAFKA_TOPIC_PREFIX="p.", KAFKA_PARTITIONS=2))
    assert isinstance(kafka, KafkaTransport)
    options = kafka._cluster.options
    assert (options.servers, options.prefix, options.partitions) == (on.servers, "p.", 2)
    assert options.publish < 5.0
    await kafka.close()
