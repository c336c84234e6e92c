"""What sets agents to work without a person: commands, queries, events. Messages in, a queue of runs, answers out.

A redelivery finds the run it made.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Literal
from uuid import UUID

from commerce.orchestration.errors import UnknownErrand
from commerce.orchestration.events import AgentAnswered, AgentCommand, AgentQuery
from commerce.orchestration.permissions import ASK_AGENTS
from commerce.orchestration.schemas import AnsweredView, AskAgent, Queued
from kernel import telemetry
from kernel.auth import SYSTEM
from kernel.db import Work
from kernel.ids import new_id, public
from kernel.inbox import Delivery

LEASE_SECONDS = 45
"""How long a worker has for a run before another one takes it."""
ATTEMPTS_MOST = 3

_QUEUE = """
insert into agent_runs (id, agent, entry, trigger, cause, ask, subject, status, trace, started_at, due_at)
select uuidv7(), agent, agent, trigger, cause, ask, subject, 'queued', $6, $7, $7
from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[]) q(agent, trigger, cause, ask, subject)
on conflict (cause, entry) do nothing
"""

_CLAIM = """
update agent_runs set due_at = $1::timestamptz + make_interval(secs => $2), attempts = attempts + 1
where id in (select id from agent_runs where status = 'queued' and due_at <= $1 order by due_at limit $3
             for update skip locked)
returning id, agent, trigger, cause, ask, attempts, trace
"""


_PREFIX = {
    "reference_id": "grp",
    "ticket_id": "tkt",
    "level_id": "lvl",
    "variant_id": "var",
    "merchant_id": "mer",
    "short_id": "sho",
    "count_id": "cnt",
    "shipment_id": "shp",
}
"""Ids of events as tools take them; others stay as they are."""


class ErrandService:
    async def send(self, work: Work, kind: Literal["command", "query"], agent: str, command: AskAgent) -> UUID:
        """Sends a message to an agent; returns the id its answer carries. Emits AgentCommand or AgentQuery."""
        work.principal.require(ASK_AGENTS)
        errand, by = new_id(), work.principal.subject
        if kind == "command":
            work.emit(AgentCommand(command_id=errand, agent=agent, text=command.text, requested_by=by))
        else:
            work.emit(AgentQuery(query_id=errand, agent=agent, text=command.text, requested_by=by))
        return errand

    async def queue(self, work: Work, deliveries: Sequence[Delivery]) -> None:
        """Reaction: a message becomes a run that waits for a worker; one statement for the batch."""
        rows = []
        for delivery in deliveries:
            event = delivery.event
            assert isinstance(event, AgentCommand | AgentQuery)
            kind = "command" if isinstance(event, AgentCommand) else "query"
            rows.append((event.agent, kind, event.key, event.text, event.requested_by))
        await self._queue(work, rows)

    async def wake(self, work: Work, deliveries: Sequence[Delivery], agents: Mapping[str, str]) -> None:
        """Reaction: an event becomes a run of the agent it wakes (event type > agent); its ask are the event's facts."""
        rows = []
        for delivery in deliveries:
            kind, event = delivery.message.type, delivery.event
            facts = {"event": kind, **{name: _named(name, value) for name, value in event}}
            rows.append((agents[kind], "event", delivery.message.id, json.dumps(facts, default=str), SYSTEM.subject))
        await self._queue(work, rows)

    async def _queue(self, work: Work, rows: Sequence[tuple[str, str, UUID, str, str]]) -> None:
        columns = [list(column) for column in zip(*rows, strict=True)]
        await work.run(_QUEUE, *columns, telemetry.trace_id.get(), work.now)

    async def claim(self, work: Work, limit: int = 4) -> list[Queued]:
        """Takes queued runs that are due, for LEASE_SECONDS."""
        rows = await work.rows(_CLAIM, work.now, LEASE_SECONDS, limit)
        return [Queued.model_validate(dict(row)) for row in rows]

    async def answer(self, work: Work, errand: Queued, status: str, outcome: str, text: str) -> None:
        """Keeps what the agent said in the run that has just ended. Emits AgentAnswered."""
        await work.run("update agent_runs set answer = $2 where id = $1", errand.id, text)
        answered = AgentAnswered(
            cause_id=errand.cause, run_id=errand.id, agent=errand.agent, status=status, outcome=outcome
        )
        work.emit(answered)

    async def answered(self, work: Work, errand_id: UUID) -> AnsweredView:
        """What came of a command or a query. Raises UnknownErrand while its message is still on its way."""
        work.principal.require(ASK_AGENTS)
        row = await work.row(
            "select cause as id, agent, status, outcome, answer as text from agent_runs "
            "where cause = $1 and trigger in ('command', 'query')",
            errand_id,
        )
        if row is None:
            raise UnknownErrand()
        return AnsweredView.model_validate(dict(row))


def _named(name: str, value: object) -> object:
    if not isinstance(value, UUID):
        return value
    return public(_PREFIX[name], value) if name in _PREFIX else str(value)
