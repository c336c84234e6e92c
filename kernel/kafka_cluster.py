"""What transport and readers share of a Kafka cluster: how to reach it, its topics, and where their logs end."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.helpers import create_ssl_context

from kernel.settings import Settings

REQUEST_SECONDS = 3.0
"""How long one request to a broker may take."""
REPLICAS = 3
IN_SYNC_LEAST = 2
"""Copies of a record where the cluster has the brokers for it, and how many acknowledge a write."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to use a cluster. Durations are seconds."""

    servers: str
    prefix: str = "agora."
    partitions: int = 6
    replication: int = 0
    session: float = 10.0
    """How long a reader may be silent before its partitions go to others."""
    publish: float = 3.5
    """How long a publication may take: below the database's time-outs, since the relay's transaction waits for it."""
    stall: float = 15.0
    """How long a reader may see nothing before somebody checks whether there is really nothing."""
    security: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> "Options":
        assert settings.kafka_bootstrap_servers
        return cls(
            servers=settings.kafka_bootstrap_servers,
            prefix=settings.kafka_topic_prefix,
            partitions=settings.kafka_partitions,
            replication=settings.kafka_replication,
            publish=0.7 * settings.statement_timeout,
            security=_security(settings),
        )


def _security(settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = {"security_protocol": settings.kafka_security_protocol}
    if settings.kafka_security_protocol.endswith("SSL"):
        found["ssl_context"] = create_ssl_context(cafile=settings.kafka_ca_file)
    if settings.kafka_security_protocol.startswith("SASL"):
        password = settings.kafka_password.get_secret_value() if settings.kafka_password else None
        found |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": password,
        }
    return found


class Cluster:
    """One cluster by its options. Holds no connection between calls."""

    def __init__(self, options: Options) -> None:
        self.options = options

    @property
    def connection(self) -> dict[str, Any]:
        """Arguments every client of this cluster is made with."""
        options = self.options
        return {
            "bootstrap_servers": options.servers,
            "request_timeout_ms": int(REQUEST_SECONDS * 1000),
            **options.security,
        }

    def named(self, topic: str) -> str:
        """The name of a context's topic in the cluster."""
        return self.options.prefix + topic

    def context(self, name: str) -> str:
        return name.removeprefix(self.options.prefix)

    async def ensure(self, names: Collection[str]) -> None:
        """Creates the topics that are missing; known ones keep their partitions."""
        async with self._admin() as admin:
            missing = sorted(set(names) - set(await admin.list_topics()))
            if not missing:
                return
            brokers = len((await admin.describe_cluster())["brokers"])
            copies = self.options.replication or min(REPLICAS, brokers)
            configs = {"min.insync.replicas": str(IN_SYNC_LEAST)} if copies > IN_SYNC_LEAST else {}
            topics = [NewTopic(name, self.options.partitions, copies, topic_configs=configs) for name in missing]
            answer = await admin.create_topics(topics, timeout_ms=int(REQUEST_SECONDS * 1000))
        for name, code, text in answer.topic_errors:
            if for_code(code) not in (TopicAlreadyExistsError, for_code(0)):
                raise KafkaError(f"topic {name} was not created: {text}")

    async def topics(self) -> tuple[int, list[str]]:
        """How many brokers there are, and our topics."""
        async with self._admin() as admin:
            brokers = len((await admin.describe_cluster())["brokers"])
            names = [name for name in await admin.list_topics() if name.startswith(self.options.prefix)]
        return brokers, sorted(names)

    async def ends(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset the next record of each partition will get."""
        async with self._observer() as observer:
            found: dict[TopicPartition, int] = await observer.end_offsets(list(partitions))
        return found

    async def last_event(self, partition: TopicPartition, end: int) -> UUID | None:
        """Id of the event in the last record before `end`; None when the log is empty or that record is none of ours."""
        async with self._observer() as observer:
            starts = await observer.beginning_offsets([partition])
            if starts[partition] >= end:
                return None
            observer.assign([partition])
            observer.seek(partition, end - 1)
            found = await observer.getmany(timeout_ms=int(REQUEST_SECONDS * 1000), max_records=1)
        for record in found.get(partition, []):
            if identity := dict(record.headers).get("ce_id"):
                return UUID(identity.decode())
        return None

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[Any]:
        admin = AIOKafkaAdminClient(**self.connection)
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()

    @asynccontextmanager
    async def _observer(self) -> AsyncIterator[Any]:
        """A reader without a group: it looks, and leaves no trace."""
        observer = AIOKafkaConsumer(**self.connection, enable_auto_commit=False)
        try:
            await observer.start()
            yield observer
        finally:
            await observer.stop()
