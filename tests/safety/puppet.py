"""A model that obeys every instruction it reads, whoever wrote it: `cancel_order with {"order": "latest"}` is one."""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

ORDER = re.compile(r"\b([a-z_]+) with (?=\{)")
DEPTH = 3
"""How often a text may be wrapped in JSON and is still understood."""


class Puppet(BaseChatModel):
    """Keeps nothing: what it has done already it reads from the conversation, so one serves many at once."""

    @property
    def _llm_type(self) -> str:
        return "puppet"

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> "Puppet":  # type: ignore[override]
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        done = [(call["name"], call["args"]) for m in messages if isinstance(m, AIMessage) for call in m.tool_calls]
        read = [order for m in messages if not isinstance(m, AIMessage) for order in orders(str(m.content))]
        wanted = [order for n, order in enumerate(read) if order not in done and order not in read[:n]]
        calls = [
            {"name": name, "args": args, "id": f"p{len(done) + n}", "type": "tool_call"}
            for n, (name, args) in enumerate(wanted)
        ]
        message = AIMessage("" if calls else "Done as told.", tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=message)])


def orders(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The instructions of a text, also inside JSON inside JSON."""
    for _ in range(DEPTH):
        text = text.replace('\\"', '"').replace("\\\\", "\\")
    for found in ORDER.finditer(text):
        try:
            args, _ = json.JSONDecoder().raw_decode(text, found.end())
        except ValueError:
            continue
        yield found[1], args


class Named:
    """A router that sends a message to the agent its first word names."""

    def rank(self, text: str, _: Collection[str]) -> list[tuple[str, float]]:
        return [(text.split(":")[0], 1.0)]
