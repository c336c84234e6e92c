"""Tools on the warehouse: what has to be picked, and how far an order is."""

from datetime import datetime

from commerce.order.permissions import READ_ORDERS
from commerce.warehouse.permissions import PICK
from commerce.warehouse.schemas import PickTaskView
from kernel.schemas import View
from tools.order import OneOrder, Some
from tools.spec import Call, Effect, tool


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
