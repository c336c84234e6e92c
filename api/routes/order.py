"""Orders: read, cancel, change where they go."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from api.deps import Edge, needs
from commerce.checkout import ChangeView
from commerce.checkout.permissions import BUY
from commerce.checkout.schemas import ReorderView
from commerce.checkout.service import Placed
from commerce.order import OrderView
from commerce.order.export import MEDIA, Format, exported, header
from commerce.order.permissions import CHANGE_ORDERS, MANAGE_ORDERS, READ_ORDERS, SHIP_ORDERS
from commerce.order.schemas import (
    AddNote,
    CancelLines,
    CancelOrder,
    ChangeAddress,
    ChangeItems,
    ChangePayment,
    HoldOrder,
    HoldView,
    ModificationView,
    NoteDelivery,
    NoteView,
    ParcelView,
    PlanView,
    PromiseView,
    ShipParcel,
    TagName,
    TagView,
    TimelineView,
)
from commerce.payment import PaymentRowView
from commerce.shipping import ShipmentView
from commerce.shipping.promises import loaded
from kernel.db import Work
from kernel.ids import OrderId, new_id
from kernel.saga_engine import Run
from kernel.schemas import Page

router = APIRouter(prefix="/v1/orders", tags=["order"])
Read = Annotated[Edge, needs(READ_ORDERS)]
Change = Annotated[Edge, needs(CHANGE_ORDERS)]
Manage = Annotated[Edge, needs(MANAGE_ORDERS)]
Ship = Annotated[Edge, needs(SHIP_ORDERS)]
EXPORTED = 100
"""Orders of an export that are read at a time, each in a transaction of their own."""


@router.get("", response_model=Page[OrderView])
async def orders(
    edge: Read,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    size: Annotated[int, Query(ge=1, le=100)] = 20,
    tag: TagName | None = None,
) -> Response:
    """The caller's orders, newest first; staff and merchants may ask for those with a tag."""
    return await edge.run(lambda work: edge.commerce.order.page(work, cursor, size, tag))


@router.get("/export", response_class=StreamingResponse)
async def export(edge: Read, form: Annotated[Format, Query(alias="format")] = "csv") -> Response:
    """All orders of the caller, newest first: a row per line as CSV, or an order per line as JSON. Streams."""

    async def pages() -> AsyncIterator[bytes]:
        yield header(form)
        cursor, more = None, True
        while more:
            async with edge.commerce.database.work(edge.principal) as work:
                page = await edge.commerce.order.page(work, cursor, EXPORTED)
            yield exported(form, page.items)
            cursor, more = page.next, page.next is not None

    name = {"Content-Disposition": f'attachment; filename="orders.{form}"', "Cache-Control": "no-store"}
    return StreamingResponse(pages(), media_type=MEDIA[form], headers=name)


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


@router.post("/{order_id}/reorder", status_code=201, response_model=ReorderView)
async def reorder(order_id: OrderId, edge: Annotated[Edge, needs(BUY)]) -> Response:
    """A new cart with the order's items at today's prices; what cannot be bought now is left out and named."""
    return await edge.once(lambda work: edge.commerce.checkout.reorder(work, order_id))


@router.get("/{order_id}/notes", response_model=list[NoteView])
async def notes(order_id: OrderId, edge: Read) -> Response:
    """Notes on the order; its customer sees those that are for them."""
    return await edge.run(lambda work: edge.commerce.order.desk.notes(work, order_id))


@router.post("/{order_id}/notes", status_code=201, response_model=NoteView)
async def add_note(order_id: OrderId, command: AddNote, edge: Manage) -> Response:
    return await edge.once(lambda work: edge.commerce.order.desk.note(work, order_id, command))


@router.get("/{order_id}/tags", response_model=list[TagView])
async def tags(order_id: OrderId, edge: Manage) -> Response:
    return await edge.run(lambda work: edge.commerce.order.desk.tags(work, order_id))


@router.put("/{order_id}/tags/{tag}", response_model=list[TagView])
async def tag(order_id: OrderId, tag: TagName, edge: Manage) -> Response:
    """Puts a tag on the order; again changes nothing."""
    return await edge.once(lambda work: edge.commerce.order.desk.tag(work, order_id, tag), 200)


@router.delete("/{order_id}/tags/{tag}", response_model=list[TagView])
async def untag(order_id: OrderId, tag: TagName, edge: Manage) -> Response:
    return await edge.once(lambda work: edge.commerce.order.desk.untag(work, order_id, tag), 200)


@router.get("/{order_id}/holds", response_model=list[HoldView])
async def holds(order_id: OrderId, edge: Manage) -> Response:
    """When and why the order was held, oldest first."""
    return await edge.run(lambda work: edge.commerce.order.desk.holds(work, order_id))


@router.post("/{order_id}/hold", response_model=list[HoldView])
async def hold(order_id: OrderId, command: HoldOrder, edge: Manage) -> Response:
    """Stops picking and shipping until the order is released."""
    return await edge.once(lambda work: edge.commerce.order.desk.hold(work, order_id, command), 200, True)


@router.post("/{order_id}/release", response_model=list[HoldView])
async def release(order_id: OrderId, edge: Manage) -> Response:
    return await edge.once(lambda work: edge.commerce.order.desk.release(work, order_id), 200, True)


@router.get("/{order_id}/plan", response_model=PlanView)
async def planned(order_id: OrderId, edge: Ship) -> Response:
    """Which location sends what, as it was planned last."""
    return await edge.run(lambda work: edge.commerce.order.fulfillment.planned(work, order_id))


@router.post("/{order_id}/plan", response_model=PlanView)
async def plan(order_id: OrderId, edge: Ship) -> Response:
    """Plans what is not shipped yet by where its stock is promised; parts of several locations are a split."""
    return await edge.once(lambda work: edge.commerce.order.fulfillment.plan(work, order_id), 200, True)


@router.get("/{order_id}/shipments", response_model=list[ParcelView])
async def parcels(order_id: OrderId, edge: Read) -> Response:
    """What left of the order so far, parcel by parcel."""
    return await edge.run(lambda work: edge.commerce.order.fulfillment.parcels(work, order_id))


@router.post("/{order_id}/shipments", status_code=201, response_model=ParcelView)
async def ship(order_id: OrderId, command: ShipParcel, edge: Ship) -> Response:
    """Picked units leave in one parcel from one location."""
    await loaded()
    return await edge.once(lambda work: edge.commerce.order.fulfillment.ship(work, order_id, command), 201, True)


@router.get("/{order_id}/tracking", response_model=list[ShipmentView])
async def tracking(order_id: OrderId, edge: Read) -> Response:
    """The order's parcels with their tracking and where they are, oldest first."""
    return await edge.run(lambda work: edge.commerce.fulfillment.shipments(work, order_id))


@router.get("/{order_id}/promise", response_model=PromiseView | None)
async def promise(order_id: OrderId, edge: Read) -> Response:
    """When the order leaves and is there, by working days; once a parcel left, `/tracking` says what it was promised for."""
    await loaded()
    return await edge.run(lambda work: edge.commerce.fulfillment.promise(work, order_id))


@router.post("/{order_id}/delivered", response_model=list[ShipmentView])
async def delivered(order_id: OrderId, command: NoteDelivery, edge: Ship) -> Response:
    """Notes a parcel, or all of them, as arrived; the last one makes the order delivered."""
    return await edge.once(lambda work: edge.commerce.fulfillment.delivered(work, order_id, command), 200, True)


async def _changed(edge: Edge, begin: Callable[[Work, UUID], Awaitable[Placed]]) -> Response:
    """Begins a change under an id of its own, and answers with what came of it."""
    change_id = new_id()

    async def start(work: Work) -> Run:
        return (await begin(work, change_id)).run

    return await edge.saga(change_id, start, edge.commerce.change.view, 200)
