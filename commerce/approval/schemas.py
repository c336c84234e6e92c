"""Drafts, kinds and policies of proposals; decisions and views."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from kernel.db import Work
from kernel.ids import PublicId, RunId
from kernel.money import Money
from kernel.schemas import Command, Minor, MoneyView, View
from kernel.tables import Json

ProposalId = Annotated[UUID, PublicId("prp")]
Status = Literal["waiting", "accepted", "rejected", "expired", "failed"]


class Draft(View):
    """What an agent wants done, computed by code: the model chose no more than the tool's arguments.

    `object` is the public id of what it is about, `stance` the direction it pushes that object in; of one kind and object
    only one proposal can wait. `amount` is the money at stake (None: cannot be put in money), `change` the size of a
    relative change in basis points. `reason` is the agent's own words and is shown as such.
    """

    kind: str
    object: str
    stance: str
    arguments: Json
    amount: Money | None
    summary: str
    reason: str = ""
    change: int = 0
    customer_id: UUID | None = None
    merchant_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A proposal on its way to its effect; `id` makes that effect idempotent. `by` are the subjects of the people who
    agreed, none where a rule did."""

    id: UUID
    arguments: Json
    amount: Money | None
    by: tuple[str, ...] = ()


class Policy(Command):
    """Limits on the proposals of one kind by one agent. Amounts are minor units, of each currency on its own; null is no
    limit, except for `accept_most`: null means that a rule never accepts."""

    enabled: bool = True
    accept_most: Minor | None = Field(None, description="a rule accepts up to this amount at once")
    two_from: Minor | None = Field(None, description="two different people from this amount on")
    most: Minor | None = Field(None, description="the most one proposal may hold")
    change_most: Annotated[int, Field(ge=0, le=1_000_000)] | None = Field(
        None, description="the largest relative change, in basis points"
    )
    party_most_a_day: Minor | None = Field(None, description="for one customer or shop and day")
    agent_most_a_day: Minor | None = Field(None, description="by the agent and day")
    times_a_day: Annotated[int, Field(ge=0, le=1_000_000)] = Field(200, description="proposals of the agent and day")
    minutes: Annotated[int, Field(ge=1, le=20_160)] = Field(1440, description="how long it may wait for people")


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be proposed. `permission` is what a decider needs beside DECIDE; `stances` begin with the most careful.

    `moves` says whether money, stock or a price changes: then a rule never accepts what others' words may have asked for.
    `carry_out` runs as the system in the transaction of the decision; an AgoraError from it undoes it and fails the
    proposal. One that needs a saga starts it there and drives it after the commit (`Work.after_commit`)."""

    name: str
    permission: str
    stances: tuple[str, ...]
    policy: Policy
    carry_out: Callable[[Work, Accepted], Awaitable[Json]]
    moves: bool = True


class Decide(Command):
    """`digest`, when it is sent, must be that of the proposal as it was shown."""

    accept: bool
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)] = ""
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


class DecisionView(View):
    """`decider` is a person's subject, or `policy`."""

    decider: str
    accept: bool
    note: str
    at: datetime


class Proposed(View):
    """What the one who proposes is told."""

    proposal: ProposalId
    status: Status
    summary: str
    rule: str
    why: str
    code: str | None = None


class ProposalView(View):
    """A proposal as those see it who decide. `summary` says in words what happens on yes and is written by code, like
    the `amount`; `agent_says` is the agent's own reason. `needed` people must accept; `rule` is what the policy said.
    `run_id` is the run it came from: what the agent read and did stands there."""

    id: ProposalId
    agent: str
    kind: str
    object: str
    status: Status
    summary: str
    amount: MoneyView | None
    agent_says: str
    rule: str
    why: str
    needed: int
    decisions: list[DecisionView]
    digest: str
    run_id: RunId | None
    proposed_for: str
    code: str | None
    result: dict[str, Any] | None
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None


class PolicyView(View):
    """What holds for proposals of one kind by an agent; `own` when somebody set it."""

    kind: str
    policy: Policy
    own: bool
