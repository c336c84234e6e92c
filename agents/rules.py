"""What an agent does about an event where no language model answers: a rule reads the facts and names the next step.

A rule is a pure function from the event's facts and what its tools said so far to the next call, or to the closing
words. It goes through the same binder, limits and policies as a model's calls.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, BaseMessage

Json = dict[str, Any]
Told = Mapping[str, Json]
"""The last answer of each tool that was called."""
Step = tuple[str, Json] | str
"""A call (tool, arguments), or the closing words."""
Rule = Callable[[Json, Told], Step]
MODEL = "rule"
"""What stands in the record in the place of a model's name."""


def woken(facts: Json) -> str:
    """An event as an agent is told of it."""
    listed = json.dumps(facts).replace("<", "\\u003c")  # no fact closes the mark
    return (
        f"The event {facts['event']} woke you; nobody is there to be asked. <facts>{listed}</facts>\n"
        "Look into it with your tools, do what your rules allow, and close with one or two sentences on what you did."
    )


def follow(rule: Rule, facts: Json, messages: "Sequence[BaseMessage]") -> "AIMessage":
    """The next turn by rule. What a tool refuses ends it: the words say why."""
    from langchain_core.messages import (
        AIMessage,
        ToolMessage,
    )  # the API knows the agents, and no language model library

    told: dict[str, Json] = {}
    for message in messages:
        if isinstance(message, ToolMessage) and message.name:
            told[message.name] = json.loads(str(message.content))
            if "error" in told[message.name]:
                return AIMessage(f"Nothing more was done: {told[message.name]['message']}")
    step = rule(facts, told)
    if isinstance(step, str):
        return AIMessage(step)
    name, args = step
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": f"rule-{len(told)}", "type": "tool_call"}])
