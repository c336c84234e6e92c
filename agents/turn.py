"""One turn of an agent's work: whose wish it carries out, what it has used, and what came of it. Never checkpointed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from commerce.chat.schemas import Accepted, ConfirmationView, HandoffView
from commerce.orchestration.schemas import ModelTurn, Trigger
from kernel.auth import Principal

Hear = Callable[[str, dict[str, Any]], Awaitable[None]]


async def deaf(_: str, __: dict[str, Any]) -> None:
    """Nobody listens while the turn runs: its answer is read at the end."""


@dataclass(slots=True)
class Turn:
    """One turn: whose it is, and what came of it. `facts` are what this person told us before, `past` are model turns of an attempt that
    died."""

    run_id: UUID
    principal: Principal
    role: str
    trigger: Trigger = "chat"
    thread_id: UUID | None = None
    facts: list[str] = field(default_factory=list)
    past: list[ModelTurn] = field(default_factory=list)
    unkept: list[ModelTurn] = field(default_factory=list)
    """Model turns that are not in the journal yet: they go there with what is done because of them."""
    accepted: Accepted | None = None
    event: dict[str, Any] | None = None
    """The facts of the event that woke the agent."""
    hear: Hear = deaf
    until: float = 0.0
    model_calls: int = 0
    tool_calls: int = 0
    cost_micro: int = 0
    # --- what came of it ---
    text: str = ""
    agent: str = ""
    notice: str | None = None
    options: list[str] = field(default_factory=list)
    blocked: str | None = None
    model: str = ""
    prompt: str = ""
    failed: str | None = None
    confirmation: ConfirmationView | None = None
    handoff: HandoffView | None = None
