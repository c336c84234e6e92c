"""Orders: read, cancel, change where they go."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.deps import Edge, needs
from commerce.checkout import ChangeView
from commerce.checkout.service import Placed
from commerce.order import OrderView
from commerce.order.permissions import CHANGE_ORDERS, READ_ORDERS
from commerce.order.schemas import (
    CancelLines,
    CancelOrder,
    ChangeAddress,
    ChangeItems,
    ChangePayment,
    ModificationView,
    OrderId,
    TimelineView,
)
from commerce.payment import PaymentRowView
from kernel.db import Work
from kernel.ids import new_id
from kernel.saga_engine import Run
from kernel.schemas import Page

router = APIRouter(prefix="/v1/orders", tags=["order"])
Read = Annotated[Edge, needs(READ_ORDERS)]
Change = Annotated[Edge, needs(CHANGE_ORDERS)]


@router.get("", response_model=Page[OrderView])
async def orders(
    edge: Read,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    size: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """The caller's orders, newest first."""
    return await edge.run(lambda work: edge.commerce.order.page(work, cursor, size))


@router.get("/{order_id}", response_model=OrderView)
async def order(order_id: OrderId, edge: Read) -> Response:
    return await edge.run(lambda work: edge.commerce.order.view(work, order_id))


@router.get("/{order_id}/timeline", response_model=list[TimelineView])
async def timeline(order_id: OrderId, edge: Read) -> Response:
    """What happened to the order, oldest first."""
    return await edge.run(lambda work: edge.commerce.order.timeline(work, order_id))


@router.post("/{order_id}/cancel", response_model=OrderView)
async def cancel(order_id: OrderId, command: CancelOrder, edge: Change) -> Response:
    """Cancels the purchase the order belongs to; money and stock go back by saga."""

    async def start(work: Work) -> Run:
        return (await edge.commerce.checkout.cancel(work, order_id, command)).run

    async def shown(work: Work, made: UUID) -> OrderView:
        return await edge.commerce.order.view(work, made)

    return await edge.saga(order_id, start, shown, 200)


@router.post("/{order_id}/address", response_model=OrderView)
async def change_address(order_id: OrderId, command: ChangeAddress, edge: Change) -> Response:
    """Sends the purchase somewhere else, as long as nothing was packed."""
    return await edge.once(lambda work: edge.commerce.order.change_address(work, order_id, command), 200, True)


@router.post("/{order_id}/lines", response_model=ChangeView)
async def change_items(order_id: OrderId, command: ChangeItems, edge: Change) -> Response:
    """Units of the order become another variant. A difference is charged to, or goes back to, the method that is named.

    The answer says `applied`, `failed` (then the order is as it was), or `requested` while the card is still asked."""
    return await _changed(edge, lambda work, change_id: edge.commerce.change.items(work, order_id, change_id, command))


@router.post("/{order_id}/lines/cancel", response_model=ChangeView)
async def cancel_lines(order_id: OrderId, command: CancelLines, edge: Change) -> Response:
    """Cancels units of the order; what they cost goes back the way it was paid."""
    return await _changed(
        edge, lambda work, change_id: edge.commerce.change.cancel_lines(work, order_id, change_id, command)
    )


@router.post("/{order_id}/payment-method", response_model=ChangeView)
async def change_payment(order_id: OrderId, command: ChangePayment, edge: Change) -> Response:
    """Pays the whole purchase another way: the new payment first, then the old one goes back."""
    return await _changed(
        edge, lambda work, change_id: edge.commerce.change.payment(work, order_id, change_id, command)
    )


@router.get("/{order_id}/changes", response_model=list[ModificationView])
async def changes(order_id: OrderId, edge: Read) -> Response:
    """What changed the order since it was placed, oldest first."""
    return await edge.run(lambda work: edge.commerce.order.modifications.views(work, order_id))


@router.get("/{order_id}/payments", response_model=list[PaymentRowView])
async def payments(order_id: OrderId, edge: Read) -> Response:
    """Every payment and refund of the purchase, as they happened."""
    return await edge.run(lambda work: edge.commerce.change.payments(work, order_id))


async def _changed(edge: Edge, begin: Callable[[Work, UUID], Awaitable[Placed]]) -> Response:
    """Begins a change under an id of its own, and answers with what came of it."""
    change_id = new_id()

    async def start(work: Work) -> Run:
        return (await begin(work, change_id)).run

    return await edge.saga(change_id, start, edge.commerce.change.view, 200)
