"""Kafka as the transport: one topic per context, the aggregate's id as key, at least once.

* The producer is idempotent and waits for all in-sync replicas; nothing counts as handed over before that.
* A producer that fails, or does not finish in time, is thrown away: an idempotent one does not recover from a lost
  sequence. Its batch is sent again by its successor, so a record may stand twice; each first copy is in order.
* There are no Kafka transactions: they do not span Postgres. The inbox makes a second copy harmless.
* The outbox stays the truth: marks tell when a broker lost what it had acknowledged, and the relay sends it again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from kernel import marks, telemetry
from kernel.auth import SYSTEM
from kernel.db import Database
from kernel.events import Message
from kernel.kafka_cluster import REQUEST_SECONDS, Cluster, Options
from kernel.kafka_subscription import KafkaSubscription
from kernel.registry import HttpRegistry, TableRegistry
from kernel.settings import Settings
from kernel.transport import Loss, RecordsLost
from kernel.wire import Wire

log = telemetry.log("kafka")


def kafka(database: Database, settings: Settings) -> "KafkaTransport":
    """The transport the settings ask for. Nothing is connected yet: a cluster that is down stops no process."""
    url = settings.schema_registry_url
    wire = Wire(HttpRegistry(url) if url else TableRegistry(database))
    return KafkaTransport(database, wire, Options.of(settings))


class KafkaTransport:
    def __init__(self, database: Database, wire: Wire, options: Options) -> None:
        self._database = database
        self._wire = wire
        self._cluster = Cluster(options)
        self._producer: Any = None
        self._known: set[str] = set()
        self._leaving: set[asyncio.Task[None]] = set()

    async def publish(self, messages: Sequence[Message]) -> None:
        """All acknowledged within `Options.publish` seconds, or an error and a new producer next time."""
        if not messages:
            return
        sent: list[asyncio.Future[Any]] = []
        try:
            async with asyncio.timeout(self._cluster.options.publish):
                producer = await self._ready({self._cluster.named(message.topic) for message in messages})
                for message in messages:
                    sent.append(await self._send(producer, message))
                done = await asyncio.gather(*sent)
        except BaseException:
            for future in sent:
                future.cancel()
            self._throw_away()
            raise
        async with self._database.work(SYSTEM, durable=False) as work:
            whole = await marks.advance(work, self._acknowledged(done))
        if not whole:
            raise RecordsLost

    async def lost(self) -> list[Loss]:
        """Compares where each log ends with how far it was acknowledged."""
        async with self._database.work(SYSTEM, durable=False) as work:
            found = await marks.read(work)
        known = {TopicPartition(self._cluster.named(mark.topic), mark.partition): mark for mark in found}
        if not known:
            return []
        await self._cluster.ensure({partition.topic for partition in known})
        ends = await self._cluster.ends(known)
        losses = []
        for partition, mark in known.items():
            kept = ends[partition] if mark.lost_from is None else mark.lost_from
            if kept < mark.next_offset:
                after = await self._cluster.last_event(partition, kept)
                losses.append(Loss(mark.topic, mark.partition, mark.next_offset, after))
        return losses

    async def subscribe(self, consumer: str, topics: Sequence[str]) -> KafkaSubscription:
        """Connects at the first fetch, and again whenever it must."""
        return KafkaSubscription(self._cluster, self._wire, consumer, topics)

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(producer.stop(), REQUEST_SECONDS)
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=2 * REQUEST_SECONDS)
        await self._wire.close()

    async def _send(self, producer: Any, message: Message) -> "asyncio.Future[Any]":
        record = await self._wire.record(message)
        future: asyncio.Future[Any] = await producer.send(
            self._cluster.named(message.topic),
            record.value,
            key=record.key,
            headers=record.headers,
            timestamp_ms=record.at,
        )
        return future

    async def _ready(self, names: set[str]) -> Any:
        """A working producer, and the topics it will write. A new producer looks for losses before it writes."""
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._cluster.connection, enable_idempotence=True, acks="all", linger_ms=1, max_batch_size=128 * 1024
            )
            self._producer, self._known = producer, set()
            await producer.start()
            if await self.lost():
                raise RecordsLost
        if missing := names - self._known:
            await self._cluster.ensure(missing)
            self._known |= missing
        return self._producer

    def _acknowledged(self, done: Sequence[Any]) -> list[marks.Acknowledged]:
        """First and next offset per partition. A duplicate the broker recognised has no offset of its own."""
        offsets: dict[tuple[str, int], list[int]] = defaultdict(list)
        for ack in done:
            if ack.offset >= 0:
                offsets[self._cluster.context(ack.topic), ack.partition].append(ack.offset)
        return [marks.Acknowledged(*key, min(found), max(found) + 1) for key, found in offsets.items()]

    def _throw_away(self) -> None:
        """Leaves the producer without waiting: its end must not hold up the relay's transaction."""
        producer, self._producer = self._producer, None
        if producer is not None:
            task = asyncio.create_task(_end(producer))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)


async def _end(producer: Any) -> None:
    """Stops a producer that may be stuck. Its own `stop` would first deliver what it holds, possibly for ever."""
    sender = producer._sender.sender_task  # aiokafka has no public way to give up
    if sender is not None:
        sender.cancel()
        producer._message_accumulator.fail_all(KafkaError("given up"))
    try:
        await asyncio.wait_for(producer.stop(), 2 * REQUEST_SECONDS)
    except Exception:  # the edge of a client that is leaving anyway
        log.info("producer_did_not_stop", exc_info=True)
        with suppress(Exception):
            await producer.client.close()
