"""Event schemas: derived from the class, and changed only so that old and new code read each other."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

import fastavro
import pytest
from pydantic import BaseModel

from cli.schemas import FOLDER, encoded, events, faults, sample, update, versions
from kernel.avro import schema_of
from kernel.compatibility import conflicts, unreadable
from kernel.events import REGISTRY, Event

EVENTS = events()


class Colour(StrEnum):
    RED = "red"


class Line(BaseModel):
    sku: str
    units: int = 1


class Everything(Event):
    topic = "tests-avro"
    aggregate = "id"

    id: UUID
    lines: list[Line]
    first: Line | None = None
    colour: Colour
    mode: Literal["a", "b"] = "a"
    at: datetime
    on: date
    share: Decimal
    texts: dict[str, str]
    note: str | None = None
    size: int | None = 3
    done: bool


def test_every_kind_of_field_has_its_type() -> None:
    uuid = {"type": "string", "logicalType": "uuid"}
    line = {
        "type": "record",
        "name": "Line",
        "namespace": "agora.tests_avro",
        "fields": [{"name": "sku", "type": "string"}, {"name": "units", "type": "long", "default": 1}],
    }
    assert schema_of(Everything) == {
        "type": "record",
        "name": "Everything",
        "namespace": "agora.tests_avro",
        "fields": [
            {"name": "id", "type": uuid},
            {"name": "lines", "type": {"type": "array", "items": line}},
            {"name": "first", "type": ["null", "agora.tests_avro.Line"], "default": None},
            {"name": "colour", "type": "string"},
            {"name": "mode", "type": "string", "default": "a"},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
            {"name": "on", "type": {"type": "int", "logicalType": "date"}},
            {"name": "share", "type": {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 9}},
            {"name": "texts", "type": {"type": "map", "values": "string"}},
            {"name": "note", "type": ["null", "string"], "default": None},
            {"name": "size", "type": ["long", "null"], "default": 3},
            {"name": "done", "type": "boolean"},
        ],
    }


def test_a_record_of_every_kind_comes_back_as_it_was() -> None:
    event = Everything(
        id=UUID(int=5), lines=[Line(sku="a"), Line(sku="b", units=2)], first=Line(sku="c"), colour=Colour.RED,
        at=datetime(2026, 1, 2, 3, 4, 5, 6, UTC), on=date(2026, 1, 2), share=Decimal("0.190000000"), texts={"k": "v"},
        done=True,
    )  # fmt: skip
    schema = fastavro.parse_schema(schema_of(Everything))
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, event.model_dump())
    assert Everything.model_validate(read(out.getvalue(), schema, schema)) == event


def test_what_is_no_plain_fact_has_no_place() -> None:
    class Vague(Event):
        topic = "tests-avro"
        aggregate = "id"
        id: UUID
        anything: dict[str, Any]

    class Either(Event):
        topic = "tests-avro"
        aggregate = "id"
        id: int | str

    for event in (Vague, Either):
        REGISTRY.pop(event.__name__)
        with pytest.raises(TypeError, match="event"):
            schema_of(event)


def read(data: bytes, writer: Any, reader: Any) -> dict[str, Any]:
    found = fastavro.schemaless_reader(io.BytesIO(data), fastavro.parse_schema(writer), fastavro.parse_schema(reader))
    assert isinstance(found, dict)
    return found


def record(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": "E", "namespace": "agora.t", "fields": list(fields)}


def field(name: str, kind: Any, *default: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **({"default": default[0]} if default else {})}


UUID_TYPE = {"type": "string", "logicalType": "uuid"}
MICROS, MILLIS = ({"type": "long", "logicalType": f"timestamp-{unit}"} for unit in ("micros", "millis"))
BEFORE = record(field("id", UUID_TYPE), field("units", "long"), field("note", ["null", "string"], None))
ALLOWED = {
    "nothing": BEFORE,
    "an optional field more": record(*BEFORE["fields"], field("extra", ["null", "long"], None)),
    "a field with a default more": record(*BEFORE["fields"], field("extra", "string", "")),
    "an optional field less": record(*BEFORE["fields"][:2]),
    "another order": record(*reversed(BEFORE["fields"])),
}
REFUSED = {
    "a field without a default more": (
        record(*BEFORE["fields"], field("extra", "string")),
        "cannot read what was written before: extra: has no default and is missing there",
    ),
    "a field without a default less": (
        record(BEFORE["fields"][0], BEFORE["fields"][2]),
        "code still running cannot read it: units: has no default and is missing there",
    ),
    "another type": (
        record(BEFORE["fields"][0], field("units", "string"), BEFORE["fields"][2]),
        "cannot read what was written before: units: long became string",
    ),
    "a wider type": (
        record(BEFORE["fields"][0], field("units", "double"), BEFORE["fields"][2]),
        "code still running cannot read it: units: double became long",
    ),
    "a field that may now be missing": (
        record(BEFORE["fields"][0], field("units", ["null", "long"], None), BEFORE["fields"][2]),
        "code still running cannot read it: units: null became long",
    ),
    "a field that must now be there": (
        record(*BEFORE["fields"][:2], field("note", "string", "")),
        "cannot read what was written before: note: null became string",
    ),
    "another name": (
        record(BEFORE["fields"][0], field("amount", "long"), BEFORE["fields"][2]),
        "cannot read what was written before: amount: has no default and is missing there",
    ),
}


@pytest.mark.parametrize("change", ALLOWED)
def test_a_change_that_both_sides_survive_is_allowed(change: str) -> None:
    """And the library that reads agrees, in both directions."""
    after = ALLOWED[change]
    assert conflicts(after, BEFORE) == []
    assert read(encoded(BEFORE), BEFORE, after)["units"] == 7
    assert read(encoded(after), after, BEFORE)["units"] == 7


@pytest.mark.parametrize("change", REFUSED)
def test_a_change_that_one_side_does_not_survive_is_refused(change: str) -> None:
    after, reason = REFUSED[change]
    assert reason in conflicts(after, BEFORE)


def test_the_meaning_of_a_field_may_not_change() -> None:
    before, after = record(field("at", MICROS)), record(field("at", MILLIS))
    assert unreadable(after, before) == ["at: the meaning ('timestamp-micros',) became ('timestamp-millis',)"]
    assert conflicts(record(field("at", "long")), before) != []


def test_changes_inside_lists_and_records_are_seen() -> None:
    line = {"type": "record", "name": "Line", "namespace": "agora.t", "fields": [field("sku", "string")]}
    more = {**line, "fields": [*line["fields"], field("units", "long")]}
    before, after = (record(field("lines", {"type": "array", "items": kind})) for kind in (line, more))
    assert unreadable(after, before) == ["lines[].units: has no default and is missing there"]
    assert unreadable(before, after) == []


def test_every_event_is_committed_and_compatible() -> None:
    assert faults(FOLDER, EVENTS) == []
    assert len(EVENTS) >= 25


@pytest.mark.parametrize("name", EVENTS)
def test_old_records_are_read_by_todays_schema_and_the_reverse(name: str) -> None:
    known, today = versions(FOLDER, name), schema_of(EVENTS[name])
    fixtures = [(FOLDER / "fixtures" / f"{name}.{number}.bin").read_bytes() for number in range(1, len(known) + 1)]
    assert fixtures[-1] == encoded(today)
    for before, fixture in zip(known, fixtures, strict=True):
        written, now = sample(before, {}), read(fixture, before, today)
        assert now.keys() == {f["name"] for f in today["fields"]}
        assert {key: now[key] for key in written.keys() & now.keys()} == {
            key: written[key] for key in written.keys() & now.keys()
        }
        then = read(encoded(today), today, before)
        assert then.keys() == written.keys()


def test_a_changed_class_is_noticed_kept_and_refused(tmp_path: Any) -> None:
    """A life of an event: written, changed within the rules (the old version is kept), then against them."""

    def version(number: int, **fields: Any) -> dict[str, type[Event]]:
        annotations = {"id": UUID, **{name: kind for name, (kind, *_) in fields.items()}}
        defaults = {name: rest[0] for name, (_, *rest) in fields.items() if rest}
        body = {"__annotations__": annotations, "topic": "t", "aggregate": "id", "version": number, **defaults}
        event = type("Changing", (Event,), {**body, "__module__": __name__})
        REGISTRY.pop("Changing")
        return {"Changing": event}

    first = version(1, total=(int,))
    assert faults(tmp_path, first) == ["Changing: not committed yet, run `agora schemas write`"]
    assert update(tmp_path, first) == (["Changing.avsc", "fixtures/Changing.1.bin"], [])
    assert faults(tmp_path, first) == []
    second = version(2, total=(int,), note=(str | None, None))
    assert faults(tmp_path, second) == ["Changing: the class changed, run `agora schemas write`"]
    files = ["Changing.avsc", "fixtures/Changing.2.bin", "older/Changing.1.avsc"]
    assert update(tmp_path, second) == (files, [])
    assert versions(tmp_path, "Changing") == [schema_of(first["Changing"]), schema_of(second["Changing"])]
    assert faults(tmp_path, second) == []
    assert faults(tmp_path, version(1, total=(int,), note=(str | None, None))) == [
        "Changing: 2 versions are committed, but the class says version = 1"
    ]
    third = version(3, total=(str,), note=(str | None, None))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    reasons = [
        f"Changing and its version {number}: {side}: total: {change}"
        for number in (1, 2)
        for side, change in (
            ("cannot read what was written before", "long became string"),
            ("code still running cannot read it", "string became long"),
        )
    ]
    assert update(tmp_path, third) == ([], reasons)
    assert faults(tmp_path, third) == reasons
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before, "a refused change wrote nothing"
    assert faults(tmp_path, {}) == ["Changing.avsc: no class bears this name"]


def test_a_field_may_not_come_back_with_another_type(tmp_path: Any) -> None:
    """Transitive: version 3 fits version 2, which lacks the field, but not version 1."""
    older = record(field("id", "long"), field("note", ["null", "string"], None))
    between, today = record(field("id", "long")), record(field("id", "long"), field("note", ["null", "long"], None))
    assert conflicts(today, between) == []
    assert conflicts(today, older)[0] == "cannot read what was written before: note: no branch takes string"


def test_the_core_works_without_kafkas_client() -> None:
    import subprocess
    import sys

    code = "import sys, cli.up, workers.run, kernel.transport; print([m for m in sys.modules if m in ('aiokafka', 'fastavro')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
