"""Orders: read, cancel, change where they go."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.deps import Edge, needs
from commerce.order import OrderView
from commerce.order.permissions import CHANGE_ORDERS, READ_ORDERS, SHIP_ORDERS
from commerce.order.schemas import CancelOrder, ChangeAddress, NoteDelivery, OrderId, ShipUnits, TimelineView
from commerce.shipping import ShipmentView
from kernel.db import Work
from kernel.saga_engine import Run
from kernel.schemas import Page

router = APIRouter(prefix="/v1/orders", tags=["order"])
Read = Annotated[Edge, needs(READ_ORDERS)]
Change = Annotated[Edge, needs(CHANGE_ORDERS)]
Ship = Annotated[Edge, needs(SHIP_ORDERS)]


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


@router.get("/{order_id}/shipments", response_model=list[ShipmentView])
async def shipments(order_id: OrderId, edge: Read) -> Response:
    """The order's parcels and where they are, oldest first."""
    return await edge.run(lambda work: edge.commerce.fulfillment.shipments(work, order_id))


@router.post("/{order_id}/shipments", status_code=201, response_model=list[ShipmentView])
async def ship(order_id: OrderId, command: ShipUnits, edge: Ship) -> Response:
    """Sends units of the order in one parcel; answers with all of its parcels."""
    return await edge.once(lambda work: edge.commerce.fulfillment.ship(work, order_id, command), 201, True)


@router.post("/{order_id}/delivered", response_model=list[ShipmentView])
async def delivered(order_id: OrderId, command: NoteDelivery, edge: Ship) -> Response:
    """Notes a parcel, or all of them, as arrived; the last one makes the order delivered."""
    return await edge.once(lambda work: edge.commerce.fulfillment.delivered(work, order_id, command), 200, True)
