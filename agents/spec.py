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
STAFF = frozenset({"support", "admin", "system"})
SELLERS = frozenset({"merchant", *STAFF})
"""Those who sell here, and those who look after them."""


@dataclass(frozen=True)
class AgentSpec:
    """One agent. `hand_offs` are the agents it may pass a conversation to; `limits` bind every run; `rules` say by event
    what is done where no language model answers.

    `cannot` completes "I cannot ...": what people ask this agent for and it has no tool for. It tells them so, and offers
    a person. `audience` are the roles it is for, to which alone a conversation is passed on; empty is everybody."""

    name: str
    purpose: str
    tools: tuple[Tool, ...] = ()
    hand_offs: frozenset[str] = frozenset()
    autonomy: Autonomy = "read"
    tier: Tier = "standard"
    limits: Limits = field(default_factory=Limits)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    cannot: str = ""
    audience: frozenset[str] = frozenset()

    def offered(self, principal: Principal) -> tuple[Tool, ...]:
        """Those tools that this person may use at all: a model is not told of the others."""
        return tuple(tool for tool in self.tools if tool.permission == PUBLIC or principal.may(tool.permission))

    @property
    def note(self) -> dict[str, str]:
        """What the planner reads of an agent beside its tools; the prompt says the same to a language model."""
        return {"agent": self.name, "cannot": self.cannot} if self.cannot else {}

    def serves(self, principal: Principal) -> bool:
        """Whether this agent is for this person."""
        return not self.audience or not self.audience.isdisjoint(principal.roles)

    def concerns(self, principal: Principal) -> bool:
        """Whether this person may be sent to this agent for something it cannot do."""
        return bool(self.cannot) and self.serves(principal)


def uses(*functions: Callable[[Any, Any], Awaitable[Any]]) -> tuple[Tool, ...]:
    """The tools of these functions."""
    return tuple(TOOLS[function.__name__] for function in functions)
