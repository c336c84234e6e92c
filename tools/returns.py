"""Tools on returns: send something back, swap it for another variant, see how far it is; for staff what speaks for one."""

from typing import Annotated

from pydantic import Field, StringConstraints

from commerce.approval import Draft
from commerce.approval.permissions import PROPOSE
from commerce.order.permissions import READ_ORDERS
from commerce.payment.permissions import OWN_METHODS
from commerce.returns import ReturnView
from commerce.returns.permissions import DECIDE_RETURNS, READ_RETURNS, REQUEST_RETURNS
from commerce.returns.schemas import RequestReturn, ReturnCaseView
from commerce.returns.spoken import Wanted
from commerce.returns.verdicts import Decision
from kernel.db import Work
from kernel.ids import new_id, public
from kernel.schemas import Command, Quantity, Text, View
from tools.order import NewSku, Number
from tools.spec import Call, Effect, tool

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Reason = Annotated[
    Words,
    Field(description="why, as one of the shop's reasons; ask the customer when they gave none"),
]
Units = Annotated[Quantity | None, Field(description="how many units; all of them when the customer does not say")]


Sku = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=64),
    Field(description="the SKU of an item in the order, as get_order shows it"),
]


class Item(Command):
    """Units of an item that go back."""

    sku: Sku
    quantity: Quantity = 1


class Replaced(Command):
    """Units of an item that go back for another variant of the same product."""

    item: Sku
    sku: NewSku
    quantity: Quantity = 1


class SendBack(Command):
    order: Number
    reason: Reason
    product: Annotated[
        Words | None, Field(description="which item of the order, by its name; leave out for the whole order")
    ] = None
    quantity: Units = None
    payment_method: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = Field(
        "original", description="where the money goes: 'original', 'gift card', 'store credit', or a saved method's id"
    )
    items: list[Item] = Field(
        default_factory=list,
        max_length=50,
        description="several items in one go by their SKUs, instead of product and quantity; a shop may allow only one go",
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
    item: Annotated[Sku | None, Field(description="SKU of the ordered item, where it is not plain which one")] = None
    more: list[Replaced] = Field(
        default_factory=list,
        max_length=50,
        description="further items in the same go, beside `item`; a shop may allow only one go",
    )


class OfOrder(Command):
    order: Number | None = None


@tool(Effect.WRITE, REQUEST_RETURNS, READ_RETURNS, READ_ORDERS, OWN_METHODS)
async def request_return(call: Call, args: SendBack) -> ReturnView:
    """Registers a return of delivered items for money back; the money moves once the parcel was looked at.

    The shop's policy decides and says why; on a refusal tell the customer its words. For another size or colour use
    request_exchange. An order that is not packed yet is cancelled instead."""
    order, spoken = await call.commerce.order.named(call.work, args.order), call.commerce.spoken_returns
    if not args.items:
        command = await spoken.refund(
            call.work, order.id, args.reason, args.product, args.quantity, args.payment_method
        )
    else:
        wanted = [Wanted(item.sku, item.quantity) for item in args.items]
        command = await spoken.units(call.work, order.id, args.reason, wanted, None)
    if args.payment_method.startswith("pm_"):
        method = (await call.commerce.payment.chosen(call.work, args.payment_method)).id
        way = await call.commerce.returns.way(call.work, order.group_id, method)
        command = command.model_copy(update={"destination": way, "payment_method_id": method})
    return await _requested(call, command)


@tool(Effect.WRITE, REQUEST_RETURNS, READ_RETURNS, READ_ORDERS, OWN_METHODS)
async def request_exchange(call: Call, args: Swap) -> ReturnView:
    """Registers an exchange of a delivered item for another variant of the same product, such as another size.

    A difference in price is paid with, or goes back to, the named saved method once the parcel was looked at."""
    order, spoken = await call.commerce.order.named(call.work, args.order), call.commerce.spoken_returns
    if args.item is None:
        command = await spoken.exchange(call.work, order.id, args.reason, args.sku, args.quantity, args.payment_method)
        return await _requested(call, command)
    wanted = [Wanted(args.item, args.quantity or 1, args.sku)]
    wanted += [Wanted(one.item, one.quantity, one.sku) for one in args.more]
    return await _requested(call, await spoken.units(call.work, order.id, args.reason, wanted, args.payment_method))


@tool(Effect.READ, READ_RETURNS, READ_ORDERS)
async def return_status(call: Call, args: OfOrder) -> list[ReturnView]:
    """Shows the caller's returns and exchanges, newest first, of one order when it is named: how far each one is."""
    order = await call.commerce.order.named(call.work, args.order) if args.order else None
    return (await call.commerce.returns.page(call.work, order.id if order else None, size=5)).items


OneReturn = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=40),
    Field(description="number of the order whose newest return it is, or the return's id"),
]


class AboutReturn(Command):
    order: OneReturn


class ReturnCase(View):
    """A return as those see it who decide, with the number of its order."""

    order: str
    case: ReturnCaseView


@tool(Effect.READ, DECIDE_RETURNS, READ_ORDERS)
async def return_case(call: Call, args: AboutReturn) -> ReturnCase:
    """Shows what speaks for and against a return: why it waits, what was said of its units and how they were found, what
    its customer sent back lately. For staff."""
    case = await call.commerce.receiving.verdicts.case(call.work, await _named(call, args.order))
    order = await call.commerce.order.view(call.work, case.order_id)
    return ReturnCase(order=order.number, case=case)


class ReturnVerdict(Command):
    order: OneReturn
    decision: Annotated[Decision, Field(description="accept lets the parcel come, reject ends the return")]
    reason: Annotated[Text, Field(description="why, in one line for the person who decides")]


@tool(Effect.PROPOSE, DECIDE_RETURNS, PROPOSE, READ_ORDERS)
async def propose_return_verdict(call: Call, args: ReturnVerdict) -> Draft:
    """Proposes to accept or reject a return that waits in the grey zone. One of little worth may be accepted at once, any
    other waits for a person. Not for returns that do not wait."""
    name = await _named(call, args.order)
    return await call.commerce.receiving.verdicts.draft(call.work, name, args.decision, args.reason)


async def _named(call: Call, name: str) -> str:
    """A return's id as it is; for an order's number the order's id."""
    return name if name.startswith("ret_") else public("ord", (await call.commerce.order.named(call.work, name)).id)


async def _requested(call: Call, command: RequestReturn) -> ReturnView:
    made = new_id()
    started = await call.commerce.returns.request(call.work, made, command)

    async def show(work: Work) -> ReturnView:
        return await call.commerce.returns.view(work, made)

    call.started(started.run, show)
    return await show(call.work)
