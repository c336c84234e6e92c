"""The inspector: sagas, dead letters and agents, for those who operate the shop."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from agents.roster import AGENTS
from api.deps import Edge, needs
from commerce.orchestration import Limits
from commerce.orchestration.errors import UnknownAgent
from commerce.orchestration.permissions import ASK_AGENTS, OPERATE, READ_AGENTS, READ_SAGAS
from commerce.orchestration.schemas import (
    AboutOrder,
    AnsweredView,
    AskAgent,
    ChangeAgent,
    DeadLetterId,
    DeadLetterView,
    LetterStatus,
    RunStory,
    RunView,
    SagaId,
    SagaStatus,
    SagaView,
    SpendView,
)
from kernel.db import Work
from kernel.ids import CustomerId, OrderId, RunId
from kernel.schemas import Page, View

router = APIRouter(prefix="/v1", tags=["orchestration"])
Read = Annotated[Edge, needs(READ_SAGAS)]
Operate = Annotated[Edge, needs(OPERATE)]
Agents = Annotated[Edge, needs(READ_AGENTS)]
Ask = Annotated[Edge, needs(ASK_AGENTS)]
Cursor = Annotated[str | None, Query(max_length=64)]
Size = Annotated[int, Query(ge=1, le=100)]
BEFORE = timedelta(minutes=1)
"""How long before an order the run that placed it began, at the most."""


@router.get("/sagas", response_model=Page[SagaView])
async def sagas(edge: Read, status: SagaStatus | None = None, cursor: Cursor = None, size: Size = 20) -> Response:
    """Sagas, newest first; `status=stuck` are those that wait for a person."""
    return await edge.run(lambda work: edge.commerce.orchestration.sagas(work, status, cursor, size))


@router.get("/sagas/{saga_id}", response_model=SagaView)
async def saga(saga_id: SagaId, edge: Read) -> Response:
    return await edge.run(lambda work: edge.commerce.orchestration.saga(work, saga_id))


@router.post("/sagas/{saga_id}/retry", response_model=SagaView)
async def retry(saga_id: SagaId, edge: Operate) -> Response:
    """Hands a stuck saga back to the workers."""
    return await edge.once(lambda work: edge.commerce.orchestration.retry(work, saga_id), 200)


@router.get("/dead-letters", response_model=Page[DeadLetterView])
async def dead_letters(
    edge: Read, status: LetterStatus | None = "dead", cursor: Cursor = None, size: Size = 20
) -> Response:
    """Messages whose effect failed, newest first."""
    return await edge.run(lambda work: edge.commerce.orchestration.dead_letters(work, status, cursor, size))


@router.post("/dead-letters/{letter_id}/replay", status_code=204)
async def replay(letter_id: DeadLetterId, edge: Operate) -> Response:
    """Lets the consumer try once more; its inbox keeps the effect from happening twice."""
    return await edge.once(lambda work: edge.commerce.orchestration.replay(work, letter_id), 200)


@router.post("/dead-letters/{letter_id}/dismiss", status_code=204)
async def dismiss(letter_id: DeadLetterId, edge: Operate) -> Response:
    return await edge.once(lambda work: edge.commerce.orchestration.dismiss(work, letter_id), 200)


class Sent(View):
    """The id that the answer will carry."""

    id: UUID


class AgentView(View):
    """An agent: what it is for, which tools it has, how far it goes alone, whether it may, what it used today.

    `accuracy` is the share, 0 to 1, of its runs of the last 30 days that ended with an answer: neither by an error nor at
    a limit of time, steps or attempts. Null without a run that ended."""

    name: str
    purpose: str
    tools: list[str]
    autonomy: str
    enabled: bool
    limits: Limits
    spend: SpendView
    accuracy: float | None


@router.get("/agents", response_model=list[AgentView])
async def agents(edge: Agents) -> Response:
    """All agents of the shop."""
    return await edge.run(lambda work: _agents(edge, work))


@router.get("/agents/{name}/runs", response_model=Page[RunView])
async def agent_runs(
    name: str,
    edge: Agents,
    cursor: Cursor = None,
    size: Size = 20,
) -> Response:
    """What an agent did and why, newest first."""
    _known(name)
    return await edge.run(lambda work: edge.commerce.runs.journal.page(work, name, cursor=cursor, size=size))


@router.get("/runs", response_model=Page[RunView])
async def runs(
    edge: Agents,
    order: OrderId | None = None,
    customer: CustomerId | None = None,
    agent: str | None = None,
    cursor: Cursor = None,
    size: Size = 20,
) -> Response:
    """What agents did, newest first: about an order, for a customer, or one agent's."""

    if agent:
        _known(agent)

    async def act(work: Work) -> Page[RunView]:
        about = None
        if order:
            found = await edge.commerce.order.view(work, order)
            about = AboutOrder(number=found.number, since=found.placed_at - BEFORE)
        return await edge.commerce.runs.journal.page(work, agent, customer, about, cursor, size)

    return await edge.run(act)


@router.get("/runs/{run_id}/timeline", response_model=RunStory)
async def run_timeline(run_id: RunId, edge: Agents) -> Response:
    """One run moment by moment: model calls with tokens and cost, tool calls, questions, proposals and what was said to
    them since, what came of it."""
    commerce = edge.commerce

    async def act(work: Work) -> RunStory:
        return await commerce.runs.journal.story(work, run_id, commerce.chat.confirmations, commerce.approval)

    return await edge.run(act)


@router.patch("/agents/{name}", response_model=AgentView)
async def change_agent(name: str, command: ChangeAgent, edge: Operate) -> Response:
    """Switches an agent on or off, or replaces its limits; at once, in every process."""
    _known(name)

    async def act(work: Work) -> AgentView:
        await edge.commerce.runs.switch(work, name, command)
        return next(agent for agent in await _agents(edge, work) if agent.name == name)

    return await edge.once(act, 200)


@router.post("/agents/{name}/commands", status_code=202, response_model=Sent)
async def command_agent(name: str, command: AskAgent, edge: Ask) -> Response:
    """Sends an agent a command; its answer is at `/v1/agents/errands/{id}`, and an AgentAnswered event."""
    return await _send(edge, "command", name, command)


@router.post("/agents/{name}/queries", status_code=202, response_model=Sent)
async def ask_agent(name: str, command: AskAgent, edge: Ask) -> Response:
    """Asks an agent something; nothing is changed for its answer."""
    return await _send(edge, "query", name, command)


@router.get("/agents/errands/{errand_id}", response_model=AnsweredView)
async def errand(errand_id: UUID, edge: Ask) -> Response:
    """What an agent said to a command or a query."""
    return await edge.run(lambda work: edge.commerce.errands.answered(work, errand_id))


async def _send(edge: Edge, kind: Literal["command", "query"], name: str, command: AskAgent) -> Response:
    _known(name)

    async def act(work: Work) -> Sent:
        return Sent(id=await edge.commerce.errands.send(work, kind, name, command))

    return await edge.once(act, 202)


async def _agents(edge: Edge, work: Work) -> list[AgentView]:
    switches = await edge.commerce.runs.switches(work, list(AGENTS))
    return [
        AgentView(
            name=name,
            purpose=spec.purpose,
            tools=[tool.name for tool in spec.tools],
            autonomy=spec.autonomy,
            enabled=switches[name].enabled,
            limits=spec.limits.model_copy(update=switches[name].limits),
            spend=switches[name].spend,
            accuracy=switches[name].accuracy,
        )
        for name, spec in AGENTS.items()
    ]


def _known(name: str) -> None:
    if name not in AGENTS:
        raise UnknownAgent()
