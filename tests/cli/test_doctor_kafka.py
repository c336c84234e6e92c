"""`agora doctor` asks the servers it is told of, and says what it heard."""

import socket

from cli import doctor
from kernel.settings import Settings
from tests.factories.carriers import KAFKAS, broker
from tests.factories.kafka import free_port
from tests.factories.registry import registry


async def test_it_asks_kafka() -> None:
    assert (await doctor.kafka(Settings(KAFKA_BOOTSTRAP_SERVERS=None))).good is True
    gone = Settings(KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{free_port()}")
    found = await doctor.kafka(gone)
    assert (found.good, "does not answer (KafkaConnectionError)" in found.text) == (False, True)
    server = broker(KAFKAS[0])
    try:
        await server.start()
        found = await doctor.kafka(Settings(KAFKA_BOOTSTRAP_SERVERS=server.servers))
        assert (found.good, found.text) == (
            None,
            f"Kafka at {server.servers}: 1 broker(s), 0 topics of ours; one copy of each record only: the outbox has the second",
        )
    finally:
        await server.remove()


async def test_it_does_not_wait_for_a_port_that_is_silent() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        found = await doctor.kafka(Settings(KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{silent.getsockname()[1]}"))
    assert (found.good, "does not answer" in found.text) == (False, True)


async def test_it_asks_the_schema_registry() -> None:
    assert (await doctor.registry(Settings(SCHEMA_REGISTRY_URL=None))).good is True
    with registry() as server:
        server.register("agora.order.OrderPlaced", '"string"')
        found = await doctor.registry(Settings(SCHEMA_REGISTRY_URL=server.url))
        assert (found.good, found.text) == (True, "the schema registry at 127.0.0.1 knows 1 subjects")
    found = await doctor.registry(Settings(SCHEMA_REGISTRY_URL=server.url))
    assert (found.good, "does not answer" in found.text) == (False, True)
