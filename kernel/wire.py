"""How a message looks on a Kafka topic.

Value: the payload in Confluent's wire format (a zero byte, the schema's number as four bytes big-endian, Avro binary).
Key: the aggregate's id as text. Headers: the envelope as CloudEvents' Kafka binding names it (`ce_id`, `ce_type`,
`ce_source`, `ce_time`, `ce_subject`, `ce_sequence`, `ce_dataversion`), the message's own headers beside it
(`traceparent` ...). A payload that no schema fits travels as JSON and says so in `content-type`: whoever wants the
event finds out that it is poison; the relay never stands still for it.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import fastavro
import orjson
from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from kernel import avro
from kernel.events import REGISTRY, Event, Message
from kernel.registry import Registry, UnknownSchema

MAGIC = 0
AVRO, JSON = b"application/avro", b"application/json"
Headers = Sequence[tuple[str, bytes]]


class Unreadable(Exception):
    """Nobody can make a message of this record, now or later."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic. `at` is its time in milliseconds since 1970."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]
    at: int


class Wire:
    """Messages to records and back; remembers schemas and their numbers."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._numbers: dict[type[Event], int] = {}
        self._own: dict[type[Event], Any] = {}
        self._written: dict[int, Any] = {}

    async def record(self, message: Message) -> Record:
        """Raises what the registry raises for a schema it has not seen yet."""
        value = await self._avro(message)
        content = AVRO if value is not None else JSON
        headers = [*_envelope(message), ("content-type", content)]
        headers += [(name, given.encode()) for name, given in message.headers.items()]
        at = int(message.occurred_at.timestamp() * 1000)
        return Record(str(message.key).encode(), value or orjson.dumps(message.payload), headers, at)

    async def message(self, topic: str, value: bytes | None, headers: Headers) -> Message:
        """Raises Unreadable, or what the registry raises when it does not answer."""
        given = dict(headers)
        try:
            return Message(
                id=UUID(given.pop("ce_id").decode()),
                topic=topic,
                key=UUID(given.pop("ce_subject").decode()),
                sequence=int(given.pop("ce_sequence")),
                type=given["ce_type"].decode(),
                version=int(given.pop("ce_dataversion")),
                occurred_at=datetime.fromisoformat(given.pop("ce_time").decode()),
                payload=await self._payload(given["ce_type"].decode(), value or b"", given.pop("content-type", AVRO)),
                headers={name: text.decode() for name, text in given.items() if not name.startswith("ce_")},
            )
        except (KeyError, ValueError) as broken:
            raise Unreadable(f"envelope: {type(broken).__name__}") from None

    async def close(self) -> None:
        await self._registry.close()

    async def _avro(self, message: Message) -> bytes | None:
        """The payload in wire format, None when no schema fits it."""
        event = REGISTRY.get(message.type)
        if event is None:
            return None
        out = io.BytesIO()
        try:
            fastavro.schemaless_writer(out, self._schema(event), event.model_validate(message.payload).model_dump())
        except (ValueError, TypeError):  # ValidationError is a ValueError
            return None
        if event not in self._numbers:
            schema = avro.schema_of(event)
            self._numbers[event] = await self._registry.register(avro.subject(schema), avro.text(schema))
        return bytes([MAGIC]) + self._numbers[event].to_bytes(4, "big") + out.getvalue()

    async def _payload(self, kind: str, value: bytes, content: bytes) -> dict[str, Any]:
        if content == JSON:
            found: dict[str, Any] = orjson.loads(value)
            return found
        if len(value) < 5 or value[0] != MAGIC:
            raise Unreadable("not in wire format")
        writer = await self._writer(int.from_bytes(value[1:5], "big"))
        event = REGISTRY.get(kind)
        try:
            read = fastavro.schemaless_reader(io.BytesIO(value[5:]), writer, self._schema(event) if event else None)
        except Exception as broken:  # the decoder's edge: bytes of a stranger raise anything
            raise Unreadable(f"payload: {type(broken).__name__}") from None
        return _plain(event, read)

    async def _writer(self, number: int) -> Any:
        if number not in self._written:
            try:
                self._written[number] = fastavro.parse_schema(json.loads(await self._registry.schema(number)))
            except UnknownSchema:
                raise Unreadable(f"schema {number} is unknown") from None
        return self._written[number]

    def _schema(self, event: type[Event]) -> Any:
        if event not in self._own:
            self._own[event] = fastavro.parse_schema(avro.schema_of(event))
        return self._own[event]


def _envelope(message: Message) -> list[tuple[str, bytes]]:
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(message.id).encode()),
        ("ce_type", message.type.encode()),
        ("ce_source", f"/agora/{message.topic}".encode()),
        ("ce_subject", str(message.key).encode()),
        ("ce_time", message.occurred_at.isoformat().encode()),
        ("ce_sequence", str(message.sequence).encode()),
        ("ce_dataversion", str(message.version).encode()),
    ]


def _plain(event: type[Event] | None, read: Any) -> dict[str, Any]:
    """The payload as the outbox holds it: JSON values."""
    if event is not None:
        try:
            return event.model_validate(read).model_dump(mode="json")
        except ValidationError:
            pass  # what Avro allows and the class does not is for the inbox to bury
    found: dict[str, Any] = to_jsonable_python(read)
    return found
