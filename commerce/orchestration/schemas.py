"""Views of sagas and dead letters."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from kernel.ids import PublicId, RunId
from kernel.schemas import Command, View

SagaId = Annotated[UUID, PublicId("sag")]
DeadLetterId = Annotated[UUID, PublicId("dlt")]
SagaStatus = Literal["running", "waiting", "compensating", "completed", "compensated", "stuck"]
LetterStatus = Literal["parked", "dead", "replayed", "dismissed"]


class StepView(View):
    """One phase of a step: what was asked and what came back. `intent` means that the outcome is not known yet."""

    name: str
    phase: str
    status: str
    key: str
    result: dict[str, Any] | None
    at: datetime


class SagaView(View):
    """`error` is the business reason it went back for; `cause` is why its last attempt failed."""

    id: SagaId
    kind: str
    subject_id: UUID
    status: str
    error: str | None
    cause: str | None
    attempts: int
    due_at: datetime
    deadline_at: datetime | None
    created_at: datetime
    updated_at: datetime
    steps: list[StepView] = Field(default_factory=list)


class DeadLetterView(View):
    id: DeadLetterId
    consumer: str
    type: str
    event_id: UUID
    key: UUID
    sequence: int
    status: str
    cause: str
    attempts: int
    created_at: datetime
    updated_at: datetime


Trigger = Literal["chat", "event", "command", "query"]


class Limits(Command):
    """What an agent may use: per run, and per day. Costs are millionths of the currency the model is billed in."""

    model_calls: int = Field(8, ge=1, le=8)
    tool_calls: int = Field(16, ge=1, le=16)
    seconds: float = Field(30.0, gt=0, le=30)
    cost_micro: int = Field(200_000, ge=0)
    cost_micro_a_day: int = Field(20_000_000, ge=0)
    tool_calls_a_day: int = Field(200_000, ge=0)


class ChangeAgent(Command):
    """What an operator sets; what is left out stays."""

    enabled: bool | None = None
    limits: Limits | None = None


class SpendView(View):
    """What an agent used today (UTC)."""

    runs: int
    failures: int
    model_calls: int
    tool_calls: int
    tokens_in: int
    tokens_out: int
    cost_micro: int


class SwitchView(View):
    """Whether an agent may act, the limits that replace its own, and today's spend.

    `accuracy` is the share, 0 to 1, of its runs of the last 30 days that ended with an answer: neither by an error nor at
    a limit of time, steps or attempts. Null without a run that ended."""

    enabled: bool
    limits: dict[str, Any]
    accuracy: float | None
    spend: SpendView


class RunView(View):
    """One run; `calls` are its tool calls with arguments without personal data."""

    id: RunId
    agent: str
    trigger: str
    status: str
    outcome: str | None
    model: str | None
    prompt: str | None
    trace: str
    started_at: datetime
    ended_at: datetime | None
    calls: list[dict[str, Any]] = Field(default_factory=list)


class AboutOrder(BaseModel):
    """What finds the runs about an order: its number, and when it was placed at the earliest."""

    number: str
    since: datetime


class Moment(View):
    """One thing that happened in a run. `facts` hold no personal data: of a model its name, tokens, cost (millionths),
    latency (milliseconds) and the tools it wants; of a tool its arguments without what is personal, status and code; of a
    proposal what it is about and its amount, of an approval who said what: the policy, or a person."""

    at: datetime
    kind: Literal["begun", "model", "tool", "question", "proposal", "approval", "decision"]
    agent: str
    facts: dict[str, Any]


class RunStory(View):
    """A run and everything that happened in it, in its order."""

    run: RunView
    moments: list[Moment]


class NewRun(BaseModel):
    """What begins a run: a person's message, an event, a command or a query."""

    agent: str
    trigger: Trigger
    cause: UUID
    thread_id: UUID | None = None


class AskAgent(Command):
    """A wish or a question for one agent, in words; no personal data."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class Queued(BaseModel):
    """A run in the hands of a worker."""

    id: UUID
    agent: str
    trigger: Trigger
    cause: UUID
    ask: str
    attempts: int
    trace: str


class AnsweredView(View):
    """What an agent said to a command or a query; `status` is queued while nobody has answered yet."""

    id: UUID
    agent: str
    status: str
    outcome: str | None
    text: str | None


class ModelTurn(BaseModel):
    """One answer of a model, as it came; `answer` is a LangChain message in JSON."""

    number: int
    agent: str
    model: str
    answer: dict[str, Any]
    tokens_in: int = 0
    tokens_out: int = 0
    cost_micro: int = 0
    latency_ms: int = 0


class ToolRecord(BaseModel):
    """One tool call and what came of it; `code` is the error's when it was refused or failed."""

    call_id: str
    agent: str
    tool: str
    effect: Literal["read", "write", "propose"]
    arguments: dict[str, Any]
    status: Literal["done", "refused", "failed", "confirmation"]
    code: str | None = None
    result: dict[str, Any]
    latency_ms: int = 0


class Recorded(BaseModel):
    """A run as it was, for those who run it again: `before` is the agent its conversation was with until then."""

    id: UUID
    agent: str
    entry: str
    trigger: Trigger
    cause: UUID
    thread_id: UUID | None
    customer_id: UUID | None
    subject: str
    status: str
    ask: str | None
    answer: str | None
    prompt: str | None
    before: str | None
    models: list[ModelTurn]
    calls: list[ToolRecord]
