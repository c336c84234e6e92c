"""Sagas: what one transaction cannot reach, as ordered steps with a way back.

A definition is data. A `Local` step is part of a transaction; an `External` step is three: its intent is committed,
the call happens outside any transaction, its result is committed. The engine coalesces: one transaction settles the
last result, runs every local step that follows, and commits the next intent with its own progress, so a step boundary
costs nothing where no crash can fall between (ADR 0004).

* Exactly one worker moves an instance: it holds a lease (`due_at`), and every write says `where version = :seen`.
* An intent without a result is UNKNOWN: the same call with the same key is made again, by anyone. Never undone first.
* Steps before the pivot are undone when a later one fails; from the pivot on, the saga only goes forward.
* Undo is idempotent, retried with back-off, and ends with a person (`stuck`), never silently.
"""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel

from kernel.tables import Json

S = TypeVar("S", bound=BaseModel)


@dataclass(slots=True)
class Saga(Generic[S]):
    """One instance in memory. `state` is the definition's own model; steps change it, the engine stores it."""

    id: UUID
    kind: str
    subject_id: UUID
    state: S
    definition: int = 1
    status: str = "running"
    step: int = 0
    version: int = 1
    attempts: int = 0
    error: str | None = None
    deadline_at: datetime | None = None
    trace: str = ""
    done: set[str] = field(default_factory=set)
    wait_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Stay at this step until signalled, or for `seconds`; then it is asked again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Fail:
    """This step will never succeed: go back. `code` is kept as the saga's error."""

    code: str


Next = Wait | Fail | None
"""What a step answers: nothing (go on), wait, or fail."""


class Retry(Exception):
    """Raised by a call whose outcome is unknown or which did not happen: ask again with the same key."""


@dataclass(frozen=True, slots=True)
class Call(Generic[S]):
    """A call to another system. `key` is stable per saga, step and phase: the receiver makes it idempotent."""

    request: Callable[[Any, Saga[S]], Awaitable[Json | None]]
    """In the transaction: what will be asked (persisted as the intent), or None to skip the step."""
    send: Callable[[str, Json], Awaitable[Json]]
    """Outside any transaction: (key, request) > result. Raises Retry when the outcome is unknown."""
    settle: Callable[[Any, Saga[S], Json], Awaitable[Next]]
    """In the transaction that records the result."""


@dataclass(frozen=True, slots=True)
class Local(Generic[S]):
    name: str
    do: Callable[[Any, Saga[S]], Awaitable[Next]]
    undo: Callable[[Any, Saga[S]], Awaitable[None]] | None = None
    pivot: bool = False


@dataclass(frozen=True, slots=True)
class External(Generic[S]):
    name: str
    do: Call[S]
    undo: Call[S] | None = None
    pivot: bool = False


Step = Local[S] | External[S]


@dataclass(frozen=True, slots=True)
class Definition(Generic[S]):
    """A kind of saga. A changed order of steps is a new `version`; old ones stay registered until drained."""

    kind: str
    version: int
    state: type[S]
    steps: Sequence[Step[S]]
    on_end: Callable[[Any, Saga[S]], Awaitable[None]] | None = None

    def __post_init__(self) -> None:
        names = [step.name for step in self.steps]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.kind}: two steps have one name")
        if sum(step.pivot for step in self.steps) > 1:
            raise ValueError(f"{self.kind}: a saga has one pivot")

    @property
    def pivot(self) -> int:
        """Index of the step that decides: it may still refuse, none after it may. len(steps) when there is none."""
        return next((i for i, step in enumerate(self.steps) if step.pivot), len(self.steps))


EXTERNAL_POINTS = ("before_intent", "after_intent", "after_effect", "before_commit", "after_commit")
LOCAL_POINTS = ("before_commit", "after_commit")


def fault_points(definition: Definition[Any]) -> list[str]:
    """Every place of a definition where a test may kill the process: `kind.step.phase.place`."""
    points = []
    for step in definition.steps:
        places = EXTERNAL_POINTS if isinstance(step, External) else LOCAL_POINTS
        for phase in ("do", "undo") if step.undo else ("do",):
            points += [f"{definition.kind}.{step.name}.{phase}.{place}" for place in places]
    return points


BACK_OFF_MOST = 300.0
ATTEMPTS_MOST = 40
"""Failed attempts at one step before a person is called; with the back-off below this is about three hours."""


def back_off(attempts: int) -> float:
    """Seconds before attempt `attempts` + 1: exponential from 0.2 s to 5 min, with up to 25 % jitter."""
    return min(0.2 * 2.0 ** min(attempts, 20), BACK_OFF_MOST) * random.uniform(0.75, 1.0)  # noqa: S311  # jitter, not a secret
