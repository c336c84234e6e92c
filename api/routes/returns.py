"""Returns, exchanges and claims."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.deps import Edge, needs
from commerce.returns import ClaimView, QuoteView, ReturnView
from commerce.returns.permissions import (
    DECIDE_RETURNS,
    READ_RETURNS,
    RECEIVE_RETURNS,
    REQUEST_RETURNS,
    WRITE_RETURN_POLICIES,
)
from commerce.returns.schemas import (
    ClaimId,
    DecideReturn,
    InspectReturn,
    OpenClaim,
    ReasonView,
    ReceiveReturn,
    RequestReturn,
    ReturnId,
    SetReason,
    SetReturnPolicy,
)
from kernel.db import Work
from kernel.ids import OrderId, new_id
from kernel.saga_engine import Run
from kernel.schemas import Code, Page

router = APIRouter(prefix="/v1", tags=["returns"])
Read = Annotated[Edge, needs(READ_RETURNS)]
Request = Annotated[Edge, needs(REQUEST_RETURNS)]
Decide = Annotated[Edge, needs(DECIDE_RETURNS)]
Receive = Annotated[Edge, needs(RECEIVE_RETURNS)]
Write = Annotated[Edge, needs(WRITE_RETURN_POLICIES)]
Cursor = Annotated[str | None, Query(max_length=64)]
Size = Annotated[int, Query(ge=1, le=100)]


@router.post("/returns", status_code=201, response_model=ReturnView)
async def request(command: RequestReturn, edge: Request) -> Response:
    """Asks to send units of a delivered order back, for money or for other variants of the same products."""
    return_id = new_id()

    async def start(work: Work) -> Run:
        return (await edge.commerce.returns.request(work, return_id, command)).run

    return await edge.saga(return_id, start, edge.commerce.returns.view, 201)


@router.post("/returns/quote", response_model=QuoteView)
async def quote(command: RequestReturn, edge: Request) -> Response:
    """What that return would come to, and why; nothing is written."""
    return await edge.run(lambda work: edge.commerce.returns.quote(work, command))


@router.get("/returns", response_model=Page[ReturnView])
async def returns(edge: Read, order_id: OrderId | None = None, cursor: Cursor = None, size: Size = 20) -> Response:
    """The caller's returns, newest first."""
    return await edge.run(lambda work: edge.commerce.returns.page(work, order_id, cursor, size))


@router.get("/returns/{return_id}", response_model=ReturnView)
async def one(return_id: ReturnId, edge: Read) -> Response:
    return await edge.run(lambda work: edge.commerce.returns.view(work, return_id))


@router.post("/returns/{return_id}/cancel", response_model=ReturnView)
async def cancel(return_id: ReturnId, edge: Request) -> Response:
    """Takes the return back, as long as nothing of it has arrived."""
    return await edge.once(lambda work: edge.commerce.returns.cancel(work, return_id), 200, True)


@router.post("/returns/{return_id}/decision", response_model=ReturnView)
async def decide(return_id: ReturnId, command: DecideReturn, edge: Decide) -> Response:
    """Decides a return that the policy leaves to a person."""
    return await edge.once(lambda work: edge.commerce.receiving.decide(work, return_id, command), 200, True)


@router.post("/returns/{return_id}/receive", response_model=ReturnView)
async def receive(return_id: ReturnId, command: ReceiveReturn, edge: Receive) -> Response:
    """Notes units as arrived; `complete` when no more will."""
    return await edge.once(lambda work: edge.commerce.receiving.receive(work, return_id, command), 200, True)


@router.post("/returns/{return_id}/inspect", response_model=ReturnView)
async def inspect(return_id: ReturnId, command: InspectReturn, edge: Receive) -> Response:
    """Notes how units were found and what becomes of them; when all were looked at, the money moves."""
    return await edge.once(lambda work: edge.commerce.receiving.inspect(work, return_id, command), 200, True)


@router.post("/claims", status_code=201, response_model=ClaimView)
async def open_claim(command: OpenClaim, edge: Request) -> Response:
    """Says that delivered units are missing, wrong or broken; a person decides about their money."""
    return await edge.once(lambda work: edge.commerce.claims.open(work, command), 201, True)


@router.get("/claims", response_model=Page[ClaimView])
async def claims(edge: Read, order_id: OrderId | None = None, cursor: Cursor = None, size: Size = 20) -> Response:
    """The caller's claims, newest first."""
    return await edge.run(lambda work: edge.commerce.claims.page(work, order_id, cursor, size))


@router.post("/claims/{claim_id}/decision", response_model=ClaimView)
async def decide_claim(claim_id: ClaimId, command: DecideReturn, edge: Decide) -> Response:
    """A yes gives the units' money back; nothing has to be sent."""
    return await edge.once(lambda work: edge.commerce.claims.decide(work, claim_id, command), 200, True)


@router.get("/return-reasons", response_model=list[ReasonView])
async def reasons(edge: Read) -> Response:
    """The reasons a return can have."""
    return await edge.run(edge.commerce.return_policies.reasons)


@router.put("/return-reasons/{code}", status_code=204)
async def set_reason(code: Code, command: SetReason, edge: Write) -> Response:
    return await edge.once(lambda work: edge.commerce.return_policies.set_reason(work, code, command), 200)


@router.put("/return-policies", status_code=204)
async def set_policy(command: SetReturnPolicy, edge: Write) -> Response:
    """The rules of a channel or all, for a category or all."""
    return await edge.once(lambda work: edge.commerce.return_policies.set_policy(work, command), 200)
