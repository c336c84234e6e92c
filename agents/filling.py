"""The arguments of a wish: what the sentence says, by the tool's own schema, and what is still missing."""

import re
from collections.abc import Callable
from typing import Any

from agents import slots
from agents.postal import NEEDED, address_of, country_of
from agents.talk import Json, Talk
from agents.wording import product_words, returned_words

SUBJECT_MOST = 80
STORY_WORDS = 4
"""Fewer words do not tell what happened."""
_SHELF = re.compile(
    r"\b(?:stock of|units of|how many|how much)\s+(?:of )?(?:the |my |our )?(.+?)(?:\s+(?:do|are|is|have|in)\b.*|[?.!]*)$",
    re.I,
)
_SPAN = re.compile(r"\b(?:of|in|over) the (?:last|past) (?:30|thirty) days\b", re.I)
_PRICED = re.compile(
    r"\bprices?\b.*?\b(?:of|for)\s+(.+?)(?:\s+(?:changed|developed|gone|now|before|over time|so far|lately)\b.*|[?.!]*)$",
    re.I,
)
_WISH = re.compile(
    r"^(?:please )?(?:i (?:want|would like|need)|i'd like|can i|open|create|file|report|lodge|raise|make)\b.{0,60}\b(?:ticket|complaint|problem|case|issue)\W*$",
    re.I,
)


def filled(tool: str, schema: Json, text: str, talk: Talk, known: Json) -> Json:
    """`known` and what the text says besides, only for arguments that the schema has."""
    properties: Json = schema.get("properties", {})
    args = dict(known)
    if "line1" in properties:
        args = _address(text, {}) | args
    for slot, described in properties.items():
        if slot not in args and (value := value_of(tool, slot, described, text, talk)) is not None:
            args[slot] = value
    if _nested(properties):
        args["address"] = _address(text, _present(talk, args.get("order"))) | args.get("address", {})
    return args


def missing(schema: Json, args: Json) -> list[str]:
    """Required arguments that are not there; of an address that is there in part, its fields. The order first."""
    found = [slot for slot in schema.get("required", []) if args.get(slot) in (None, "", {})]
    found.sort(key=lambda slot: slot != "order")
    if _nested(schema.get("properties", {})) and "address" not in found and "address" in schema.get("required", []):
        found += [f"address.{name}" for name in NEEDED if not args["address"].get(name)]
    if "line1" in found:
        return ["address"] if len(found) > 2 else [f"address.{slot}" for slot in found]
    return [f"address.{slot}" if "line1" in schema.get("properties", {}) and slot in NEEDED else slot for slot in found]


def value_of(tool: str, slot: str, described: Json, text: str, talk: Talk) -> Any:
    """What a sentence says for one argument; None when it says nothing."""
    if slot == "code":
        return (slots.gift_card_of if described.get("minLength", 0) >= 8 else slots.coupon_of)(text)
    if slot == "q" and tool != "find_products":
        return _question(tool, text)
    if tool.startswith(("propose_", "find_in_warehouse")) and slot in _PROPOSED:
        return _PROPOSED[slot](text)
    if tool == "price_of" and slot == "product" and (match := _PRICED.search(_SPAN.sub("", text))):
        return product_words(match.group(1))
    if tool == "remember":
        return slots.fact_of(text) if slot == "text" else None
    if slot == "product" and tool == "request_return":
        return returned_words(text)
    if slot == "address" and described.get("type") != "string":
        return None
    reader = _READERS.get(slot)
    return reader(text, talk) if reader else None


def answer(slot: str, tool: str, schema: Json, text: str, talk: Talk, args: Json) -> Json | None:
    """The arguments with an answer to the question for `slot` in them; None when it is no answer to it."""
    properties: Json = schema.get("properties", {})
    if slot.startswith("address"):
        return _address_answer(slot, properties, text, args)
    value = value_of(tool, slot, properties.get(slot, {}), text, talk)
    if value is None and slot in _FREE:
        value = text[:200].strip()
    if value is None and slot == "code" and re.fullmatch(r"[\w-]{3,40}", text.strip()):
        value = text.strip()
    if value is None and slot == "quantity":
        value = slots.number_of(text)
    found = filled(tool, schema, text, talk, args) if slot in ("order", "sku") else dict(args)
    return found | ({slot: value} if value else {}) if value else None


def story(text: str, _: Talk | None = None) -> str | None:
    """What happened, in the person's words; the bare wish to complain is not it."""
    told = text.strip()
    return told if len(told.split()) >= STORY_WORDS and not _WISH.match(told) else None


def _address_answer(slot: str, properties: Json, text: str, args: Json) -> Json | None:
    nested = _nested(properties)
    present = dict(args.get("address", {})) if nested else {k: v for k, v in args.items() if k in properties}
    found = address_of(text)
    field = slot.partition(".")[2]
    if found:
        fields = present | found.fields
    elif field == "country":
        country = country_of(text)
        fields = present | {"country": country} if country else {}
    elif field:
        fields = present | {field: text.strip(" .!")[:200]}
    else:
        fields = {}
    if not fields:
        return None
    return {**args, "address": fields} if nested else {**args, **fields}


def _address(text: str, present: Json) -> Json:
    """The address in the text; name and country of the `present` one stay where the text says nothing else."""
    found = address_of(text)
    if found is None:
        return {}
    return {name: present[name] for name in ("name", "country") if present.get(name)} | found.fields


def _present(talk: Talk, order: object) -> Json:
    number = talk.order if order in (None, "latest") else order
    present: Json = talk.orders.get(str(number), {}).get("shipping_address") or {}
    return present


def _nested(properties: Json) -> bool:
    return "address" in properties and properties["address"].get("type") != "string"


def _question(tool: str, text: str) -> str | None:
    if tool == "merchant_stock":
        match = _SHELF.search(text)
        return product_words(match.group(1)) if match else None
    return text[:300] or None


def _product(text: str, talk: Talk) -> str | None:
    if words := product_words(text):
        return words
    return str(talk.products[0]["name"]) if len(talk.products) == 1 else None


def _most(text: str, _: Talk) -> int | None:
    number = slots.number_of(text)
    return number if number and 1 < number <= 20 else None


_PROPOSED: dict[str, Callable[[str], Any]] = {
    "purchase": slots.purchase_of,
    "verdict": slots.verdict_of,
    "ticket": slots.ticket_of,
    "amount": slots.minor_of,
    "price": slots.minor_of,
    "sku": slots.sku_of,
    "quantity": slots.units_of,
}
"""Of tools that propose, or look into bins: they are for staff and merchants, who name things by their codes."""
_FREE = ("q", "product", "reason", "text", "subject")
_READERS: dict[str, Callable[[str, Talk], Any]] = {
    "order": lambda text, talk: slots.order_of(text, talk.order),
    "ticket": lambda text, _: slots.ticket_of(text),
    "q": lambda text, _: product_words(text),
    "product": _product,
    "most": _most,
    "reason": lambda text, _: slots.reason_of(text),
    "quantity": lambda text, _: slots.quantity_of(text),
    "payment_method": lambda text, _: slots.card_of(text),
    "address": lambda text, _: slots.place_of(text),
    "to": lambda text, _: slots.country_in(text),
    "shipping_method": lambda text, _: slots.shipping_of(text),
    "days": lambda text, _: slots.days_of(text),
    "below": lambda text, _: slots.below_of(text),
    "text": story,
    "about": lambda text, _: slots.forgotten_of(text),
    "subject": lambda text, _: (story(text) or "")[:SUBJECT_MOST] or None,
}
