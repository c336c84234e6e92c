"""What a tool is: a thin typed function over a service, and what it is allowed to be.

The argument schema is a service command (or one with the same rules): a model's output is never more than its fields.
The docstring is prompt text: what it does, when to use it, what to do when it fails.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar, get_type_hints
from uuid import UUID

from commerce.app import Commerce
from kernel.auth import Principal
from kernel.db import Work
from kernel.saga_engine import Run
from kernel.schemas import Command, View

PUBLIC = "public"
"""The permission of tools that anybody may use."""

C = TypeVar("C", bound=Command)
Answer = View | list[Any]
Show = Callable[[Work], Awaitable[Answer]]
Look = Callable[[Commerce, Any], Awaitable[Any]]
"""Asks a model or an index, before the transaction of the tool: inside one nobody waits for either."""


class NoArguments(Command):
    """Of a tool that needs none."""


class Effect(StrEnum):
    READ = "read"
    WRITE = "write"
    """Waits for the person's own yes: the service demands it (`kernel.consent`)."""
    PROPOSE = "propose"
    """Returns a draft: it becomes a proposal that a person or a rule accepts (`commerce.approval`)."""


@dataclass(slots=True)
class Call:
    """What a tool has in hand: the services, its transaction, and whose wish it is."""

    commerce: Commerce
    work: Work
    principal: Principal
    thread_id: UUID | None
    looked: Any = None
    """What the tool's `look` found before the transaction."""
    sagas: list[tuple[Run, Show]] = field(default_factory=list)

    def started(self, run: Run, show: Show) -> None:
        """A saga this call began: driven on after the commit, and then shown again."""
        self.sagas.append((run, show))


@dataclass(frozen=True)
class Tool:
    """`context` is the folder it comes from. `permission` is what a person needs to be offered it; `also` are further
    ones its service asks for on the way."""

    name: str
    context: str
    effect: Effect
    permission: str
    command: type[Command]
    run: Callable[[Call, Any], Awaitable[Answer]]
    description: str
    also: frozenset[str] = frozenset()
    look: Look | None = None

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The form in which a model is told about it."""
        parameters = self.command.model_json_schema()
        parameters.pop("title", None)
        parameters.pop("description", None)
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": parameters},
        }


TOOLS: dict[str, Tool] = {}
"""Every tool by its name."""


def tool(
    effect: Effect, permission: str, *also: str, look: Look | None = None
) -> Callable[[Callable[[Call, C], Awaitable[Answer]]], Callable[[Call, C], Awaitable[Answer]]]:
    """Declares a function `(call, args: Command) -> View` a tool, named like the function."""

    def declare(run: Callable[[Call, C], Awaitable[Answer]]) -> Callable[[Call, C], Awaitable[Answer]]:
        name = run.__name__
        if name in TOOLS:
            raise ValueError(f"two tools are called {name}")
        TOOLS[name] = Tool(
            name=name,
            context=run.__module__.rsplit(".", 1)[-1],
            effect=effect,
            permission=permission,
            command=get_type_hints(run)["args"],
            run=run,
            description=inspect.getdoc(run) or "",
            also=frozenset(also),
            look=look,
        )
        return run

    return declare


def grants(tools: tuple[Tool, ...]) -> frozenset[str]:
    """The permissions an agent with these tools has at the most; the person's own bound them further."""
    return frozenset(name for tool in tools for name in (tool.permission, *tool.also) if name != PUBLIC)
