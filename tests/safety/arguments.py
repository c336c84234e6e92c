"""Arguments as a model may make them up: from each tool's own JSON schema, from names that exist, or neither."""

import string
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tools.spec import TOOLS

Given = st.SearchStrategy[Any]
JUNK: Given = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=12), st.lists(st.integers(), max_size=2)
)
CHARACTERS = st.characters(codec="utf-8", exclude_categories=("Cs",))


def calls(names: Sequence[str]) -> Given:
    """(tool, arguments): any tool there is, also one that is not, with names of anybody's things in its texts."""
    known = {name: arguments(tool.command.model_json_schema(), names) for name, tool in sorted(TOOLS.items())}
    right = st.sampled_from(sorted(known)).flatmap(lambda name: st.tuples(st.just(name), known[name]))
    wrong = st.tuples(
        st.sampled_from([*sorted(known), "pass_on", "drop_table"]),
        st.dictionaries(st.sampled_from(["order", "sku", "customer_id", "merchant_id", "x"]), JUNK, max_size=3),
    )
    return st.one_of(*[right] * 9, wrong)


def arguments(schema: dict[str, Any], names: Sequence[str], defs: dict[str, Any] | None = None) -> Given:
    """Values of a JSON schema."""
    defs = defs or schema.get("$defs", {})
    if "$ref" in schema:
        return arguments(defs[schema["$ref"].rsplit("/", 1)[-1]], names, defs)
    if "anyOf" in schema:
        return st.one_of(*(arguments(one, names, defs) for one in schema["anyOf"]))
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    made = {"object": _object, "array": _array, "string": _text, "integer": _number}.get(schema.get("type", ""))
    if made:
        return made(schema, names, defs)
    return {"boolean": st.booleans(), "null": st.none()}.get(schema.get("type", ""), JUNK)


def _object(schema: dict[str, Any], names: Sequence[str], defs: dict[str, Any]) -> Given:
    parts = {name: arguments(part, names, defs) for name, part in schema.get("properties", {}).items()}
    needed = {name: parts.pop(name) for name in schema.get("required", [])}
    return st.fixed_dictionaries(needed, optional=parts)


def _array(schema: dict[str, Any], names: Sequence[str], defs: dict[str, Any]) -> Given:
    least = schema.get("minItems", 0)
    return st.lists(arguments(schema.get("items", {}), names, defs), min_size=least, max_size=max(least, 3))


def _text(schema: dict[str, Any], names: Sequence[str], _: dict[str, Any]) -> Given:
    least, most = schema.get("minLength", 0), min(schema.get("maxLength", 60), 60)
    free = st.text(CHARACTERS, min_size=least, max_size=max(least, most))
    plain = st.text(string.ascii_letters + string.digits, min_size=max(least, 1), max_size=max(least, 8))
    fitting = st.from_regex(schema["pattern"], fullmatch=True) if "pattern" in schema else plain
    return st.one_of(*[st.sampled_from(names)] * 6, fitting, free)


def _number(schema: dict[str, Any], _: Sequence[str], __: dict[str, Any]) -> Given:
    least, most = schema.get("minimum", -5), schema.get("maximum", 2_000_000)
    return st.one_of(st.integers(least, min(most, max(least, 3))), st.integers(least, most))
