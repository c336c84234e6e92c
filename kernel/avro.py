"""Avro schemas, derived from the event classes: the class is the source, the committed file the promise to readers.

Codes (Literal, StrEnum) are strings, not Avro enums: a reader that does not know a new code still reads the event.
"""

import json
import types
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from kernel.events import Event

NAMESPACE = "agora"
Schema = dict[str, Any]
Type = str | dict[str, Any] | list[Any]

_PLAIN: dict[type, Type] = {
    bool: "boolean",
    str: "string",
    int: "long",
    float: "double",
    UUID: {"type": "string", "logicalType": "uuid"},
    datetime: {"type": "long", "logicalType": "timestamp-micros"},
    date: {"type": "int", "logicalType": "date"},
    Decimal: {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 9},
}


def schema_of(event: type[Event]) -> Schema:
    """The record schema of an event class; raises TypeError for a field that no plain fact needs (Any, unions)."""
    found = _record(event, f"{NAMESPACE}.{event.topic.replace('-', '_')}", set())
    assert isinstance(found, dict)
    return found


def text(schema: Schema) -> str:
    """One line, keys sorted: what a registry is given, equal for equal schemas."""
    return json.dumps(schema, sort_keys=True, separators=(",", ":"))


def subject(schema: Schema) -> str:
    """Name of a schema in a registry: the record's full name, since a topic carries several events."""
    return f"{schema['namespace']}.{schema['name']}"


def _record(model: type[BaseModel], namespace: str, known: set[str]) -> Type:
    name = model.__name__
    if name in known:  # a schema defines a name once and refers to it afterwards
        return f"{namespace}.{name}"
    known.add(name)
    fields = [_field(field, info, namespace, known) for field, info in model.model_fields.items()]
    return {"type": "record", "name": name, "namespace": namespace, "fields": fields}


def _field(name: str, info: FieldInfo, namespace: str, known: set[str]) -> dict[str, Any]:
    kind = _type(info.annotation, namespace, known)
    if info.is_required():
        return {"name": name, "type": kind}
    default = to_jsonable_python(info.get_default(call_default_factory=True, validated_data={}))
    if isinstance(kind, list) and default is not None:  # a default belongs to the first branch of a union
        kind = [branch for branch in kind if branch != "null"] + ["null"]
    return {"name": name, "type": kind, "default": default}


def _type(found: Any, namespace: str, known: set[str]) -> Type:
    found = getattr(found, "__supertype__", found)
    origin, args = get_origin(found), get_args(found)
    if origin is Annotated:
        return _type(args[0], namespace, known)
    if origin is Literal:
        return _type(type(args[0]), namespace, known)
    if origin in (Union, types.UnionType):
        return _optional(args, namespace, known)
    if origin in (list, tuple):
        return {"type": "array", "items": _type(args[0], namespace, known)}
    if origin is dict:
        return {"type": "map", "values": _type(args[1], namespace, known)}
    if isinstance(found, type) and issubclass(found, BaseModel):
        return _record(found, namespace, known)
    if isinstance(found, type) and issubclass(found, Enum):
        return _type(type(next(iter(found)).value), namespace, known)
    if found in _PLAIN:
        return _PLAIN[found]
    raise TypeError(f"{found} has no place in an event: use ids, numbers, codes, instants, or a model of them")


def _optional(args: tuple[Any, ...], namespace: str, known: set[str]) -> Type:
    inner = [arg for arg in args if arg is not type(None)]
    if len(inner) != 1 or len(args) != 2:
        raise TypeError(f"{args}: the only union an event may hold is `X | None`")
    return ["null", _type(inner[0], namespace, known)]
