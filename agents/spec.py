"""What an agent is: data. `node.py` turns it into a node of the graph; what wakes it stands in `workers/subscriptions.py`."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from agents.rules import Rule
from commerce.orchestration import Limits
from kernel.auth import Principal
from tools.spec import PUBLIC, TOOLS, Tool

Autonomy = Literal["read", "propose", "limit", "free"]
"""How far an agent may go alone: only read; propose; act below a limit; act where it is reversible."""
Tier = Literal["small", "standard"]


@dataclass(frozen=True)
class AgentSpec:
    """One agent. `hand_offs` are the agents it may pass a conversation to; `limits` bind every run; `rules` say by event
    what is done where no language model answers."""

    name: str
    purpose: str
    tools: tuple[Tool, ...] = ()
    hand_offs: frozenset[str] = frozenset()
    autonomy: Autonomy = "read"
    tier: Tier = "standard"
    limits: Limits = field(default_factory=Limits)
    rules: Mapping[str, Rule] = field(default_factory=dict)

    def offered(self, principal: Principal) -> tuple[Tool, ...]:
        """Those tools that this person may use at all: a model is not told of the others."""
        return tuple(tool for tool in self.tools if tool.permission == PUBLIC or principal.may(tool.permission))


def uses(*functions: Callable[[Any, Any], Awaitable[Any]]) -> tuple[Tool, ...]:
    """The tools of these functions."""
    return tuple(TOOLS[function.__name__] for function in functions)
