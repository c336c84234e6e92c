"""Refunds: asked for, decided, sent again, read."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.deps import Edge, needs
from commerce.refund import RefundView
from commerce.refund.permissions import DECIDE_REFUNDS, READ_REFUNDS, REQUEST_REFUNDS, WRITE_REFUND_POLICIES
from commerce.refund.schemas import DecideRefund, RequestRefund, RetryRefund, SetRefundPolicy
from kernel.db import Work
from kernel.ids import ChannelId, OrderId, RefundId, new_id
from kernel.saga_engine import Run
from kernel.schemas import Page

router = APIRouter(prefix="/v1", tags=["refund"])
Read = Annotated[Edge, needs(READ_REFUNDS)]
Decide = Annotated[Edge, needs(DECIDE_REFUNDS)]


@router.post("/refunds", status_code=201, response_model=RefundView)
async def request(command: RequestRefund, edge: Annotated[Edge, needs(REQUEST_REFUNDS)]) -> Response:
    """Asks for money back: units of lines with their share of tax and discount, or an amount. A customer's wish, and
    the staff's above a limit, waits for somebody else's yes; then a saga sends the money."""
    refund_id = new_id()

    async def start(work: Work) -> Run:
        return (await edge.commerce.refund.request(work, refund_id, command)).run

    return await edge.saga(refund_id, start, edge.commerce.refund.view, 201)


@router.get("/refunds", response_model=Page[RefundView])
async def refunds(
    edge: Read,
    order_id: OrderId | None = None,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    size: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """The caller's refunds, newest first."""
    return await edge.run(lambda work: edge.commerce.refund.page(work, order_id, cursor, size))


@router.get("/refunds/{refund_id}", response_model=RefundView)
async def refund(refund_id: RefundId, edge: Read) -> Response:
    return await edge.run(lambda work: edge.commerce.refund.view(work, refund_id))


@router.post("/refunds/{refund_id}/decision", response_model=RefundView)
async def decide(refund_id: RefundId, command: DecideRefund, edge: Decide) -> Response:
    """One person's word; large refunds need two people, and nobody decides their own."""
    return await edge.once(lambda work: edge.commerce.refund.decide(work, refund_id, command), 200, True)


@router.post("/refunds/{refund_id}/retry", response_model=RefundView)
async def retry(refund_id: RefundId, command: RetryRefund, edge: Decide) -> Response:
    """Sends a refund that failed again, perhaps to another destination."""

    async def start(work: Work) -> Run:
        return (await edge.commerce.refund.retry(work, refund_id, command)).run

    async def shown(work: Work, made: UUID) -> RefundView:
        return await edge.commerce.refund.view(work, made)

    return await edge.saga(refund_id, start, shown, 200)


@router.put("/refund-policies/{channel_id}", status_code=204)
async def set_policy(
    channel_id: ChannelId, command: SetRefundPolicy, edge: Annotated[Edge, needs(WRITE_REFUND_POLICIES)]
) -> Response:
    """How much goes back without asking whom, and where to, in one channel."""
    return await edge.once(lambda work: edge.commerce.refund.set_policy(work, channel_id, command), 200)
