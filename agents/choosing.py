"""Which of the things a look-up showed somebody means: by their words, never by guessing between two."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from agents.talk import Json

ALIKE = 0.8
"""Share of equal letters from which two words are the same but for a typing error."""
SHOWN_MOST = 5


@dataclass(frozen=True, slots=True)
class Choice:
    """`label` is how a person says it, `value` what the tool takes; `words` are what it can be called by."""

    label: str
    value: str
    words: tuple[str, ...]
    available: int = 1


def of_products(products: list[Json]) -> list[Choice]:
    return [
        _choice(product["name"], variant["options"], variant["sku"], variant["available"])
        for product in products
        for variant in product["variants"]
    ]


def of_cart(cart: Json) -> list[Choice]:
    return [_choice(line["name"], line["options"], line["sku"], 1) for line in cart.get("lines", [])]


def of_order(order: Json) -> list[Choice]:
    """The items of an order of which units are left."""
    lines = [line for line in order.get("lines", []) if line["quantity"] > line.get("cancelled", 0)]
    return [_choice(line["name"], line["options"], line["sku"], 1) for line in lines]


def of_addresses(found: Json) -> list[Choice]:
    fields = ("name", "line1", "line2", "postal_code", "city", "region", "country")
    return [
        Choice(
            ", ".join(str(place[name]) for name in fields if place.get(name)),
            place["id"],
            _words(" ".join(str(place.get(name, "")) for name in fields)),
        )
        for place in found.get("items", [])
    ]


def fitting(words: str | None, choices: list[Choice]) -> tuple[list[Choice], bool]:
    """The choices that most of the words name, and whether every word names them. Without words all of them do."""
    wanted = _words(words or "")
    if not wanted:
        return choices, True
    hits = [sum(any(_alike(word, other) for other in choice.words) for word in wanted) for choice in choices]
    most = max(hits, default=0)
    if most == 0:
        return [], False
    return [choice for choice, hit in zip(choices, hits, strict=True) if hit == most], most == len(wanted)


def _choice(name: str, options: dict[str, str], sku: str, available: int) -> Choice:
    label = ", ".join([name, *options.values()])
    return Choice(label, sku, _words(f"{label} {' '.join(options)} {sku}"), available)


_SILENT = frozenset(
    [
        "the",
        "a",
        "an",
        "of",
        "in",
        "with",
        "for",
        "my",
        "our",
        "and",
        "to",
        "from",
        "on",
        "address",
        "old",
        "saved",
        "one",
        "item",
        "please",
        "size",
        "color",
        "colour",
    ]
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in re.findall(r"[\w-]+", text.lower()) if word not in _SILENT)


def _alike(one: str, other: str) -> bool:
    """Equal, or so long that a plural or a typing error does not make another word of it."""
    if one == other or one.rstrip("s") == other.rstrip("s"):
        return True
    return min(len(one), len(other)) > 3 and SequenceMatcher(None, one, other).ratio() >= ALIKE
