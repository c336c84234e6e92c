"""The committed schemas of events: written from the classes, checked against them and against every version before.

schemas/OrderPlaced.avsc           what the class says today
schemas/older/OrderPlaced.1.avsc   what it said in version 1, never changed, never removed
schemas/fixtures/OrderPlaced.1.bin a record as version 1 wrote it
"""

import importlib
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import fastavro

from kernel.avro import Schema, schema_of
from kernel.compatibility import conflicts
from kernel.events import REGISTRY, Event

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "schemas"
_SAMPLES: dict[str, Any] = {
    "string": "text",
    "long": 7,
    "boolean": True,
    "double": 0.5,
    "uuid": UUID("019a0000-0000-7000-8000-000000000001"),
    "timestamp-micros": datetime(2026, 11, 25, 12, 30, 15, 123456, UTC),
    "date": date(2026, 11, 25),
    "decimal": Decimal("12.500000000"),
}


def events() -> dict[str, type[Event]]:
    """Every event class that can be emitted: ours, without those that others only build on."""
    modules = [*ROOT.glob("commerce/*/events.py"), *ROOT.glob("kernel/*_events.py")]
    for path in sorted(modules):
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    own = {name: event for name, event in REGISTRY.items() if not event.__module__.startswith("tests")}
    return {name: event for name, event in sorted(own.items()) if not event.__subclasses__()}


def versions(folder: Path, name: str) -> list[Schema]:
    """The committed schemas of an event, oldest first, today's last."""
    older = sorted((folder / "older").glob(f"{name}.*.avsc"), key=lambda path: int(path.name.split(".")[1]))
    today = folder / f"{name}.avsc"
    return [json.loads(path.read_text()) for path in [*older, *([today] if today.exists() else [])]]


def faults(folder: Path, found: dict[str, type[Event]]) -> list[str]:
    """Why the committed schemas and the classes do not fit; empty when all is well."""
    lines = [f"{path.name}: no class bears this name" for path in folder.glob("*.avsc") if path.stem not in found]
    for name, event in found.items():
        lines += _faults(folder, name, event)
    return lines


def _faults(folder: Path, name: str, event: type[Event]) -> Iterator[str]:
    known, today = versions(folder, name), schema_of(event)
    if not known:
        yield f"{name}: not committed yet, run `agora schemas write`"
    elif known[-1] != today:
        yield from _refusals(name, today, known) or [f"{name}: the class changed, run `agora schemas write`"]
    elif event.version != len(known):
        yield f"{name}: {len(known)} versions are committed, but the class says version = {event.version}"
    else:
        yield from _refusals(name, today, known[:-1])


def _refusals(name: str, today: Schema, known: list[Schema]) -> list[str]:
    return [
        f"{name} and its version {number}: {reason}"
        for number, before in enumerate(known, 1)
        for reason in conflicts(today, before)
    ]


def update(folder: Path, found: dict[str, type[Event]]) -> tuple[list[str], list[str]]:
    """Writes what is new or may change; returns the files written and the changes refused."""
    written: list[str] = []
    refused: list[str] = []
    for name, event in found.items():
        known, today = versions(folder, name), schema_of(event)
        if known and known[-1] == today:
            continue
        if reasons := _refusals(name, today, known):
            refused += reasons
            continue
        files = {f"{name}.avsc": _pretty(today), f"fixtures/{name}.{len(known) + 1}.bin": encoded(today)}
        if known:
            files[f"older/{name}.{len(known)}.avsc"] = _pretty(known[-1])
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        written += files
    return written, refused


def _pretty(schema: Schema) -> bytes:
    return (json.dumps(schema, indent=2) + "\n").encode()


def encoded(schema: Schema) -> bytes:
    """A sample record of a schema in Avro binary, always the same."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), sample(schema, {}))
    return out.getvalue()


def sample(kind: Any, known: dict[str, Any]) -> Any:
    """A value of an Avro type; of an optional one, the value that is not null."""
    kind = known.get(kind, kind) if isinstance(kind, str) else kind
    if isinstance(kind, list):
        return sample(next(branch for branch in kind if branch != "null"), known)
    if isinstance(kind, str):
        return _SAMPLES[kind]
    if "fields" in kind:
        known[f"{kind['namespace']}.{kind['name']}"] = kind
        return {field["name"]: sample(field["type"], known) for field in kind["fields"]}
    if kind["type"] == "array":
        return [sample(kind["items"], known)]
    if kind["type"] == "map":
        return {"key": sample(kind["values"], known)}
    return _SAMPLES[kind["logicalType"]]


def write() -> int:
    written, refused = update(FOLDER, events())
    for line in written:
        click.echo(f"written: {line}")
    for line in refused:
        click.echo(f"refused: {line}")
    return 1 if refused else 0


def check() -> int:
    found = events()
    lines = faults(FOLDER, found)
    for line in lines:
        click.echo(line)
    if not lines:
        click.echo(f"{len(found)} event schemas are committed and compatible with every version before")
    return 1 if lines else 0
