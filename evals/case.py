"""A case: who says what in which world, and what must and must not come of it. Cases are files in `cases/<agent>/`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

HERE = Path(__file__).parent
CASES = HERE / "cases"
Who = Literal["ann", "ben", "cara", "dora", "guest", "north", "south", "support", "admin"]
"""The people of the world; a guest is somebody new in every case."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Call(Strict):
    """A tool call that must happen; arguments as far as they are named."""

    tool: str
    args: dict[str, Any] = Field(default_factory=dict)
    status: Literal["done", "confirmation", "failed", "refused"] = "done"


class Turn(Strict):
    """One thing a person does: says something, answers the open question, or calls the API beside the chat (`post` a path
    with a `body`: what wakes agents begins so). `who` when it is somebody else.

    `status` is the HTTP status. `tells` and `hides` are texts of the answer, `asks` of the question; `options` what is
    offered. The words of a model are its own: `tells` and `options` are graded with the planner alone. `script` is what
    a scripted model says where that is not just `calls`."""

    say: str | None = None
    confirm: bool | None = None
    post: str | None = None
    body: dict[str, Any] = Field(default_factory=dict)
    who: Who | None = None
    status: int = 200
    calls: list[Call] = Field(default_factory=list)
    tells: list[str] = Field(default_factory=list)
    hides: list[str] = Field(default_factory=list)
    asks: str | None = None
    options: list[str] = Field(default_factory=list)
    handoff: bool = False
    script: list[str | Call] | None = None

    @model_validator(mode="after")
    def _one_deed(self) -> Self:
        if sum(deed is not None for deed in (self.say, self.confirm, self.post)) != 1:
            raise ValueError("a turn says something, answers a question, or calls the API")
        return self


class Errand(Strict):
    """A message to an agent through the outbox instead of a chat."""

    agent: str
    kind: Literal["command", "query"]
    text: str
    calls: list[Call] = Field(default_factory=list)
    tells: list[str] = Field(default_factory=list)
    status: Literal["done", "failed"] = "done"
    script: list[str | Call] | None = None


class Budget(Strict):
    """What a whole case may use."""

    tool_calls: int = 8
    model_calls: int = 10
    seconds: float = 10.0


class Case(Strict):
    """`state` is the whole difference the case makes, table by table: rows as far as they are named, exactly so many.
    Tables of the effects named in `also` may change as well; nothing else may. `never` are tools that must not be
    called with success."""

    case: str
    agent: str = ""
    who: Who = "ann"
    turns: list[Turn] = Field(default_factory=list)
    errand: Errand | None = None
    state: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)
    also: list[str] = Field(default_factory=list)
    never: list[str] = Field(default_factory=list)
    budget: Budget = Budget()
    models: frozenset[str] = frozenset({"offline", "scripted"})

    @property
    def id(self) -> str:
        return f"{self.agent}/{self.case}"


def cases(agent: str | None = None, folder: Path = CASES) -> list[Case]:
    """All cases, or those of one agent, in the order of their files."""
    found = list(_read(folder))
    names = [case.id for case in found]
    if len(set(names)) != len(names):
        raise ValueError(f"two cases are called {next(name for name in names if names.count(name) > 1)}")
    return [case for case in found if agent in (None, case.agent)]


def _read(folder: Path) -> Iterator[Case]:
    for path in sorted(folder.glob("*/*.yaml")):
        for facts in yaml.safe_load(path.read_text()):
            yield Case(agent=path.parent.name, **facts)
