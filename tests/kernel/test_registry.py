"""Numbers of schemas: the same from the table and from a registry server, asked once, refused loudly."""

import time
from collections.abc import Iterator
from uuid import UUID

import asyncpg
import pytest

from commerce.app import Commerce
from commerce.order.events import OrderPlaced
from kernel import avro, registry
from kernel.clock import system_clock
from kernel.events import Message
from kernel.ids import new_id
from kernel.registry import HttpRegistry, RegistryUnavailable, SchemaRefused, TableRegistry, UnknownSchema
from kernel.wire import Unreadable, Wire
from tests.factories.registry import RegistryServer
from tests.factories.registry import registry as served

KEY = UUID("019a0000-0000-7000-8000-0000000000aa")


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with served() as found:
        yield found


def placed(**changes: object) -> Message:
    event = OrderPlaced(group_id=KEY, order_ids=[new_id()], total=1999, currency="EUR")
    payload = {**event.model_dump(mode="json"), **changes}
    headers = {"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}
    return Message(
        id=new_id(),
        topic="order",
        key=KEY,
        sequence=3,
        type="OrderPlaced",
        payload=payload,
        headers=headers,
        occurred_at=system_clock(),
    )


async def test_the_table_gives_a_schema_one_number_for_ever(shop: Commerce, sql: asyncpg.Connection) -> None:
    table = TableRegistry(shop.database)
    text = avro.text(avro.schema_of(OrderPlaced))
    number = await table.register("agora.order.OrderPlaced", text)
    assert await TableRegistry(shop.database).register("agora.order.OrderPlaced", text) == number
    assert await table.register("agora.order.Other", text) == number + 2  # a repetition uses up a number
    assert await table.schema(number) == text
    with pytest.raises(UnknownSchema):
        await table.schema(2_000_000)
    assert await sql.fetchval("select count(*) from event_schemas") == 2


async def test_a_message_travels_whole_in_confluents_format(server: RegistryServer) -> None:
    wire, message = Wire(HttpRegistry(server.url)), placed()
    record = await wire.record(message)
    assert record.key == str(KEY).encode()
    assert record.value[:5] == b"\x00\x00\x00\x00\x01"
    assert record.value.endswith(b"\x9e\x1f\x06EUR"), "1999 as a zig-zag varint, then a string of three letters"
    assert dict(record.headers)["ce_type"] == b"OrderPlaced"
    assert dict(record.headers)["content-type"] == b"application/avro"
    other = Wire(HttpRegistry(server.url))
    assert await other.message("order", record.value, record.headers) == message
    await wire.close()
    await other.close()


async def test_a_server_is_asked_once_for_a_schema(server: RegistryServer) -> None:
    wire = Wire(HttpRegistry(server.url))
    for _ in range(5):
        record = await wire.record(placed())
        await wire.message("order", record.value, record.headers)
    assert server.calls == [("POST", "/subjects/agora.order.OrderPlaced/versions"), ("GET", "/schemas/ids/1")]
    await wire.close()


async def test_user_and_password_stand_in_the_url(server: RegistryServer) -> None:
    server.password = "open sesame"
    client = HttpRegistry(server.url.replace("//", "//agora:open%20sesame@"))
    assert await client.register("s", '"string"') == 1
    assert await client.subjects() == ["s"]
    stranger = HttpRegistry(server.url)
    with pytest.raises(RegistryUnavailable, match="status 401"):
        await stranger.schema(1)
    await client.close()
    await stranger.close()


async def test_a_refused_schema_is_an_error_and_not_another_format(server: RegistryServer) -> None:
    server.refuse.add("agora.order.OrderPlaced")
    wire = Wire(HttpRegistry(server.url))
    with pytest.raises(SchemaRefused, match="incompatible"):
        await wire.record(placed())
    await wire.close()


async def test_a_server_that_does_not_answer_is_not_waited_for(
    server: RegistryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "REGISTRY_SECONDS", 0.3)
    server.slow = 2.0
    client = HttpRegistry(server.url)
    began = time.monotonic()
    with pytest.raises(RegistryUnavailable, match="ReadTimeout"):
        await client.schema(1)
    assert time.monotonic() - began < 1.5
    await client.close()
    gone = HttpRegistry("http://127.0.0.1:9")
    with pytest.raises(RegistryUnavailable, match="ConnectError"):
        await gone.register("s", '"string"')
    await gone.close()


async def test_a_payload_no_schema_fits_travels_as_json(server: RegistryServer) -> None:
    """So that the consumers who want it bury it; the relay goes on."""
    wire = Wire(HttpRegistry(server.url))
    for poison in (placed(total="x"), placed().model_copy(update={"type": "NobodyKnows"})):
        record = await wire.record(poison)
        assert dict(record.headers)["content-type"] == b"application/json"
        assert await wire.message("order", record.value, record.headers) == poison
    assert server.calls == []
    await wire.close()


async def test_what_is_no_message_is_unreadable(server: RegistryServer) -> None:
    wire = Wire(HttpRegistry(server.url))
    good = await wire.record(placed())
    broken = {
        "envelope: KeyError": (good.value, [("ce_id", b"1")]),
        "not in wire format": (b"\x01" + good.value[1:], good.headers),
        "schema 77 is unknown": (b"\x00\x00\x00\x00\x4d" + good.value[5:], good.headers),
        "payload: EOFError": (good.value[:-4], good.headers),
    }
    for cause, (value, headers) in broken.items():
        with pytest.raises(Unreadable) as found:
            await wire.message("order", value, headers)
        assert str(found.value) in (cause, "envelope: ValueError" if cause.startswith("envelope") else cause)
    await wire.close()
