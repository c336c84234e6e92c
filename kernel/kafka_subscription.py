"""A reader of a consumer group on Kafka: it commits after the effect, and does not stay stuck.

A rebalance may give partitions to another reader while this one still works on what it fetched from them: the other one
reads it again from the last commit, and the inbox lets exactly one of them have the effect.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from kernel import telemetry
from kernel.events import UNREADABLE, Message
from kernel.kafka_cluster import REQUEST_SECONDS, Cluster
from kernel.wire import Unreadable, Wire

COMMIT_SECONDS = 5.0
log = telemetry.log("kafka")


class KafkaSubscription:
    def __init__(self, cluster: Cluster, wire: Wire, group: str, topics: Sequence[str]) -> None:
        self._cluster = cluster
        self._wire = wire
        self._group = cluster.options.prefix + group
        self._names = [cluster.named(topic) for topic in topics]
        self._consumer: Any = None
        self._undecoded: list[Any] = []
        """Fetched, but not yet made into messages: kept when the registry does not answer."""
        self._first: dict[TopicPartition, int] = {}
        """Where each partition stood at the last commit, of those that were read since."""
        self._seen_at = 0.0

    async def fetch(self, limit: int, wait: float) -> list[Message]:
        consumer = await self._ready()
        if not self._undecoded:
            self._undecoded = await self._records(consumer, limit, wait)
        messages = [await self._message(record) for record in self._undecoded]
        self._undecoded = []
        await self._watch(bool(messages))
        return messages

    async def commit(self) -> None:
        """After a rebalance it may come too late: then another reader gets the same once more."""
        if self._consumer is None:
            return
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._consumer.commit()
        except (CommitFailedError, IllegalStateError):
            log.info("commit_after_rebalance", group=self._group)
        self._first.clear()

    async def rewind(self) -> None:
        """Partitions that have gone to another reader need nothing: that one starts at the last commit."""
        self._undecoded = []
        first, self._first = self._first, {}
        if self._consumer is not None:
            for partition in self._consumer.assignment() & first.keys():
                self._consumer.seek(partition, first[partition])

    async def close(self) -> None:
        """Leaves the group, so that others take over at once."""
        consumer, self._consumer = self._consumer, None
        self._undecoded, self._first = [], {}
        if consumer is None:
            return
        try:
            await asyncio.wait_for(consumer.stop(), 2 * REQUEST_SECONDS)
        except Exception:  # the edge of a client that is leaving anyway
            log.info("consumer_did_not_stop", group=self._group, exc_info=True)
            with suppress(Exception):
                await consumer._client.close()  # aiokafka's stop ends half-way when it is cancelled

    async def _ready(self) -> Any:
        if self._consumer is None:
            await self._cluster.ensure(self._names)
            session = int(self._cluster.options.session * 1000)
            consumer = AIOKafkaConsumer(
                **self._cluster.connection | {"request_timeout_ms": 2 * session},  # joining waits for a dead member
                group_id=self._group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                session_timeout_ms=session,
                heartbeat_interval_ms=session // 10,
            )
            self._consumer, self._seen_at = consumer, _now()
            try:
                await consumer.start()
            except BaseException:
                await self.close()
                raise
            consumer.subscribe(self._names)
        return self._consumer

    async def _records(self, consumer: Any, limit: int, wait: float) -> list[Any]:
        try:
            async with asyncio.timeout(wait + self._cluster.options.stall):  # while a rebalance lasts it waits for ever
                found = await consumer.getmany(timeout_ms=int(wait * 1000), max_records=limit)
        except (KafkaError, TimeoutError):
            await self.close()
            raise
        for partition, records in found.items():
            self._first.setdefault(partition, records[0].offset)
        return [record for records in found.values() for record in records]

    async def _message(self, record: Any) -> Message:
        try:
            return await self._wire.message(self._cluster.context(record.topic), record.value, record.headers)
        except Unreadable as unreadable:
            log.error("record_unreadable", topic=record.topic, partition=record.partition, offset=record.offset)
            return _poison(record, self._cluster.context(record.topic), str(unreadable))

    async def _watch(self, alive: bool) -> None:
        """Ends a consumer that sees nothing although there is something; the next fetch makes a new one."""
        if alive:
            self._seen_at = _now()
        elif _now() - self._seen_at > self._cluster.options.stall:
            self._seen_at = _now()
            if await self._behind():
                log.error("consumer_stuck", group=self._group)
                telemetry.READERS_REBUILT.labels(self._group).inc()
                await self.close()

    async def _behind(self) -> bool:
        """True when a partition of this reader goes on past where it stands, or cannot be asked."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                mine = self._consumer.assignment()
                ends = await self._consumer.end_offsets(mine) if mine else {}
                return any([await self._consumer.position(partition) < end for partition, end in ends.items()])
        except (KafkaError, TimeoutError):
            return True


def _now() -> float:
    return asyncio.get_running_loop().time()


def _poison(record: Any, topic: str, cause: str) -> Message:
    """A record nobody can read, as a message the reader buries. The same record always becomes the same message."""
    place = f"{record.topic}/{record.partition}/{record.offset}/{record.timestamp}"
    return Message(
        id=uuid5(NAMESPACE_OID, place),
        topic=topic,
        key=uuid5(NAMESPACE_OID, f"{record.topic}/{record.key!r}"),
        sequence=record.offset,
        type=UNREADABLE,
        payload={"place": place, "cause": cause},
        occurred_at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
    )
