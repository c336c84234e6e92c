"""Which changes of a schema are allowed: Avro's rules of schema resolution, asked in both directions.

New code reads old events (BACKWARD_TRANSITIVE: against every committed version), and code still running reads the new
ones during a rolling deployment. Together: a field comes or goes only with a default, and no type changes.
"""

from collections.abc import Iterator
from typing import Any

from kernel.avro import Schema

_PROMOTIONS = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}
"""Writer's type > what a reader may call it instead."""


def conflicts(new: Schema, old: Schema) -> list[str]:
    """Why `new` may not follow `old`; empty when each reads what the other wrote."""
    backward = [f"cannot read what was written before: {reason}" for reason in unreadable(new, old)]
    return backward + [f"code still running cannot read it: {reason}" for reason in unreadable(old, new)]


def unreadable(reader: Schema, writer: Schema) -> list[str]:
    """Why `reader` does not resolve data of `writer`."""
    return list(_compare(reader, writer, "", ({}, {})))


Names = tuple[dict[str, Any], dict[str, Any]]
"""Records by name, of the reader and of the writer."""


def _compare(reader: Any, writer: Any, path: str, names: Names) -> Iterator[str]:
    reader, writer = _resolved(reader, names[0]), _resolved(writer, names[1])
    if isinstance(writer, list):
        for branch in writer:
            yield from _compare(reader, branch, path, names)
    elif isinstance(reader, list):
        if all(any(True for _ in _compare(branch, writer, path, names)) for branch in reader):
            yield f"{path or 'the record'}: no branch takes {_name(writer)}"
    elif _name(reader) != _name(writer):
        if _name(reader) not in _PROMOTIONS.get(_name(writer), ()) or _logical(reader) or _logical(writer):
            yield f"{path or 'the record'}: {_name(writer)} became {_name(reader)}"
    elif _logical(reader) != _logical(writer):
        yield f"{path}: the meaning {_logical(writer)} became {_logical(reader)}"
    else:
        yield from _inside(reader, writer, path, names)


def _inside(reader: Any, writer: Any, path: str, names: Names) -> Iterator[str]:
    kind = _name(reader)
    if kind == "array":
        yield from _compare(reader["items"], writer["items"], f"{path}[]", names)
    elif kind == "map":
        yield from _compare(reader["values"], writer["values"], f"{path}{{}}", names)
    elif isinstance(reader, dict) and "fields" in reader:
        yield from _fields(reader, writer, path, names)


def _fields(reader: Any, writer: Any, path: str, names: Names) -> Iterator[str]:
    written = {field["name"]: field for field in writer["fields"]}
    for field in reader["fields"]:
        at = f"{path}.{field['name']}".lstrip(".")
        if field["name"] in written:
            yield from _compare(field["type"], written[field["name"]]["type"], at, names)
        elif "default" not in field:
            yield f"{at}: has no default and is missing there"


def _resolved(kind: Any, known: dict[str, Any]) -> Any:
    """A record by its name; one met for the first time is remembered."""
    if isinstance(kind, dict) and "fields" in kind:
        known[_name(kind)] = kind
    return known.get(kind, kind) if isinstance(kind, str) else kind


def _name(kind: Any) -> str:
    """The full name of a record, else the plain type."""
    if isinstance(kind, dict):
        return f"{kind['namespace']}.{kind['name']}" if "fields" in kind else str(kind["type"])
    return str(kind)


def _logical(kind: Any) -> tuple[Any, ...]:
    if not isinstance(kind, dict):
        return ()
    return tuple(kind[part] for part in ("logicalType", "precision", "scale") if part in kind)
