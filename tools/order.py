"""Tools on orders: where is it, cancel it, send it elsewhere; and a merchant's sales."""

from typing import Annotated

from pydantic import Field, StringConstraints

from commerce.order import OrderView
from commerce.order.permissions import CHANGE_ORDERS, READ_ORDERS, READ_SALES
from commerce.order.schemas import CancelOrder, ChangeAddress, SalesView, TimelineView
from kernel.db import Work
from kernel.schemas import Command, View
from tools.spec import Call, Effect, tool

Number = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=40),
    Field(description="the order's number, such as A100123, or 'latest' for the newest order"),
]


class OneOrder(Command):
    order: Number = "latest"


class Some(Command):
    most: Annotated[int, Field(ge=1, le=20, description="how many, newest first")] = 5


class CancelOne(CancelOrder):
    order: Number
    reason: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
        Field(description="one of the shop's reasons; ask the customer when they gave none"),
    ]


class ReaddressOne(ChangeAddress):
    order: Number


class Days(Command):
    days: Annotated[int, Field(ge=1, le=366, description="how many days back from today")] = 30


class OrderStory(View):
    """An order with what happened to it, oldest first."""

    order: OrderView
    history: list[TimelineView]


@tool(Effect.READ, READ_ORDERS)
async def list_orders(call: Call, args: Some) -> list[OrderView]:
    """Lists the caller's own orders, newest first, with status, items and totals. Use it when no order is named."""
    return (await call.commerce.order.page(call.work, size=args.most)).items


@tool(Effect.READ, READ_ORDERS)
async def get_order(call: Call, args: OneOrder) -> OrderStory:
    """Shows one order of the caller: status, items, totals, payment, where it goes, and what happened so far.

    Use it for "where is my order", "what did I order", "was it paid"."""
    order = await call.commerce.order.named(call.work, args.order)
    return OrderStory(order=order, history=await call.commerce.order.timeline(call.work, order.id))


@tool(Effect.WRITE, CHANGE_ORDERS, READ_ORDERS)
async def cancel_order(call: Call, args: CancelOne) -> OrderView:
    """Cancels the purchase an order belongs to and gives the money back the way it came. Not possible once packed.

    Reasons are the shop's own; an unknown one is refused with the list of those allowed: ask the customer then."""
    order = await call.commerce.order.named(call.work, args.order)
    placed = await call.commerce.checkout.cancel(call.work, order.id, CancelOrder(reason=args.reason))

    async def show(work: Work) -> OrderView:
        return await call.commerce.order.view(work, order.id)

    call.started(placed.run, show)
    return await show(call.work)


@tool(Effect.WRITE, CHANGE_ORDERS, READ_ORDERS)
async def change_order_address(call: Call, args: ReaddressOne) -> OrderView:
    """Sends an order that is not yet packed to another address. Needs the whole new address from the customer."""
    order = await call.commerce.order.named(call.work, args.order)
    return await call.commerce.order.change_address(call.work, order.id, ChangeAddress(address=args.address))


@tool(Effect.READ, READ_SALES)
async def merchant_orders(call: Call, args: Some) -> list[OrderView]:
    """Lists the newest orders placed with the caller's own shop. For merchants."""
    return (await call.commerce.order.of_merchants(call.work, size=args.most)).items


@tool(Effect.READ, READ_SALES)
async def merchant_sales(call: Call, args: Days) -> SalesView:
    """Sums up the confirmed sales of the caller's own shop: orders, units, revenue, best sellers. For merchants."""
    return await call.commerce.order.sales(call.work, args.days)
