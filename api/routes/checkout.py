"""Carts and checkout."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from api.deps import Edge, dumped, needs
from commerce.checkout import CartView, OrderGroupView
from commerce.checkout.permissions import BUY
from commerce.checkout.schemas import (
    AddCoupon,
    AddLine,
    CartId,
    CartLineId,
    ChangeCart,
    ChangeLine,
    CreateCart,
    PlaceOrder,
    Review,
)
from commerce.order.permissions import READ_ORDERS
from commerce.payment.permissions import REVIEW_FRAUD
from commerce.promotion import TRIES_MOST, TRIES_SECONDS
from kernel.db import Work
from kernel.ids import GroupId, new_id
from kernel.saga_engine import Run

router = APIRouter(prefix="/v1", tags=["checkout"])
Buy = Annotated[Edge, needs(BUY)]
Read = Annotated[Edge, needs(READ_ORDERS)]
STREAM_SECONDS = 120
STREAM_STEP = 0.3
SETTLED = ("confirmed", "cancelled")
PROMISED = False
"""A cart promises nothing, so its changes do not wait for the disk: when the database server crashes, it may lose those
of its last half second. Whatever a purchase builds on is on the disk with the purchase."""


@router.post("/carts", status_code=201, response_model=CartView)
async def create_cart(command: CreateCart, edge: Buy) -> Response:
    """A new cart. A guest gets a `cart_token` with it, to be sent back as `X-Cart-Token`."""
    if edge.principal.customer_id or edge.principal.guest_key:
        return await edge.once(lambda work: edge.commerce.cart.create(work, command), durable=PROMISED)
    token = secrets.token_urlsafe(24)
    guest = replace(edge, principal=edge.commerce.identity.guest(token))

    async def act(work: Work) -> CartView:
        return (await edge.commerce.cart.create(work, command)).model_copy(update={"cart_token": token})

    return await guest.run(act, 201, PROMISED)


@router.get("/carts/{cart_id}", response_model=CartView)
async def cart(cart_id: CartId, edge: Buy) -> Response:
    """The cart at today's prices."""
    return await edge.run(lambda work: edge.commerce.cart.get(work, cart_id))


@router.patch("/carts/{cart_id}", response_model=CartView)
async def change_cart(cart_id: CartId, command: ChangeCart, edge: Buy) -> Response:
    """Sets the e-mail address a guest wants to be written to."""
    return await edge.once(lambda work: edge.commerce.cart.change(work, cart_id, command), 200, durable=PROMISED)


@router.post("/carts/{cart_id}/lines", status_code=201, response_model=CartView)
async def add_line(cart_id: CartId, command: AddLine, edge: Buy) -> Response:
    """Adds units of a variant to the cart."""
    return await edge.once(lambda work: edge.commerce.cart.add(work, cart_id, command), durable=PROMISED)


@router.patch("/carts/{cart_id}/lines/{line_id}", response_model=CartView)
async def change_line(cart_id: CartId, line_id: CartLineId, command: ChangeLine, edge: Buy) -> Response:
    return await edge.once(
        lambda work: edge.commerce.cart.change_line(work, cart_id, line_id, command), 200, durable=PROMISED
    )


@router.delete("/carts/{cart_id}/lines/{line_id}", response_model=CartView)
async def remove_line(cart_id: CartId, line_id: CartLineId, edge: Buy) -> Response:
    return await edge.once(lambda work: edge.commerce.cart.remove_line(work, cart_id, line_id), 200, durable=PROMISED)


@router.post("/carts/{cart_id}/coupons", status_code=201, response_model=CartView)
async def add_coupon(cart_id: CartId, command: AddCoupon, edge: Buy) -> Response:
    """Enters a coupon code. Guessing is limited."""
    await edge.limit("coupon", most=TRIES_MOST, seconds=TRIES_SECONDS)
    return await edge.once(lambda work: edge.commerce.cart.add_coupon(work, cart_id, command), durable=PROMISED)


@router.delete("/carts/{cart_id}/coupons/{code}", response_model=CartView)
async def remove_coupon(cart_id: CartId, code: str, edge: Buy) -> Response:
    return await edge.once(lambda work: edge.commerce.cart.remove_coupon(work, cart_id, code), 200, durable=PROMISED)


@router.post("/carts/{cart_id}/checkout", status_code=201, response_model=OrderGroupView)
async def place_order(cart_id: CartId, command: PlaceOrder, edge: Buy) -> Response:
    """Buys the cart. The answer comes when the payment is settled, or after a few seconds with status `pending`:
    then follow `next_action.url` when there is one, and read the group or its events."""
    group_id = new_id()

    async def start(work: Work) -> Run:
        return (await edge.commerce.checkout.place_order(work, group_id, cart_id, command)).run

    return await edge.saga(group_id, start, edge.commerce.checkout.group, 201)


@router.get("/order-groups/{group_id}", response_model=OrderGroupView)
async def group(group_id: GroupId, edge: Read) -> Response:
    """One purchase with its orders and its payment."""
    return await edge.run(lambda work: edge.commerce.checkout.group(work, group_id))


@router.get("/order-groups/{group_id}/events", response_class=StreamingResponse)
async def group_events(group_id: GroupId, edge: Read) -> Response:
    """Server-sent events: the purchase whenever it changes, until it is confirmed or cancelled."""
    first = await edge.run(lambda work: edge.commerce.checkout.group(work, group_id))

    async def changes() -> AsyncIterator[bytes]:
        until, last = asyncio.get_running_loop().time() + STREAM_SECONDS, b""
        while asyncio.get_running_loop().time() < until:
            async with edge.commerce.database.work(edge.principal) as work:
                found = await edge.commerce.checkout.group(work, group_id)
            if (now := dumped(found)) != last:
                yield b"event: order_group\ndata: " + now + b"\n\n"
                last = now
            if found.status in SETTLED:
                return
            await asyncio.sleep(STREAM_STEP)

    if first.status_code != 200:
        return first
    return StreamingResponse(changes(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@router.post("/order-groups/{group_id}/review", status_code=204)
async def review(group_id: GroupId, command: Review, edge: Annotated[Edge, needs(REVIEW_FRAUD)]) -> Response:
    """Decides a purchase that waits in the grey zone of risk."""

    async def act(work: Work) -> None:
        await edge.commerce.review.settle(work, group_id, command.accept, work.principal.subject)

    return await edge.once(act, 200, True)
