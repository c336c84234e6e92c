"""Picking: units of an order's lines are taken, each once, out of a bin where there are bins."""

from uuid import UUID

from commerce.warehouse.bins import Bins
from commerce.warehouse.errors import AlreadyPicked, UnknownPickTask
from commerce.warehouse.events import OrderPicked
from commerce.warehouse.tables import PickTask
from kernel.db import Work
from kernel.repository import Repository

_PICK = """
update warehouse_picking_lines l set picked = picked + $3
from warehouse_tasks t
where l.order_line_id = $2 and l.order_id = $1 and t.order_id = l.order_id and t.status = 'open' and picked + $3 <= quantity
returning l.variant_id
"""

_DONE = """
update warehouse_tasks set status = 'done', updated_at = $2
where order_id = $1 and status = 'open'
  and not exists (select from warehouse_picking_lines where order_id = $1 and picked < quantity)
returning group_id
"""


class Picking:
    def __init__(self, bins: Bins) -> None:
        self._bins = bins
        self._tasks = Repository(PickTask, "merchant_id")

    async def pick(self, work: Work, order_id: UUID, line_id: UUID, quantity: int, bin_id: UUID | None) -> None:
        """Notes units as taken, out of the named bin or the best ones; the last ones finish the task. Emits OrderPicked.

        Raises UnknownPickTask, AlreadyPicked, BinUnitsNotThere."""
        task = await self.lock(work, order_id)
        variant = await work.value(_PICK, order_id, line_id, quantity)
        if variant is None:
            raise AlreadyPicked()
        await self._bins.pick(work, task, line_id, variant, quantity, bin_id)
        if group := await work.value(_DONE, order_id, work.now):
            work.emit(OrderPicked(group_id=group, order_ids=[order_id]))

    async def lock(self, work: Work, order_id: UUID) -> PickTask:
        """An order's pick task of the caller, locked. Raises UnknownPickTask."""
        table = self._tasks.table
        task = await self._tasks.find(work, table.c.order_id == order_id)
        if task is None:
            raise UnknownPickTask()
        await work.run("select from warehouse_tasks where order_id = $1 for update", order_id)
        return task
