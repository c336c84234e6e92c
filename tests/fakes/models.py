"""A model that says what a test wrote, in order; and a router that knows what a test told it."""

from collections.abc import Collection, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

Line = str | dict[str, Any] | list[dict[str, Any]]
"""A text, one call `{"tool": ..., **args}`, or several."""


class Script(BaseChatModel):
    """Answers with the next line; keeps what it was asked."""

    lines: list[Any]
    asked: list[list[BaseMessage]]
    bound: list[list[str]]

    @property
    def _llm_type(self) -> str:
        return "script"

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> "Script":  # type: ignore[override]
        self.bound.append([tool["function"]["name"] for tool in tools])
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        self.asked.append(messages)
        line = self.lines.pop(0) if self.lines else "That is all."
        return ChatResult(generations=[ChatGeneration(message=message(line, len(self.asked)))])


def message(line: Line, number: int) -> AIMessage:
    if isinstance(line, str):
        return AIMessage(line)
    calls = line if isinstance(line, list) else [line]
    return AIMessage(
        "",
        tool_calls=[
            {
                "name": call["tool"],
                "args": {k: v for k, v in call.items() if k != "tool"},
                "id": f"c{number}{i}",
                "type": "tool_call",
            }
            for i, call in enumerate(calls)
        ],
    )


class Ranked:
    """Ranks what a test says first."""

    def __init__(self, name: str = "none") -> None:
        self.name = name

    def rank(self, _: str, __: Collection[str]) -> list[tuple[str, float]]:
        return [(self.name, 1.0)]
