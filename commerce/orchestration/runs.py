"""The record of what agents do, written as they do it: a run that dies is gone on with, never begun anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from commerce.identity import audit
from commerce.orchestration.errors import AgentSwitchedOff, BudgetUsedUp, UnknownRun
from commerce.orchestration.journal import Journal
from commerce.orchestration.permissions import OPERATE, READ_AGENTS
from commerce.orchestration.schemas import (
    ChangeAgent,
    Limits,
    ModelTurn,
    NewRun,
    Recorded,
    SpendView,
    SwitchView,
    ToolRecord,
)
from kernel import telemetry
from kernel.db import Record, Work
from kernel.ids import first_id_at, new_id

ACCURACY_SPAN = timedelta(days=30)

_BEGIN = """
insert into agent_runs (id, agent, entry, trigger, cause, thread_id, subject, customer_id, status, trace, started_at)
values ($1, $2, $2, $3, $4, $5, $6, $7, 'running', $8, $9)
on conflict (cause, entry) do update set cause = excluded.cause
returning id, status, agent, outcome
"""

_KEEP = """
insert into agent_model_calls (run_id, number, agent, model, answer, tokens_in, tokens_out, cost_micro, latency_ms, at)
select $1, t.number, t.agent, t.model, t.answer, t.tokens_in, t.tokens_out, t.cost_micro, t.latency_ms, $3
from jsonb_to_recordset($2) t(number int, agent text, model text, answer jsonb, tokens_in int, tokens_out int,
                              cost_micro int, latency_ms int)
on conflict do nothing
"""

_ADMIT = f"""
with kept as ({_KEEP})
select coalesce(s.enabled, true) as enabled, coalesce(s.limits, '{{}}'::jsonb) as limits,
       coalesce(u.cost_micro, 0) as cost_micro, coalesce(u.tool_calls, 0) as tool_calls,
       exists (select from agent_tool_calls c where c.run_id = $1 and c.call_id = $6) as made
from (select $4::text as agent) a left join agent_switches s using (agent)
left join agent_usage u on u.agent = a.agent and u.on_day = $5
"""

_END = f"""
with kept as ({_KEEP} returning agent, tokens_in, tokens_out, cost_micro),
closed as (
  update agent_runs set agent = $4, status = $6, outcome = $7, model = $8, prompt = $9, ended_at = $3
  where id = $1 and status in ('running', 'queued') returning id
), spent as (
insert into agent_usage (agent, on_day, runs, model_calls, tool_calls, failures, tokens_in, tokens_out, cost_micro)
select c.agent, $5, case when c.agent = $4 then 1 else 0 end, c.model_calls, c.tool_calls,
       case when c.agent = $4 and $6 = 'failed' then 1 else 0 end, c.tokens_in, c.tokens_out, c.cost_micro
from (
  select agent, sum(models) as model_calls, sum(tools) as tool_calls, sum(tokens_in) as tokens_in,
         sum(tokens_out) as tokens_out, sum(cost_micro) as cost_micro
  from (
    select agent, 1 as models, 0 as tools, tokens_in, tokens_out, cost_micro from agent_model_calls where run_id = $1
    union all select agent, 1, 0, tokens_in, tokens_out, cost_micro from kept
    union all select agent, 0, 1, 0, 0, 0 from agent_tool_calls where run_id = $1
    union all select $4, 0, 0, 0, 0, 0
  ) x group by agent
) c where exists (select from closed) order by c.agent
on conflict (agent, on_day) do update set
  runs = agent_usage.runs + excluded.runs, model_calls = agent_usage.model_calls + excluded.model_calls,
  tool_calls = agent_usage.tool_calls + excluded.tool_calls, failures = agent_usage.failures + excluded.failures,
  tokens_in = agent_usage.tokens_in + excluded.tokens_in, tokens_out = agent_usage.tokens_out + excluded.tokens_out,
  cost_micro = agent_usage.cost_micro + excluded.cost_micro
)
select exists (select from closed) as first,
  coalesce((select jsonb_agg(jsonb_build_object('agent', t.agent, 'tool', t.tool, 'status', t.status,
                                                'call_id', t.call_id) order by t.id)
            from agent_tool_calls t where t.run_id = $1), '[]'::jsonb) as calls
"""

_SWITCHES = """
select a.agent, coalesce(s.enabled, true) as enabled, coalesce(s.limits, '{}'::jsonb) as limits,
       coalesce(u.runs, 0) as runs, coalesce(u.failures, 0) as failures, coalesce(u.model_calls, 0) as model_calls,
       coalesce(u.tool_calls, 0) as tool_calls, coalesce(u.tokens_in, 0) as tokens_in,
       coalesce(u.tokens_out, 0) as tokens_out, coalesce(u.cost_micro, 0) as cost_micro, q.accuracy
from unnest($1::text[]) a(agent) left join agent_switches s using (agent)
left join agent_usage u on u.agent = a.agent and u.on_day = $2
left join lateral (
  select round(avg((r.status = 'done')::int), 4) as accuracy from agent_runs r
  where r.agent = a.agent and r.id >= $3 and r.status in ('done', 'failed')
) q on true
"""

_SWITCH = """
insert into agent_switches (agent, enabled, limits, updated_at, updated_by)
values ($1, coalesce($2, true), coalesce($3, '{}'::jsonb), $4, $5)
on conflict (agent) do update set enabled = coalesce($2, agent_switches.enabled),
  limits = coalesce($3, agent_switches.limits), updated_at = excluded.updated_at, updated_by = excluded.updated_by
"""

_RECORDED = """
select r.id, r.agent, r.entry, r.trigger, r.cause, r.thread_id, r.customer_id, r.subject, r.status, r.ask, r.answer,
       r.prompt, (select b.agent from agent_runs b where b.thread_id = r.thread_id and b.id < r.id
                  order by b.id desc limit 1) as before
from agent_runs r where r.id = $1
"""

_CLAIM = """
insert into agent_tool_calls (id, run_id, call_id, agent, tool, effect, arguments, status, code, result, subject,
                              latency_ms, at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (run_id, call_id) do nothing returning id
"""


@dataclass(frozen=True, slots=True)
class Begun:
    """A run in hand. `model_turns` are those a former attempt already had; `over` when it had ended."""

    id: UUID
    over: bool
    outcome: str | None
    model_turns: list[ModelTurn]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ends: with whom, and the model's `turns` that nothing was done about and so are not kept yet."""

    agent: str
    status: str
    outcome: str
    model: str
    prompt: str
    turns: Sequence[ModelTurn] = ()


@dataclass(frozen=True, slots=True)
class CallMade:
    agent: str
    tool: str
    status: str
    call_id: str


@dataclass(frozen=True, slots=True)
class Ended:
    """`first` unless somebody else had closed the run before; `calls` are those it made, in their order."""

    first: bool
    calls: list[CallMade]


class RunService:
    """Called by the agent layer with the rights of whoever the agent acts for."""

    def __init__(self) -> None:
        self.journal = Journal()

    async def begin(self, work: Work, run: NewRun) -> Begun:
        """The run of this cause, new or found again."""
        who = work.principal
        run_id = new_id()
        row = await work.row(
            _BEGIN,
            *(run_id, run.agent, run.trigger, run.cause, run.thread_id, who.subject, who.customer_id),
            *(telemetry.trace_id.get(), work.now),
        )
        assert row is not None
        past = await self.model_turns(work, row["id"]) if row["id"] != run_id else []
        return Begun(row["id"], row["status"] != "running", row["outcome"], past)

    async def admit(
        self, work: Work, run_id: UUID, call_id: str, agent: str, limits: Limits, turns: Sequence[ModelTurn]
    ) -> ToolRecord | None:
        """Opens the transaction of a tool call: keeps the model's `turns` that led to it, and lets the agent act only
        while it is switched on and has budget left today. Returns the call when it was already made.

        Raises AgentSwitchedOff, BudgetUsedUp."""
        row = await work.row(_ADMIT, run_id, _plain(turns), work.now, agent, work.now.date(), call_id)
        assert row is not None
        if row["made"]:
            return await self.found(work, run_id, call_id)
        if not row["enabled"]:
            raise AgentSwitchedOff(agent=agent)
        capped = limits.model_copy(update=row["limits"])
        if row["cost_micro"] >= capped.cost_micro_a_day or row["tool_calls"] >= capped.tool_calls_a_day:
            raise BudgetUsedUp(agent=agent)
        return None

    async def require_on(self, work: Work, agent: str) -> None:
        """Raises AgentSwitchedOff."""
        if await work.value("select not enabled from agent_switches where agent = $1", agent):
            raise AgentSwitchedOff(agent=agent)

    async def asked_by(self, work: Work, run_id: UUID) -> str | None:
        """The subject whose wish a run carries out: of a command whoever sent it, though the run acts as the system."""
        found: str | None = await work.value("select subject from agent_runs where id = $1", run_id)
        return found

    async def keep(self, work: Work, run_id: UUID, turns: Sequence[ModelTurn]) -> None:
        """Keeps turns of a model, in the transaction of what is done because of them."""
        if turns:
            await work.run(_KEEP, run_id, _plain(turns), work.now)

    async def found(self, work: Work, run_id: UUID, call_id: str) -> ToolRecord | None:
        """A tool call that was already made, with its result."""
        row = await work.row("select * from agent_tool_calls where run_id = $1 and call_id = $2", run_id, call_id)
        return _record(row) if row else None

    async def tool_call(self, work: Work, run_id: UUID, record: ToolRecord) -> bool:
        """Keeps a tool call, with its effect in one transaction; False when it is there already."""
        made = await work.value(
            _CLAIM,
            *(new_id(), run_id, record.call_id, record.agent, record.tool, record.effect, record.arguments),
            *(record.status, record.code, record.result, work.principal.subject, record.latency_ms, work.now),
        )
        return made is not None

    async def better_result(self, work: Work, run_id: UUID, call_id: str, result: dict[str, Any]) -> None:
        """Replaces a result that was preliminary when its transaction committed: its saga has gone on since."""
        await work.run(
            "update agent_tool_calls set result = $3 where run_id = $1 and call_id = $2", run_id, call_id, result
        )

    async def end(self, work: Work, run_id: UUID, ending: Ending) -> Ended:
        """Closes a run, keeps its last model turns and books what it used, once."""
        row = await work.row(
            _END,
            *(run_id, _plain(ending.turns), work.now, ending.agent, work.now.date()),
            *(ending.status, ending.outcome, ending.model, ending.prompt),
        )
        assert row is not None
        if row["first"]:
            telemetry.AGENT_RUNS.labels(ending.agent, ending.status).inc()
        return Ended(row["first"], [CallMade(**call) for call in row["calls"]])

    async def model_turns(self, work: Work, run_id: UUID) -> list[ModelTurn]:
        """What models said in a run so far, in order."""
        rows = await work.rows("select * from agent_model_calls where run_id = $1 order by number", run_id)
        return [_turn(row) for row in rows]

    async def calls(self, work: Work, run_id: UUID) -> list[ToolRecord]:
        """The tool calls of a run, in their order."""
        rows = await work.rows("select * from agent_tool_calls where run_id = $1 order by id", run_id)
        return [_record(row) for row in rows]

    async def recorded(self, work: Work, run_id: UUID) -> Recorded:
        """A run with everything a model and its tools said in it. Raises UnknownRun."""
        work.principal.require(READ_AGENTS)
        row = await work.row(_RECORDED, run_id)
        if row is None:
            raise UnknownRun()
        models, calls = await self.model_turns(work, run_id), await self.calls(work, run_id)
        return Recorded(**dict(row), models=models, calls=calls)

    # --- what operators see and set ---

    async def switches(self, work: Work, agents: Sequence[str]) -> dict[str, SwitchView]:
        """Switch, limits, today's spend and the accuracy of each agent."""
        work.principal.require(READ_AGENTS)
        since = first_id_at(work.now - ACCURACY_SPAN)
        rows = await work.rows(_SWITCHES, list(agents), work.now.date(), since)
        return {
            row["agent"]: SwitchView(
                enabled=row["enabled"],
                limits=row["limits"],
                accuracy=row["accuracy"],
                spend=SpendView(**{name: row[name] for name in SpendView.model_fields}),
            )
            for row in rows
        }

    async def switch(self, work: Work, agent: str, command: ChangeAgent) -> None:
        """Switches an agent on or off, or replaces its limits: every process obeys with its next tool call."""
        work.principal.require(OPERATE)
        limits = command.limits.model_dump() if command.limits else None
        await work.run(_SWITCH, agent, command.enabled, limits, work.now, work.principal.subject)
        audit.append(work, "agent.switched", f"agent:{agent}", **command.model_dump(exclude_none=True))


def _plain(turns: Sequence[ModelTurn]) -> list[dict[str, Any]]:
    return [turn.model_dump() for turn in turns]


def _turn(row: Record) -> ModelTurn:
    return ModelTurn(**{name: row[name] for name in ModelTurn.model_fields})


def _record(row: Record) -> ToolRecord:
    return ToolRecord(**{name: row[name] for name in ToolRecord.model_fields})
