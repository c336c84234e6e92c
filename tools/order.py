"""Tools on orders: where is it, cancel it, send it elsewhere; and a merchant's sales."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from commerce.approval import Draft
from commerce.approval.permissions import PROPOSE
from commerce.checkout import ChangeView
from commerce.checkout.errors import PaymentNeeded
from commerce.checkout.service import Placed
from commerce.order import OrderView
from commerce.order.permissions import CHANGE_ORDERS, MANAGE_ORDERS, READ_ORDERS, READ_SALES
from commerce.order.schemas import (
    CancelItem,
    CancelLines,
    CancelOrder,
    ChangeAddress,
    ChangeItem,
    ChangeItems,
    ChangePayment,
    SalesView,
    TimelineView,
)
from commerce.payment.permissions import OWN_METHODS
from kernel.db import Work
from kernel.ids import new_id
from kernel.schemas import Code, Command, LongText, Quantity, View
from tools.spec import Call, Effect, tool

Number = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=40),
    Field(description="the order's number, such as A100123, or 'latest' for the newest order"),
]


Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    Field(description="one of the shop's reasons; ask the customer when they gave none"),
]


class OneOrder(Command):
    order: Number = "latest"


class Some(Command):
    most: Annotated[int, Field(ge=1, le=20, description="how many, newest first")] = 5


class CancelOne(CancelOrder):
    order: Number
    reason: Reason


class ReaddressOne(ChangeAddress):
    order: Number


Sku = Annotated[
    Code,
    StringConstraints(strip_whitespace=True),
    Field(description="the SKU of an item in the order, as get_order shows it"),
]
NewSku = Annotated[
    Code,
    StringConstraints(strip_whitespace=True),
    Field(description="the SKU of another variant of the same product, as get_product shows it"),
]


class Swap(Command):
    """Units of an item that become another variant."""

    sku: Sku
    new_sku: NewSku
    quantity: Quantity = 1


class SwapItems(Swap):
    order: Number
    more: list[Swap] = Field(
        default_factory=list,
        max_length=20,
        description="further items to change in the same go; a shop may allow only one go",
    )
    payment_method: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = Field(
        "default",
        description="which saved method pays or gets the difference: its id, the card's last four digits, 'gift card'; "
        "'default' takes the first saved one, and gives back the way it was paid",
    )


class Repay(Command):
    order: Number
    payment_method: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=80),
        Field(description="which saved method pays instead: its id, the card's last four digits, or 'gift card'"),
    ]


class Drop(Command):
    """Units of an item that are cancelled; without `quantity` all of them."""

    sku: Sku
    quantity: Quantity | None = None


class DropItems(Drop):
    order: Number
    more: list[Drop] = Field(default_factory=list, max_length=20, description="further items to cancel in the same go")
    reason: Reason


class Days(Command):
    days: Annotated[int, Field(ge=1, le=366, description="how many days back from today")] = 30


class OnTheWay(View):
    """A parcel of an order: where it is, and the last day it was promised for."""

    carrier: str
    tracking: str
    status: str
    promised_on: date | None
    delivered_at: datetime | None


class OrderStory(View):
    """An order with what happened to it and its parcels, oldest first."""

    order: OrderView
    history: list[TimelineView]
    parcels: list[OnTheWay] = Field(default_factory=list)


@tool(Effect.READ, READ_ORDERS)
async def list_orders(call: Call, args: Some) -> list[OrderView]:
    """Lists the caller's own orders, newest first, with status, items and totals. Use it when no order is named."""
    return (await call.commerce.order.page(call.work, size=args.most)).items


@tool(Effect.READ, READ_ORDERS)
async def get_order(call: Call, args: OneOrder) -> OrderStory:
    """Shows one order of the caller: status, items, totals, payment, where it goes, what happened so far, and where its
    parcels are.

    Use it for "where is my order", "what did I order", "was it paid"."""
    order = await call.commerce.order.named(call.work, args.order)
    history = await call.commerce.order.timeline(call.work, order.id)
    sent = await call.commerce.fulfillment.shipments(call.work, order.id)
    parcels = [OnTheWay(**parcel.model_dump(include=set(OnTheWay.model_fields))) for parcel in sent]
    return OrderStory(order=order, history=history, parcels=parcels)


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


@tool(Effect.WRITE, CHANGE_ORDERS, READ_ORDERS, OWN_METHODS)
async def modify_order_items(call: Call, args: SwapItems) -> ChangeView:
    """Changes items of an order that is not packed into other variants of the same product (colour, size).

    Shows the exact difference first: a dearer item is charged to the saved method, a cheaper one gives money back. Name
    all items at once, because a shop may allow one change per order. Look the order and the product up for the SKUs."""
    order = await call.commerce.order.named(call.work, args.order)
    items = [
        ChangeItem(
            sku=swap.sku,
            variant_id=await call.commerce.product.variant(call.work, swap.new_sku),
            quantity=swap.quantity,
        )
        for swap in (args, *args.more)
    ]
    change = new_id()
    method = None if args.payment_method == "default" else await _method(call, args.payment_method)
    try:
        command = ChangeItems(items=items, payment_method_id=method)
        placed = await call.commerce.change.items(call.work, order.id, change, command)
    except PaymentNeeded:
        command = ChangeItems(items=items, payment_method_id=await _method(call, "default"))
        placed = await call.commerce.change.items(call.work, order.id, change, command)
    return await _changed(call, placed)


@tool(Effect.WRITE, CHANGE_ORDERS, READ_ORDERS, OWN_METHODS)
async def change_order_payment(call: Call, args: Repay) -> ChangeView:
    """Pays an order that is not packed with another saved method: the new one is charged, then the old one given back.

    Not possible once an item was changed for money. A gift card must cover the whole amount."""
    order = await call.commerce.order.named(call.work, args.order)
    command = ChangePayment(payment_method_id=await _method(call, args.payment_method))
    return await _changed(call, await call.commerce.change.payment(call.work, order.id, new_id(), command))


@tool(Effect.WRITE, CHANGE_ORDERS, READ_ORDERS)
async def cancel_order_lines(call: Call, args: DropItems) -> ChangeView:
    """Cancels single items, or some units of them, of an order that is not packed; the rest of it is still sent.

    For the whole order use cancel_order. Needs one of the shop's reasons; an unknown one is refused with the list."""
    order = await call.commerce.order.named(call.work, args.order)
    items = [CancelItem(sku=drop.sku, quantity=drop.quantity) for drop in (args, *args.more)]
    command = CancelLines(items=items, reason=args.reason)
    return await _changed(call, await call.commerce.change.cancel_lines(call.work, order.id, new_id(), command))


async def _method(call: Call, wish: str) -> UUID:
    return (await call.commerce.payment.chosen(call.work, wish)).id


async def _changed(call: Call, placed: Placed) -> ChangeView:
    async def show(work: Work) -> ChangeView:
        return await call.commerce.change.view(work, placed.id)

    call.started(placed.run, show)
    return await show(call.work)


@tool(Effect.READ, READ_SALES)
async def merchant_orders(call: Call, args: Some) -> list[OrderView]:
    """Lists the newest orders placed with the caller's own shop. For merchants."""
    return (await call.commerce.order.of_merchants(call.work, size=args.most)).items


@tool(Effect.READ, READ_SALES)
async def merchant_sales(call: Call, args: Days) -> SalesView:
    """Sums up the confirmed sales of the caller's own shop: orders, units, revenue, best sellers. For merchants."""
    return await call.commerce.order.sales(call.work, args.days)


class OrderNote(Command):
    order: Number
    text: Annotated[LongText, Field(description="the note: what helps whoever looks at the order next")]


@tool(Effect.PROPOSE, MANAGE_ORDERS, PROPOSE, READ_ORDERS)
async def propose_order_note(call: Call, args: OrderNote) -> Draft:
    """Proposes a note on an order for colleagues; its customer never sees it. Taken at once within the day's limits."""
    order = await call.commerce.order.named(call.work, args.order)
    return await call.commerce.order.noting.draft(call.work, order, args.text)
