"""Pure rules of support: which move is legal, what it does to the clock, how urgent a question may be, placeholders."""

import re
from collections.abc import Mapping

TRANSITIONS: dict[str, frozenset[str]] = {
    "open": frozenset({"pending", "solved"}),
    "pending": frozenset({"open", "solved"}),
    "solved": frozenset({"open", "closed"}),
    "closed": frozenset(),
}
"""What the house may do. `pending` waits for the owner; `closed` is final."""

OWNER_TRANSITIONS: dict[str, frozenset[str]] = {
    "open": frozenset({"solved"}),
    "pending": frozenset({"solved"}),
    "solved": frozenset({"open"}),
    "closed": frozenset(),
}

CLOCK: dict[tuple[str, str], tuple[str, ...]] = {
    ("open", "pending"): ("clock_paused",),
    ("open", "solved"): ("clock_stopped",),
    ("pending", "open"): ("clock_resumed",),
    ("pending", "solved"): ("clock_resumed", "clock_stopped"),
    ("solved", "open"): ("clock_restarted",),
    ("solved", "closed"): (),
}
"""What every legal move does to the clock of the resolution: each step is an event of its own. The clock of the first
response never pauses: only an answer ends it."""

PRIORITIES = ("low", "normal", "high", "urgent")
OWNER_MOST = "high"
"""The most urgent an owner may call a question; `urgent` is the house's own word."""
BY_CATEGORY = {"payment": "high", "account": "high"}
"""How urgent a question is when nobody says so; money and access come first, everything else is normal."""

PLACEHOLDERS = ("name", "number", "order", "subject")
_PLACEHOLDER = re.compile(r"\{\{ ?([a-z_]+) ?\}\}")


def may_become(side: str, status: str, wanted: str) -> bool:
    """Whether `side` (`owner` or `staff`) may move a ticket so."""
    return wanted in (TRANSITIONS if side == "staff" else OWNER_TRANSITIONS)[status]


def priority(category: str, wish: str | None, side: str) -> str:
    """The priority a new ticket gets."""
    if wish is None:
        return BY_CATEGORY.get(category, "normal")
    most = PRIORITIES.index("urgent" if side == "staff" else OWNER_MOST)
    return PRIORITIES[min(PRIORITIES.index(wish), most)]


def wrong_placeholders(text: str) -> list[str]:
    """Placeholders nobody can fill, and braces that are none; empty for a good macro."""
    wrong = [found for found in _PLACEHOLDER.findall(text) if found not in PLACEHOLDERS]
    rest = _PLACEHOLDER.sub("", text)
    return sorted(set(wrong)) + [brace for brace in ("{", "}") if brace in rest]


def missing_facts(text: str, facts: Mapping[str, str | None]) -> list[str]:
    """Placeholders of `text` for which there is no fact."""
    return sorted({found for found in _PLACEHOLDER.findall(text) if not facts[found]})


def filled(text: str, facts: Mapping[str, str | None]) -> str:
    """`text` with its placeholders replaced, once: braces inside a fact stay what they are."""
    return _PLACEHOLDER.sub(lambda match: facts[match[1]] or "", text)
