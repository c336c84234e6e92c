"""The journal of runs as staff read it: found by order, customer or agent, and told moment by moment."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_

from commerce.approval import ApprovalService, ProposalView
from commerce.chat import Confirmations
from commerce.chat.schemas import Asked
from commerce.orchestration.errors import UnknownRun
from commerce.orchestration.permissions import READ_AGENTS
from commerce.orchestration.schemas import AboutOrder, Moment, RunStory, RunView
from commerce.orchestration.tables import AgentRun, AgentToolCall
from kernel.db import Record, Work
from kernel.ids import first_id_at
from kernel.repository import Repository
from kernel.schemas import Page

ORDER = ("begun", "approval", "model", "tool", "question", "decision")
"""What comes first of what happens in one transaction."""

_CALLS = """
select run_id, call_id, agent, tool, effect, arguments, status, code, latency_ms, at from agent_tool_calls
where run_id = any($1) order by id
"""

_MODELS = """
select number, agent, model, tokens_in, tokens_out, cost_micro, latency_ms, at,
       (select coalesce(jsonb_agg(c ->> 'name'), '[]'::jsonb) from jsonb_array_elements(answer #> '{data,tool_calls}') c)
         as wants
from agent_model_calls where run_id = $1 order by number
"""


class Journal:
    """Reads only. What is personal stays out: arguments are kept without it, words and results are not told."""

    def __init__(self) -> None:
        self._runs = Repository(AgentRun)
        self._calls = Repository(AgentToolCall).table.c

    async def page(
        self,
        work: Work,
        agent: str | None = None,
        customer: UUID | None = None,
        order: AboutOrder | None = None,
        cursor: str | None = None,
        size: int = 20,
    ) -> Page[RunView]:
        """Runs, newest first, each with what it did; those of one agent, for one customer, or about one order."""
        work.principal.require(READ_AGENTS)
        column = self._runs.table.c
        where: list[ColumnElement[bool]] = []
        if agent:
            where.append(column.agent == agent)
        if customer:
            where.append(column.customer_id == customer)
        if order:
            where += [column.id >= first_id_at(order.since), self._about(order)]
        rows, following = await self._runs.page(work, *where, cursor=cursor, size=size)
        return Page(items=await self._views(work, rows), next=following)

    async def story(
        self, work: Work, run_id: UUID, confirmations: Confirmations, approval: ApprovalService
    ) -> RunStory:
        """A run with all its moments on one line of time, and what became of its proposals since. Raises UnknownRun."""
        work.principal.require(READ_AGENTS)
        run = await self._runs.get(work, run_id)
        if run is None:
            raise UnknownRun()
        (view,) = await self._views(work, [run])
        moments = [Moment(at=run.started_at, kind="begun", agent=run.entry, facts={"trigger": run.trigger})]
        moments += [_moment("model", row, row["at"]) for row in await work.rows(_MODELS, run_id)]
        moments += [_moment("tool", row, row["at"]) for row in await work.rows(_CALLS, [run_id])]
        if run.thread_id:
            until = run.ended_at or work.now
            asked = await confirmations.during(work, run.thread_id, run.started_at, until, run.cause)
            moments += [_question(one, run) for one in asked]
        moments.sort(key=lambda moment: (moment.at, ORDER.index(moment.kind)))
        if run.ended_at:
            ended = {"status": run.status, "outcome": run.outcome}
            moments.append(Moment(at=run.ended_at, kind="decision", agent=run.agent, facts=ended))
        moments += [moment for made in await approval.of_run(work, run_id) for moment in _proposal(made)]
        moments.sort(key=lambda moment: moment.at)
        return RunStory(run=view, moments=moments)

    def _about(self, order: AboutOrder) -> ColumnElement[bool]:
        """A call of the run named the order, or was answered with it."""
        named = self._calls.arguments["order"].astext == order.number
        answered = self._calls.result.op("::text ~")(rf"\m{order.number}\M")
        return exists().where(self._calls.run_id == self._runs.table.c.id, or_(named, answered))

    async def _views(self, work: Work, runs: Sequence[AgentRun]) -> list[RunView]:
        calls: dict[UUID, list[dict[str, Any]]] = {run.id: [] for run in runs}
        for row in await work.rows(_CALLS, list(calls)):
            calls[row["run_id"]].append({name: row[name] for name in row.keys() if name not in ("run_id", "at")})  # noqa: SIM118  # a Record is no mapping
        names = [name for name in RunView.model_fields if name != "calls"]
        return [RunView(**{name: getattr(run, name) for name in names}, calls=calls[run.id]) for run in runs]


def _question(asked: Asked, run: AgentRun) -> Moment:
    """What the person was asked in this run, or the yes that this run carried out."""
    if asked.id == run.cause or asked.asked_at < run.started_at:
        return Moment(
            at=asked.used_at or run.started_at, kind="approval", agent=asked.agent, facts={"tool": asked.tool}
        )
    return Moment(
        at=asked.asked_at, kind="question", agent=asked.agent, facts={"tool": asked.tool, "status": asked.status}
    )


def _proposal(made: ProposalView) -> list[Moment]:
    """A proposal and what the policy and people said to it, without their notes."""
    facts = made.model_dump(mode="json", include={"id", "kind", "object", "amount", "rule", "status", "code"})
    known = {name: value for name, value in facts.items() if value is not None}
    said = [
        Moment(
            at=d.at, kind="approval", agent=made.agent, facts={"id": known["id"], "by": d.decider, "accept": d.accept}
        )
        for d in made.decisions
    ]
    return [Moment(at=made.created_at, kind="proposal", agent=made.agent, facts=known), *said]


_PLAIN = frozenset({"at", "agent", "run_id", "created_at", "number", "call_id"})


def _moment(kind: Any, row: Record, at: datetime) -> Moment:
    facts = {name: row[name] for name in row.keys() if name not in _PLAIN and row[name] is not None}  # noqa: SIM118  # a Record is no mapping
    return Moment(at=at, kind=kind, agent=row["agent"], facts=facts)
