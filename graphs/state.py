"""What a conversation remembers between its turns: this alone is checkpointed."""

from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage

KEPT = 30
"""Messages a thread keeps; older ones are in `chat_messages`."""


def kept(before: list[AnyMessage], more: list[AnyMessage]) -> list[AnyMessage]:
    """Appends, and cuts from the front up to a message of the person, so that no tool result stands without its call."""
    whole = [*before, *more]
    if len(whole) <= KEPT:
        return whole
    tail = whole[-KEPT:]
    first = next((i for i, message in enumerate(tail) if isinstance(message, HumanMessage)), 0)
    return tail[first:]


class Talk(TypedDict, total=False):
    """State of a thread."""

    messages: Annotated[list[AnyMessage], kept]
    agent: str
    hops: int
