"""Tools on returns: send items of a delivered order back, for money or for another variant."""

from collections.abc import Iterable
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from commerce.order import SentOrder
from commerce.order.permissions import READ_ORDERS
from commerce.payment.permissions import OWN_METHODS
from commerce.returns.errors import UnknownReturnLine
from commerce.returns.permissions import READ_RETURNS, REQUEST_RETURNS
from commerce.returns.schemas import RequestReturn, ReturnUnits, ReturnView
from commerce.returns.service import Started
from kernel.db import Work
from kernel.ids import new_id
from kernel.schemas import Code, Command, Quantity
from tools.order import NewSku, Number, Sku
from tools.spec import Call, Effect, tool

Reason = Annotated[
    Code,
    Field(
        description="why it goes back: not_wanted, wrong_size, not_as_described, defective, damaged, wrong_item or late"
    ),
]
Wish = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]


class Item(Command):
    sku: Sku
    quantity: Quantity = 1


class Replaced(Item):
    new_sku: NewSku


class ReturnItems(Item):
    order: Number
    more: list[Item] = Field(
        default_factory=list,
        max_length=20,
        description="further items to send back in the same go; a shop may allow only one go",
    )
    reason: Reason
    payment_method: Wish = Field(
        "original",
        description="where the money goes: 'original' is the way it was paid; or a saved gift card by its id, where the "
        "shop allows it",
    )


class ExchangeItems(Replaced):
    order: Number
    more: list[Replaced] = Field(
        default_factory=list,
        max_length=20,
        description="further items to exchange in the same go; a shop may allow only one go",
    )
    reason: Reason
    payment_method: Wish = Field(
        "default",
        description="which saved method pays or gets the difference: its id, the card's last four digits, 'gift card'; "
        "'default' takes the first saved one",
    )


@tool(Effect.WRITE, REQUEST_RETURNS, READ_RETURNS, READ_ORDERS, OWN_METHODS)
async def return_items(call: Call, args: ReturnItems) -> ReturnView:
    """Asks to send items of a delivered order back for money. The money comes once the parcel has arrived and passed.

    Name all items at once, because a shop may allow one return or exchange per order. Look the order up for the SKUs."""
    order = await call.commerce.order.named(call.work, args.order)
    sent = await call.commerce.fulfillment.sent(call.work, order.id)
    lines = _units(sent, ((item.sku, item.quantity, None) for item in (args, *args.more)))
    command = RequestReturn(order_id=order.id, lines=lines, reason=args.reason)
    if args.payment_method != "original":
        method = (await call.commerce.payment.chosen(call.work, args.payment_method)).id
        way = await call.commerce.returns.way(call.work, order.group_id, method)
        command = command.model_copy(update={"destination": way, "payment_method_id": method})
    return await _asked(call, await call.commerce.returns.request(call.work, new_id(), command))


@tool(Effect.WRITE, REQUEST_RETURNS, READ_RETURNS, READ_ORDERS, OWN_METHODS)
async def exchange_items(call: Call, args: ExchangeItems) -> ReturnView:
    """Asks to exchange items of a delivered order for other variants of the same products (colour, size).

    Shows the exact difference first. Name all items at once, because a shop may allow one return or exchange per order.
    Look the order and the product up for the SKUs."""
    order = await call.commerce.order.named(call.work, args.order)
    sent = await call.commerce.fulfillment.sent(call.work, order.id)
    wanted = [
        (item.sku, item.quantity, await call.commerce.product.variant(call.work, item.new_sku))
        for item in (args, *args.more)
    ]
    command = RequestReturn(
        order_id=order.id,
        lines=_units(sent, wanted),
        reason=args.reason,
        resolution="exchange",
        payment_method_id=(await call.commerce.payment.chosen(call.work, args.payment_method)).id,
    )
    return await _asked(call, await call.commerce.returns.request(call.work, new_id(), command))


def _units(sent: SentOrder, wanted: Iterable[tuple[str, int, UUID | None]]) -> list[ReturnUnits]:
    """Units of lines for SKUs with what replaces them: the first lines that still have some give them.

    Raises UnknownReturnLine when the order does not hold so many."""
    left = {line.id: line.shipped - line.returned for line in sent.lines.values()}
    taken: dict[tuple[UUID, UUID | None], int] = {}
    for sku, quantity, replacement in wanted:
        open_units = quantity
        for line in sent.lines.values():
            part = min(open_units, left[line.id]) if line.sku == sku.upper() else 0
            if part:
                taken[line.id, replacement] = taken.get((line.id, replacement), 0) + part
                left[line.id] -= part
                open_units -= part
        if open_units:
            raise UnknownReturnLine()
    return [
        ReturnUnits(order_line_id=line, quantity=quantity, replacement_id=replacement)
        for (line, replacement), quantity in taken.items()
    ]


async def _asked(call: Call, started: Started) -> ReturnView:
    async def show(work: Work) -> ReturnView:
        return await call.commerce.returns.view(work, started.return_id)

    call.started(started.run, show)
    return await show(call.work)
