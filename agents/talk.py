"""What a conversation holds for the planner, read from its messages alone: it keeps nothing between two turns."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

Json = dict[str, Any]


class Wish(TypedDict):
    """A tool somebody wants, what is known of its arguments, what comes after it, and the words it was said in."""

    tool: str
    args: Json
    then: list[str]
    text: str


@dataclass(slots=True)
class Talk:
    """`order` is the number of the order shown last, `orders` all that were shown; `products` and `cart` are the last.

    `agent` and `cannot` are set by an agent that people ask for what it has no tool for.
    `pending`, `picks` come from the planner's last answer; `clarified` is how many answers in a row asked back."""

    count: int
    order: str | None = None
    orders: dict[str, Json] = field(default_factory=dict)
    products: list[Json] = field(default_factory=list)
    pending: Json | None = None
    picks: dict[str, Wish] = field(default_factory=dict)
    clarified: int = 0
    agent: str = ""
    cannot: str = ""
    among: Sequence[str] = ()
    """Everything its person may wish for, through this agent or another; empty where that is not known."""


_WORD = re.compile(r"\w+")
_FIRST = re.compile(r"^\W*(?:the )?(first|second|third|fourth|fifth)(?: one)?\W*$", re.I)
_PLACES = ("first", "second", "third", "fourth", "fifth")


def picked(text: str, options: Iterable[str]) -> str | None:
    """The option a person means: as it was offered, by its place, or by words that only it has."""
    offered = list(options)
    if place := _FIRST.match(text):
        number = _PLACES.index(place[1].lower())
        return offered[number] if number < len(offered) else None
    words = set(_WORD.findall(text.casefold())) - {"the", "a", "one", "please", "in", "it"}
    fitting = [option for option in offered if words and words <= set(_WORD.findall(option.casefold()))]
    whole = [option for option in fitting if option.casefold() == text.strip().casefold()]
    return next(iter(whole or (fitting if len(fitting) == 1 else [])), None)


def said(message: BaseMessage) -> str:
    """Its text; parts that are no text are left out."""
    if isinstance(message.content, str):
        return message.content.strip()
    parts = [part if isinstance(part, str) else str(part.get("text", "")) for part in message.content]
    return " ".join(parts).strip()


def result_of(message: ToolMessage) -> Json:
    """A tool's answer; what is no JSON object is told as a failure."""
    try:
        found = json.loads(said(message))
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    return {"error": "unreadable", "advice": "stop", "message": "This did not work."}


def call_of(messages: Sequence[BaseMessage], call_id: str) -> tuple[str, Json, Json]:
    """Name and arguments of a call, and the additional facts of the message that made it."""
    for message in reversed(messages):
        if isinstance(message, AIMessage):
            for call in message.tool_calls:
                if call["id"] == call_id:
                    return call["name"], call["args"], message.additional_kwargs
    return "", {}, {}


def read(messages: Sequence[BaseMessage]) -> Talk:
    talk = Talk(count=len(messages))
    for message in messages:
        if isinstance(message, ToolMessage):
            _shown(talk, result_of(message))
        elif isinstance(message, AIMessage) and not message.tool_calls:
            talk.clarified = talk.clarified + 1 if message.additional_kwargs.get("clarify") else 0
        elif isinstance(message, AIMessage):
            talk.clarified = 0
        elif isinstance(message, SystemMessage):
            talk.agent = message.additional_kwargs.get("agent", "")
            talk.cannot = message.additional_kwargs.get("cannot", "")
            talk.among = message.additional_kwargs.get("among", ())
    before = messages[-2] if len(messages) > 1 and isinstance(messages[-1], HumanMessage) else None
    if isinstance(before, AIMessage):
        talk.pending = before.additional_kwargs.get("pending")
        talk.picks = before.additional_kwargs.get("picks") or {}
    return talk


def _shown(talk: Talk, result: Json) -> None:
    items = result.get("items", [result.get("order", result)])
    if not isinstance(items, list):
        return
    orders = [item for item in items if isinstance(item, dict) and "number" in item and "totals" in item]
    products = [item for item in items if isinstance(item, dict) and isinstance(item.get("variants"), list)]
    if orders:
        talk.orders |= {order["number"]: order for order in orders}
        talk.order = orders[0]["number"] if len(orders) == 1 else None
    if products:
        talk.products = products
