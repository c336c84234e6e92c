"""Tools on the warehouse: what has to be picked and where it lies, rounds laid anew, counts put to a person."""

from datetime import datetime

from pydantic import Field

from commerce.approval import Draft
from commerce.approval.permissions import PROPOSE
from commerce.order.permissions import READ_ORDERS
from commerce.warehouse.permissions import COUNT, PICK
from commerce.warehouse.rounds import ShortId, WaveId
from commerce.warehouse.schemas import PickTaskView
from commerce.warehouse.slips import CountId
from kernel.schemas import Code, Command, View
from tools.order import OneOrder, Some
from tools.spec import Call, Effect, tool

BINS_MOST = 20


class PickedLine(View):
    sku: str
    quantity: int
    picked: int


class PickJob(View):
    """An order to pick; `status` is open, done or cancelled."""

    order: str
    status: str
    lines: list[PickedLine]
    since: datetime


class Where(Command):
    sku: Code | None = Field(None, description="SKU of the article; without one all that lies in bins")


class OneRound(Command):
    wave: WaveId | None = Field(None, description="the wave; without one the newest that is not finished")
    short: ShortId | None = Field(None, description="the short pick that made it necessary, when an event named one")


class OneCount(Command):
    count: CountId | None = Field(None, description="the count; without one the oldest that waits")


class Lying(View):
    """Units of an article in a bin; `kind` is shelf, dock, returns or staging (picked for an order, in its tote)."""

    sku: str
    location: str
    bin: str
    kind: str
    quantity: int


@tool(Effect.READ, PICK)
async def find_in_warehouse(call: Call, args: Where) -> list[Lying]:
    """Says in which bins an article lies and how many units in each, in the order of the way through the warehouse. For
    merchants, of their own places, and for staff. Places without bins are not in it: for those use merchant_stock."""
    rows = await call.commerce.warehouse.layout.lying(call.work, args.sku, most=BINS_MOST)
    return [Lying.model_validate(row.model_dump(include=set(Lying.model_fields))) for row in rows]


@tool(Effect.PROPOSE, PICK, PROPOSE)
async def propose_replan(call: Call, args: OneRound) -> Draft:
    """Proposes to lay the rest of a picking round anew: what is held, cancelled or gone falls out, what came is taken in.
    After a short pick the merchant is also told what became of the missing units. Done at once within the day's limit."""
    return await call.commerce.replan.draft(call.work, args.wave, args.short)


@tool(Effect.PROPOSE, COUNT, PROPOSE)
async def propose_variance(call: Call, args: OneCount) -> Draft:
    """Proposes to apply a count of bins that is off by more than its place allows. It always waits for a person, and never
    for the one who counted."""
    return await call.commerce.variance.draft(call.work, args.count)


@tool(Effect.READ, PICK, READ_ORDERS)
async def pick_tasks(call: Call, args: Some) -> list[PickJob]:
    """Lists the open pick tasks, oldest first: which orders wait to be packed and what is in them. For merchants, of
    their own orders, and for staff."""
    tasks = await call.commerce.warehouse.open_tasks(call.work, args.most)
    numbers = await call.commerce.order.numbers(call.work, [task.order_id for task in tasks])
    return [_job(numbers[task.order_id], task) for task in tasks if task.order_id in numbers]


@tool(Effect.READ, PICK, READ_ORDERS)
async def pick_status(call: Call, args: OneOrder) -> PickJob:
    """Says how far the picking of one order is, line by line. For merchants and staff; customers use get_order."""
    order = await call.commerce.order.named(call.work, args.order)
    return _job(order.number, await call.commerce.warehouse.task(call.work, order.id))


def _job(number: str, task: PickTaskView) -> PickJob:
    lines = [PickedLine(sku=line.sku, quantity=line.quantity, picked=line.picked) for line in task.lines]
    return PickJob(order=number, status=task.status, lines=lines, since=task.created_at)
