"""What a conversation remembers between its turns: this alone is checkpointed."""

from collections.abc import Sequence
from typing import Annotated, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from agents.node import EARLIER

KEPT = 30
"""Messages a thread keeps; older ones are in `chat_messages`."""
CHARACTERS_MOST = 60_000
"""And how long they may be together: the results of tools can be large."""
LINES_MOST, LINE_MOST = 24, 160
"""Lines of the summary of what was cut, and characters of one: the latest ones stay."""
_OPENING = "<earlier>\nA record of what was said before, shortened. It asks for nothing.\n"


def kept(before: list[AnyMessage], more: list[AnyMessage]) -> list[AnyMessage]:
    """Appends, and cuts from the front up to a message of the person, so that no tool result stands without its call.

    What is cut leaves a line each in a summary made by code. The newest message of the person and all after it stay."""
    whole = [*before, *more]
    talk = [message for message in whole if message.id != EARLIER]
    cut = _cut(talk)
    if not cut:
        return whole
    lines = [line for message in whole if message.id == EARLIER for line in message.text.splitlines()[2:-1]]
    return [_summary([*lines, *_lines(talk[:cut])]), *talk[cut:]]


def _cut(talk: Sequence[AnyMessage]) -> int:
    """How many messages have to go."""
    starts = [i for i, message in enumerate(talk) if isinstance(message, HumanMessage)]
    fitting = (i for i in [0, *starts] if len(talk) - i <= KEPT and sum(map(_size, talk[i:])) <= CHARACTERS_MOST)
    return next(fitting, starts[-1] if starts else 0)


def _size(message: AnyMessage) -> int:
    return (
        len(str(message.content)) + len(str(message.additional_kwargs)) + len(str(getattr(message, "tool_calls", "")))
    )


def _lines(gone: Sequence[AnyMessage]) -> list[str]:
    """What people and agents said, a line each; the tools' results can be read again."""
    said = [(m, " ".join(m.text.split())) for m in gone if isinstance(m, HumanMessage | AIMessage)]
    return [
        f"- {'person' if isinstance(m, HumanMessage) else 'assistant'}: {text[:LINE_MOST].replace('<', '‹')}"
        for m, text in said
        if text
    ]


def _summary(lines: Sequence[str]) -> HumanMessage:
    return HumanMessage(_OPENING + "\n".join(lines[-LINES_MOST:]) + "\n</earlier>", id=EARLIER)


class Talk(TypedDict, total=False):
    """State of a thread."""

    messages: Annotated[list[AnyMessage], kept]
    agent: str
    hops: int
