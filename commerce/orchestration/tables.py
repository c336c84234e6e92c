"""What agents did and why: runs, the model's turns, tool calls; and what they may do: switches, limits, spend."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import OWN_SUBJECT, Base, Json, laws, one_of, visible


class AgentRun(Base):
    """One turn of one conversation, or the answer to one event or command. `cause` is that message's id: a redelivery
    finds the run and goes on with it. `agent` is who has it now."""

    __tablename__ = "agent_runs"
    __table_args__ = (
        one_of("status", "queued", "running", "done", "failed"),
        one_of("trigger", "chat", "event", "command", "query"),
        UniqueConstraint("cause", "entry"),
        Index("ix_agent_runs_agent", "agent", "id"),
        Index("ix_agent_runs_customer_id", "customer_id"),
        Index("ix_agent_runs_due", "due_at", postgresql_where="status = 'queued'"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    agent: Mapped[str]
    entry: Mapped[str]
    """The agent it began with: with `cause` the identity of the run."""
    trigger: Mapped[str]
    cause: Mapped[UUID]
    thread_id: Mapped[UUID | None] = mapped_column(index=True)
    ask: Mapped[str | None] = mapped_column(info={"personal": True})
    """What a command or a query asks."""
    answer: Mapped[str | None] = mapped_column(info={"personal": True})
    due_at: Mapped[datetime | None]
    """When a queued run may be taken (again)."""
    attempts: Mapped[int] = mapped_column(server_default="0")
    subject: Mapped[str]
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    status: Mapped[str]
    outcome: Mapped[str | None]
    model: Mapped[str | None]
    prompt: Mapped[str | None]
    """Version of the prompt it was given: a hash of prompt, policies and tools."""
    trace: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class AgentModelCall(Base):
    """One turn of a model, kept before anything is done with it: a run that is resumed does not ask again."""

    __tablename__ = "agent_model_calls"
    run_id: Mapped[UUID] = mapped_column(ForeignKey("agent_runs.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    agent: Mapped[str]
    model: Mapped[str]
    answer: Mapped[Json] = mapped_column(info={"personal": True})
    tokens_in: Mapped[int]
    tokens_out: Mapped[int]
    cost_micro: Mapped[int]
    latency_ms: Mapped[int]
    at: Mapped[datetime]


class AgentToolCall(Base):
    """One tool call, once: written with its effect. `arguments` are without personal data."""

    __tablename__ = "agent_tool_calls"
    __table_args__ = (
        UniqueConstraint("run_id", "call_id"),
        one_of("status", "done", "refused", "failed", "confirmation"),
        one_of("effect", "read", "write", "propose"),
        Index("ix_agent_tool_calls_tool", "tool"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("agent_runs.id"))
    call_id: Mapped[str]
    agent: Mapped[str]
    tool: Mapped[str]
    effect: Mapped[str]
    arguments: Mapped[Json]
    status: Mapped[str]
    code: Mapped[str | None]
    result: Mapped[Json] = mapped_column(info={"personal": True})
    subject: Mapped[str]
    latency_ms: Mapped[int]
    at: Mapped[datetime]


class AgentSwitch(Base):
    """Whether an agent may act, and limits that replace those of its spec. No row: on, with its own limits."""

    __tablename__ = "agent_switches"
    agent: Mapped[str] = mapped_column(primary_key=True)
    enabled: Mapped[bool]
    limits: Mapped[Json]
    updated_at: Mapped[datetime]
    updated_by: Mapped[str]


class AgentUsage(Base):
    """What an agent used on one day (UTC): its budget is a guarded UPDATE of this row."""

    __tablename__ = "agent_usage"
    __table_args__ = (CheckConstraint("runs >= 0 and tool_calls >= 0 and cost_micro >= 0", name="signs"),)
    agent: Mapped[str] = mapped_column(primary_key=True)
    on_day: Mapped[date] = mapped_column(primary_key=True)
    runs: Mapped[int] = mapped_column(server_default="0")
    model_calls: Mapped[int] = mapped_column(server_default="0")
    tool_calls: Mapped[int] = mapped_column(server_default="0")
    failures: Mapped[int] = mapped_column(server_default="0")
    tokens_in: Mapped[int] = mapped_column(server_default="0")
    tokens_out: Mapped[int] = mapped_column(server_default="0")
    cost_micro: Mapped[int] = mapped_column(server_default="0")


_OF_OWN_RUN = "exists (select from agent_runs r where r.id = run_id)"

laws(
    "orchestration",
    *visible("agent_runs", OWN_SUBJECT),
    *visible("agent_model_calls", _OF_OWN_RUN),
    *visible("agent_tool_calls", OWN_SUBJECT),
)
