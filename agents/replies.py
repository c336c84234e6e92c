"""What the planner says: templates over a tool's result, strictly filled, so that nothing is invented."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kernel.money import Money

FOLDER = Path(__file__).parents[1] / "prompts" / "replies"
PHRASES = Path(__file__).with_name("phrases.yaml")
WORDS = {
    "placed": "waiting for its payment",
    "processing": "being packed",
    "partially_shipped": "partly on its way",
    "shipped": "on its way",
    "cancelling": "being cancelled",
    "requires_action": "waiting for your confirmation at the bank",
    "authorised": "reserved on your card, not yet charged",
    "authorized": "reserved on your card, not yet charged",
    "captured": "paid",
    "voided": "released, nothing was charged",
    "refunded": "given back",
    "unfulfilled": "not yet packed",
    "picking": "being packed",
    "solved": "solved",
    "in_transit": "waiting for your parcel",
    "partly_received": "partly back with the shop",
    "received": "back with the shop, being looked at",
    "inspected": "looked at; the money is on its way",
    "waiting_approval": "waiting for a person of the shop",
    "sending": "on its way",
    "succeeded": "done",
    "rejected": "refused",
    "pending": "waiting",
    "applied": "waiting to be approved",
    "risk": "it was not approved",
    "payment_declined": "the payment was declined",
    "stock_gone": "the new item sold out meanwhile",
    "already_packed": "it is being packed already",
}
"""States in people's words; others are said as they are."""


def words(state: str) -> str:
    return WORDS.get(state, state.replace("_", " "))


def happened(kind: str) -> str:
    """An event's name as a phrase: OrderConfirmed > "order confirmed"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[._]", " ", kind).lower()


def amount(view: Mapping[str, Any]) -> str:
    return str(Money(view["amount"], view["currency"]))


def day(instant: str) -> str:
    at = datetime.fromisoformat(instant)
    return f"{at.day} {at:%B %Y}"


def moment(instant: str) -> str:
    return f"{day(instant)}, {datetime.fromisoformat(instant):%H:%M} UTC"


def method(view: Mapping[str, Any]) -> str:
    """A saved way to pay."""
    if view["kind"] == "gift_card":
        return f"a gift card with {amount(view['balance'])} on it" if view.get("balance") else "a gift card"
    return f"{(view.get('brand') or 'card').capitalize()} ending in {view.get('last4') or '····'}"


def plain(text: str) -> str:
    """A search snippet without its marks and line breaks."""
    return " ".join(re.sub(r"<[^>]{1,20}>", "", text).split())


@lru_cache
def _environment() -> Environment:
    # plain text, never shown as markup by us: escaping would spoil it
    made = Environment(loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, autoescape=False)  # noqa: S701
    made.filters |= {"words": words, "happened": happened, "money": amount, "day": day, "instant": moment}
    made.filters |= {"method": method, "plain": plain}
    return made


def reply(template: str, **facts: Any) -> str:
    """Raises UndefinedError when a fact that the template needs is not there."""
    text = _environment().get_template(f"{template}.j2").render(**facts)
    return re.sub(r"\n{2,}", "\n", text).strip()


def told(tool: str, result: Mapping[str, Any]) -> str:
    """A tool's result in words; of a tool without a template only that it is done."""
    return reply(tool if (FOLDER / f"{tool}.j2").exists() else "done", result=result)


@lru_cache
def _phrases() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(PHRASES.read_text())
    return found


def can(tools: Iterable[str]) -> list[str]:
    """What one can do with these tools, each completing "I can ..."."""
    return [_phrases()["tools"][tool]["can"] for tool in tools if tool in _phrases()["tools"]]


def sentence(tool: str) -> str | None:
    """A sentence that wishes for the tool, as a person would send it."""
    known = _phrases()["tools"].get(tool)
    return str(known["say"]) if known else None


def question(tool: str, slot: str) -> str:
    asked = _phrases()["questions"]
    return str(asked.get(f"{tool}.{slot}") or asked.get(slot) or f"Please tell me the {slot.replace('_', ' ')}.")
