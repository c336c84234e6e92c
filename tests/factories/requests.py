"""Requests made from the OpenAPI description: mostly right in shape, with a poisoned value here and there."""

import copy
import json
import random
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

Spec = dict[str, Any]
POISON: list[Any] = [
    *(None, True, False, 0, -1, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 1.5, 1e308),
    *(
        "",
        "x",
        "\0",
        "a\0b",
        "a" * 5000,
        "😀" * 60,
        "\u202e",
        "'; drop table orders;--",
        "%s%n",
        "../../etc",
        "{{7*7}}",
    ),
    *("<script>", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "-1", "1e5", "99999999999999999999.99", "NaN", "-0"),
    *([], {}, [[]] * 50, {"a": {"b": {"c": {}}}}, ["a"] * 2000, {"\0": "x"}, {"a" * 500: "b"}),
]
WORDS = ("abc", "a-b", "DE", "standard", "express", "1", "TEN", "OLD", "price", "5 words of some text")
POISONED_PARAMETERS, POISONED_BODIES = 0.25, 0.7


@dataclass
class Requests:
    """`known` ids come from answers: a generated request refers to things that exist, one's own and others'."""

    spec: Spec
    chance: random.Random
    known: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def learn(self, text: str) -> None:
        """Remembers the ids an answer shows."""
        for prefix, digits in re.findall(r'"([a-z]+)_([0-9a-f]{32})"', text):
            if len(self.known[prefix]) < 100:
                self.known[prefix].append(f"{prefix}_{digits}")

    def of(self, method: str, path: str) -> tuple[str, dict[str, Any]]:
        """The address and the other arguments of one request to an operation."""
        operation = self.spec["paths"][path][method.lower()]
        params: dict[str, str] = {}
        for parameter in operation.get("parameters", []):
            value = self._value(parameter["schema"], parameter["name"])
            if self.chance.random() < POISONED_PARAMETERS:
                value = self.chance.choice(POISON)
            if parameter["in"] == "path":
                path = path.replace("{" + parameter["name"] + "}", quote(str(value or "x")[:3000], safe=""))
            elif value is not None:
                params[parameter["name"]] = str(value)[:3000]
        return path, {"params": params, **self._body(operation)}

    def _body(self, operation: Spec) -> dict[str, Any]:
        if not (described := operation.get("requestBody")):
            return {}
        kind, media = next(iter(described["content"].items()))
        body = self._value(media["schema"], "")
        if self.chance.random() < POISONED_BODIES:
            body = _put(body, self.chance.choice(list(_places(body))), self.chance.choice(POISON))
        if "json" in kind:
            return {"content": json.dumps(body).encode(), "headers": {"Content-Type": "application/json"}}
        return {"data": {name: str(value) for name, value in body.items()} if isinstance(body, dict) else {}}

    def _value(self, schema: Spec, name: str) -> Any:
        while "$ref" in schema:
            schema = self.spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        if "anyOf" in schema:
            return self._value(self.chance.choice(schema["anyOf"]), name)
        if "enum" in schema:
            return self.chance.choice(schema["enum"])
        kind = schema.get("type", "string")
        if kind == "object":
            wanted = schema.get("properties", {}).items()
            needed = schema.get("required", [])
            return {n: self._value(s, n) for n, s in wanted if n in needed or self.chance.random() < 0.5}
        if kind == "array":
            return [self._value(schema.get("items", {}), name) for _ in range(self.chance.randrange(3))]
        plain = {"boolean": bool(self.chance.randrange(2)), "null": None, "number": 0.5}
        if kind == "integer":
            return self.chance.choice([1, 2, 5, 100, schema.get("minimum", 1), schema.get("maximum", 9999)])
        return plain[kind] if kind in plain else self._text(schema.get("pattern", ""), name)

    def _text(self, pattern: str, name: str) -> str:
        if found := re.match(r"\^([a-z]+)_\[0-9a-f\]", pattern):
            return self.chance.choice(self.known[found[1]] or [f"{found[1]}_{'0' * 32}"])
        if "[A-Z]{2}" in pattern:
            return self.chance.choice(("DE", "US", "XX"))
        if "[A-Z]{3}" in pattern:
            return self.chance.choice(("EUR", "USD", "XXX"))
        if "email" in name:
            return f"{self.chance.randrange(10**9)}@demo.test"
        if "token" in name:
            return self.chance.choice(("tok_success", "tok_decline"))
        return self.chance.choice(("web", "us", "moon") if name == "channel" else WORDS)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Any:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from _places(item, (*path, key))


def _put(value: Any, path: tuple[Any, ...], poison: Any) -> Any:
    if not path:
        return poison
    changed = copy.deepcopy(value)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = poison
    return changed
