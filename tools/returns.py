"""Tools on returns: send something back, swap it for another variant, see how far it is."""

from typing import Annotated

from pydantic import Field, StringConstraints

from commerce.order.permissions import READ_ORDERS
from commerce.payment.permissions import OWN_METHODS
from commerce.returns import ReturnView
from commerce.returns.permissions import READ_RETURNS, REQUEST_RETURNS
from commerce.returns.schemas import RequestReturn
from kernel.db import Work
from kernel.ids import new_id
from kernel.schemas import Command, Quantity
from tools.order import Number
from tools.spec import Call, Effect, tool

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Reason = Annotated[
    Words,
    Field(description="why, as one of the shop's reasons; ask the customer when they gave none"),
]
Units = Annotated[Quantity | None, Field(description="how many units; all of them when the customer does not say")]


class SendBack(Command):
    order: Number
    reason: Reason
    product: Annotated[
        Words | None, Field(description="which item of the order, by its name; leave out for the whole order")
    ] = None
    quantity: Units = None
    payment_method: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = Field(
        "original", description="where the money goes: 'original', 'gift card' or 'store credit'"
    )


class Swap(Command):
    order: Number
    sku: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=64),
        Field(description="SKU of the variant wanted instead, as find_products shows it; the same product"),
    ]
    reason: Reason
    quantity: Units = None
    payment_method: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = Field(
        "default", description="the saved method that pays or gets a difference in price, as in buy_cart"
    )


class OfOrder(Command):
    order: Number | None = None


@tool(Effect.WRITE, REQUEST_RETURNS, READ_RETURNS, READ_ORDERS, OWN_METHODS)
async def request_return(call: Call, args: SendBack) -> ReturnView:
    """Registers a return of delivered items for money back; the money moves once the parcel was looked at.

    The shop's policy decides and says why; on a refusal tell the customer its words. For another size or colour use
    request_exchange. An order that is not packed yet is cancelled instead."""
    order = await call.commerce.order.named(call.work, args.order)
    command = await call.commerce.spoken_returns.refund(
        call.work, order.id, args.reason, args.product, args.quantity, args.payment_method
    )
    return await _requested(call, command)


@tool(Effect.WRITE, REQUEST_RETURNS, READ_RETURNS, READ_ORDERS, OWN_METHODS)
async def request_exchange(call: Call, args: Swap) -> ReturnView:
    """Registers an exchange of a delivered item for another variant of the same product, such as another size.

    A difference in price is paid with, or goes back to, the named saved method once the parcel was looked at."""
    order = await call.commerce.order.named(call.work, args.order)
    command = await call.commerce.spoken_returns.exchange(
        call.work, order.id, args.reason, args.sku, args.quantity, args.payment_method
    )
    return await _requested(call, command)


@tool(Effect.READ, READ_RETURNS, READ_ORDERS)
async def return_status(call: Call, args: OfOrder) -> list[ReturnView]:
    """Shows the caller's returns and exchanges, newest first, of one order when it is named: how far each one is."""
    order = await call.commerce.order.named(call.work, args.order) if args.order else None
    return (await call.commerce.returns.page(call.work, order.id if order else None, size=5)).items


async def _requested(call: Call, command: RequestReturn) -> ReturnView:
    made = new_id()
    started = await call.commerce.returns.request(call.work, made, command)

    async def show(work: Work) -> ReturnView:
        return await call.commerce.returns.view(work, made)

    call.started(started.run, show)
    return await show(call.work)
