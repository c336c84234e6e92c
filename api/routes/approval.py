"""The inbox of proposals: what agents want done, and the people who say yes or no. And the limits agents propose within."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from agents.roster import AGENTS
from api.deps import Edge, needs
from commerce.approval.permissions import DECIDE, READ_PROPOSALS, SET_POLICIES
from commerce.approval.schemas import Decide, Policy, PolicyView, ProposalId, ProposalView, Status
from commerce.orchestration.errors import UnknownAgent
from kernel.schemas import Page

router = APIRouter(prefix="/v1", tags=["approval"])
Read = Annotated[Edge, needs(READ_PROPOSALS)]
Cursor = Annotated[str | None, Query(max_length=64)]
Size = Annotated[int, Query(ge=1, le=100)]
Name = Annotated[str, Path(max_length=80)]


@router.get("/approvals", response_model=Page[ProposalView])
async def proposals(
    edge: Read,
    status: Status | None = None,
    agent: Annotated[str | None, Query(max_length=80)] = None,
    object: Annotated[str | None, Query(max_length=80)] = None,  # noqa: A002  # the name of the query parameter
    cursor: Cursor = None,
    size: Size = 20,
) -> Response:
    """Proposals, newest first; `status=waiting` is the inbox. `object` is a public id, such as `var_...`. A merchant sees
    those of their own shops."""
    return await edge.run(lambda work: edge.commerce.approval.page(work, status, agent, object, cursor, size))


@router.get("/approvals/{proposal_id}", response_model=ProposalView)
async def proposal(proposal_id: ProposalId, edge: Read) -> Response:
    """One proposal: what happens on yes, the money at stake, the run it came from, who has said what."""
    return await edge.run(lambda work: edge.commerce.approval.view(work, proposal_id))


@router.post("/approvals/{proposal_id}/decision", response_model=ProposalView)
async def decide(proposal_id: ProposalId, command: Decide, edge: Annotated[Edge, needs(DECIDE)]) -> Response:
    """Says yes or no, as a person. The last yes that is needed carries the proposal out; the same answer again changes
    nothing. `failed` says that the state had moved on: nothing was changed, `code` says why."""
    return await edge.once(lambda work: edge.commerce.approval.decide(work, proposal_id, command), 200, True)


@router.get("/agents/{name}/policies", response_model=list[PolicyView])
async def policies(name: Name, edge: Annotated[Edge, needs(SET_POLICIES)]) -> Response:
    """The limits that hold for each kind of proposal, if this agent makes it."""
    _known(name)
    return await edge.run(lambda work: edge.commerce.approval.policies(work, name))


@router.put("/agents/{name}/policies/{kind}", response_model=PolicyView)
async def set_policy(name: Name, kind: Name, policy: Policy, edge: Annotated[Edge, needs(SET_POLICIES)]) -> Response:
    """Replaces the limits of an agent for a kind of proposal, from the next one on."""
    _known(name)
    return await edge.once(lambda work: edge.commerce.approval.set_policy(work, name, kind, policy), 200)


def _known(name: str) -> None:
    if name not in AGENTS:
        raise UnknownAgent()
