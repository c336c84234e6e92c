"""The warehouse: pick tasks from confirmed orders, one per order, each unit picked once."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from commerce.inventory import Shelves
from commerce.warehouse.bins import Bins
from commerce.warehouse.counting import Counting
from commerce.warehouse.errors import UnknownPickTask
from commerce.warehouse.events import OrderPicked, PickCreated
from commerce.warehouse.layout import Layout
from commerce.warehouse.packing import Packing
from commerce.warehouse.permissions import PICK
from commerce.warehouse.picking import Picking
from commerce.warehouse.putaway import Putaway
from commerce.warehouse.receiving import Receiving
from commerce.warehouse.schemas import PickLineView, PickTaskView, ToPick
from commerce.warehouse.shorts import Shorts
from commerce.warehouse.tables import PickTask
from commerce.warehouse.waves import Waves
from kernel.db import Work
from kernel.repository import Repository

_CREATE = """
with given as (
  select * from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bigint[])
    g(order_id, merchant_id, order_line_id, variant_id, sku, quantity)
), made as (
  insert into warehouse_tasks (order_id, group_id, merchant_id, status, created_at, updated_at)
  select distinct order_id, $1::uuid, merchant_id, 'open', $8::timestamptz, $8::timestamptz from given
  on conflict (order_id) do nothing returning order_id
)
insert into warehouse_picking_lines (order_line_id, order_id, variant_id, sku, quantity, picked)
select g.order_line_id, g.order_id, g.variant_id, g.sku, g.quantity, 0 from given g join made using (order_id)
"""

# $1 order, $2 lines, $3 units: lines of the order whose units are no longer all there to be picked
_PICKED = """
select count(*) from unnest($2::uuid[], $3::bigint[]) w(id, units)
join warehouse_picking_lines l on l.order_line_id = w.id join warehouse_tasks t on t.order_id = l.order_id
where l.order_id = $1 and (l.quantity - l.picked < w.units or t.status not in ('open', 'held'))
"""

# $1 order, $2 lines, $3 variants, $4 skus, $5 quantities
_CHANGE = """
insert into warehouse_picking_lines (order_line_id, order_id, variant_id, sku, quantity, picked)
select g.id, t.order_id, g.variant_id, g.sku, g.quantity, 0
from warehouse_tasks t, unnest($2::uuid[], $3::uuid[], $4::text[], $5::bigint[]) g(id, variant_id, sku, quantity)
where t.order_id = $1 and t.status in ('open', 'held')
on conflict (order_line_id) do update
  set variant_id = excluded.variant_id, sku = excluded.sku, quantity = excluded.quantity
"""

# $1 order, $2 now
_CLOSE = """
update warehouse_tasks set updated_at = $2, status = case
  when exists (select from warehouse_picking_lines where order_id = $1 and quantity > 0) then 'done' else 'cancelled' end
where order_id = $1 and status in ('open', 'held')
  and not exists (select from warehouse_picking_lines where order_id = $1 and picked < quantity)
returning status, group_id
"""


class WarehouseService:
    """`packing` puts what was picked into packages, `bins` are the places units lie at, `layout` says which there are;
    `receiving`, `putaway` and `counting` are how units come into them and are found there, `waves` how many orders are
    picked in one round, `shorts` what is done when a bin has too few."""

    def __init__(self, shelves: Shelves) -> None:
        self.packing = Packing()
        self.bins = Bins()
        self.layout = Layout(shelves, self.bins)
        self.picking = Picking(self.bins)
        self.receiving = Receiving(shelves, self.layout, self.bins)
        self.putaway = Putaway(self.layout, self.bins)
        self.counting = Counting(shelves, self.layout, self.bins)
        self.shorts = Shorts(shelves, self.bins, self.picking, self.counting)
        self.waves = Waves(self.layout, self.picking, self.shorts)
        self._tasks = Repository(PickTask, "merchant_id")

    async def create_picks(self, work: Work, group_id: UUID, lines: Sequence[ToPick]) -> None:
        """The pick tasks of a purchase, one per order; a second call makes none. Emits PickCreated."""
        made = await work.run(
            _CREATE,
            *(group_id, [x.order_id for x in lines], [x.merchant_id for x in lines], [x.order_line_id for x in lines]),
            *([x.variant_id for x in lines], [x.sku for x in lines], [x.quantity for x in lines], work.now),
        )
        if made:
            orders = sorted({x.order_id for x in lines})
            work.emit(PickCreated(group_id=group_id, order_ids=orders))

    async def unpicked(self, work: Work, order_id: UUID, units: Mapping[UUID, int]) -> bool:
        """Locks an order's pick task: whether these units of its lines were not picked yet."""
        await work.rows("select from warehouse_tasks where order_id = $1 for update", order_id)
        picked = await work.value(_PICKED, order_id, list(units), list(units.values()))
        return bool(picked == 0)

    async def all_picked(self, work: Work, order_id: UUID) -> bool:
        """Locks an order's pick task: whether everything of it was picked. False for an order that nobody picks here."""
        await work.rows("select from warehouse_tasks where order_id = $1 for update", order_id)
        found = await work.value(
            "select bool_and(picked = quantity) from warehouse_picking_lines where order_id = $1 and quantity > 0",
            order_id,
        )
        return bool(found)

    async def has_picked(self, work: Work, order_id: UUID, units: Mapping[UUID, int]) -> bool:
        """Whether at least these units of an order's lines were picked; True for an order that nobody picks here."""
        missing = await work.value(
            "select count(*) from unnest($2::uuid[], $3::bigint[]) w(id, units) "
            "join warehouse_picking_lines l on l.order_line_id = w.id where l.order_id = $1 and l.picked < w.units",
            *(order_id, list(units), list(units.values())),
        )
        return bool(missing == 0)

    async def change_picks(self, work: Work, order_id: UUID, lines: Sequence[ToPick]) -> None:
        """What is to be picked now for these lines of an order. Emits OrderPicked when what is left was picked before."""
        await work.run(
            _CHANGE,
            *(order_id, [x.order_line_id for x in lines], [x.variant_id for x in lines], [x.sku for x in lines]),
            [x.quantity for x in lines],
        )
        closed = await work.row(_CLOSE, order_id, work.now)
        if closed and closed["status"] == "done":
            work.emit(OrderPicked(group_id=closed["group_id"], order_ids=[order_id]))

    async def hold_picks(self, work: Work, order_id: UUID, held: bool) -> None:
        """Stops the picking of an order, or lets it go on. Idempotent."""
        before, after = ("open", "held") if held else ("held", "open")
        await work.run(
            "update warehouse_tasks set status = $3, updated_at = $4 where order_id = $1 and status = $2",
            *(order_id, before, after, work.now),
        )

    async def cancel_picks(self, work: Work, group_id: UUID) -> None:
        """Closes what was not picked yet. Idempotent."""
        await work.run(
            "update warehouse_tasks set status = 'cancelled', updated_at = $2 where group_id = $1 and status in ('open', 'held')",
            *(group_id, work.now),
        )

    async def shipped(self, work: Work, order_id: UUID) -> None:
        """Closes the task of an order whose units have all left. Idempotent."""
        await work.run(
            "update warehouse_tasks set status = 'done', updated_at = $2 where order_id = $1 and status = 'open'",
            *(order_id, work.now),
        )

    async def open_tasks(self, work: Work, limit: int = 100) -> list[PickTaskView]:
        """The caller's open tasks, oldest order first."""
        work.principal.require(PICK)
        return await self._views(work, await self._tasks.all(work, self._tasks.table.c.status == "open", limit=limit))

    async def task(self, work: Work, order_id: UUID) -> PickTaskView:
        """The task of an order, whatever its state. Raises UnknownPickTask."""
        work.principal.require(PICK)
        found = await self._tasks.find(work, self._tasks.table.c.order_id == order_id)
        if found is None:
            raise UnknownPickTask()
        return (await self._views(work, [found]))[0]

    async def pick(
        self, work: Work, order_id: UUID, order_line_id: UUID, quantity: int, bin_id: UUID | None = None
    ) -> None:
        """Notes units as taken, out of a bin where there are bins; the last ones finish the task. Emits OrderPicked.

        Raises UnknownPickTask, AlreadyPicked, BinUnitsNotThere."""
        work.principal.require(PICK)
        await self.picking.pick(work, order_id, order_line_id, quantity, bin_id)

    async def _views(self, work: Work, tasks: Sequence[PickTask]) -> list[PickTaskView]:
        rows = await work.rows(
            "select * from warehouse_picking_lines where order_id = any($1) and quantity > 0 order by sku",
            [t.order_id for t in tasks],
        )
        lines: dict[UUID, list[PickLineView]] = {task.order_id: [] for task in tasks}
        for row in rows:
            lines[row["order_id"]].append(PickLineView.model_validate(dict(row)))
        return [
            PickTaskView(order_id=t.order_id, status=t.status, lines=lines[t.order_id], created_at=t.created_at)
            for t in tasks
        ]
