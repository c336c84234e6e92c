"""Put away: units at the dock, back from customers, or picked in vain get a task that carries them into a shelf.

The rule: the shelf bin that holds most of the same article; if there is none, the emptiest one, first on the way. What open
tasks will bring counts as if it lay there."""

from collections.abc import Sequence
from uuid import UUID

from commerce.warehouse.bins import Bins
from commerce.warehouse.errors import BinUnitsNotThere, PutawayClosed, UnknownBin, UnknownPutaway
from commerce.warehouse.layout import Layout
from commerce.warehouse.papers import PutawayTask
from commerce.warehouse.permissions import PICK
from commerce.warehouse.slips import PutAway, PutawayView
from kernel.db import Work
from kernel.ids import new_id
from kernel.repository import Repository

# $1 location, $2 level
_TARGET = """
select b.id from warehouse_bins b join warehouse_zones z on z.id = b.zone_id and z.kind = 'shelf'
cross join lateral (
  select coalesce(sum(units), 0) as units, coalesce(sum(units) filter (where level_id = $2), 0) as same from (
    select level_id, quantity as units from warehouse_bin_stock s where s.bin_id = b.id
    union all
    select level_id, quantity from warehouse_putaway_tasks t where t.to_bin = b.id and t.status = 'open') held
) lying
where b.location_id = $1 and b.active and b.order_id is null
order by lying.same desc, lying.units, b.aisle, b.bay, b.level, b.code limit 1
"""

# $1 location: what lies where it should not stay and is in no open task; a tote whose order wants nothing more is such a place
_WAITING = """
select s.bin_id, s.level_id, (s.quantity - coalesce((
         select sum(t.quantity) from warehouse_putaway_tasks t
         where t.from_bin = s.bin_id and t.level_id = s.level_id and t.status = 'open'), 0))::bigint as units
from warehouse_bin_stock s join warehouse_bins b on b.id = s.bin_id join warehouse_zones z on z.id = b.zone_id
left join warehouse_tasks o on o.order_id = b.order_id
where s.location_id = $1 and s.quantity > 0 and (z.kind in ('dock', 'returns') or o.status = 'cancelled')
order by s.bin_id, s.level_id
"""

# $1 location, $2 now: tasks whose units were taken elsewhere
_STALE = """
update warehouse_putaway_tasks t set status = 'cancelled', updated_at = $2
from warehouse_bin_stock s
where t.location_id = $1 and t.status = 'open' and s.bin_id = t.from_bin and s.level_id = t.level_id
  and s.quantity < (select sum(o.quantity) from warehouse_putaway_tasks o
                    where o.from_bin = t.from_bin and o.level_id = t.level_id and o.status = 'open')
"""

# $1 task, $2 units, $3 now
_DONE = """
update warehouse_putaway_tasks set updated_at = $3, status = case when quantity > $2 then 'open' else 'done' end,
       quantity = case when quantity > $2 then quantity - $2 else quantity end where id = $1
"""

_VIEW = """
select t.id, v.sku, t.quantity, f.code as from_bin, b.code as to_bin, t.status
from warehouse_putaway_tasks t join inventory_levels l on l.id = t.level_id join product_variants v on v.id = l.variant_id
join warehouse_bins f on f.id = t.from_bin join warehouse_bins b on b.id = t.to_bin
where t.id = any($1) order by b.aisle, b.bay, b.level, t.id
"""


class Putaway:
    def __init__(self, layout: Layout, bins: Bins) -> None:
        self._layout = layout
        self._bins = bins
        self._tasks = Repository(PutawayTask, "merchant_id")

    async def plan(self, work: Work, location_id: UUID) -> list[PutawayView]:
        """Makes tasks for all that waits, forgets those that came to nothing; the open ones, in the order of the way.

        Raises UnknownWarehouse; NoSuchZone while there is no shelf."""
        work.principal.require(PICK)
        warehouse = await self._layout.warehouse(work, location_id)
        await work.rows("select from warehouses where location_id = $1 for no key update", location_id)
        await work.run(_STALE, location_id, work.now)
        for row in await work.rows(_WAITING, location_id):
            if row["units"] > 0:
                target = await work.value(_TARGET, location_id, row["level_id"])
                if target is None:
                    target = await self._bins.first(work, location_id, "shelf")
                task = PutawayTask(
                    id=new_id(),
                    location_id=location_id,
                    merchant_id=warehouse.merchant_id,
                    level_id=row["level_id"],
                    from_bin=row["bin_id"],
                    to_bin=target,
                    quantity=row["units"],
                    status="open",
                    created_at=work.now,
                    updated_at=work.now,
                )
                await self._tasks.add(work, task)
        return await self.open(work, location_id)

    async def open(self, work: Work, location_id: UUID) -> list[PutawayView]:
        """What is to be put away at a location, in the order of the way. Raises UnknownWarehouse."""
        work.principal.require(PICK)
        await self._layout.warehouse(work, location_id)
        table = self._tasks.table.c
        found = await self._tasks.all(work, table.location_id == location_id, table.status == "open")
        return await self._views(work, [task.id for task in found])

    async def done(self, work: Work, task_id: UUID, command: PutAway) -> PutawayView:
        """Units of a task lie in a shelf now, all or some of them.

        Raises UnknownPutaway, PutawayClosed, UnknownBin, BinUnitsNotThere."""
        work.principal.require(PICK)
        found = await self._tasks.lock(work, [task_id])
        if not found:
            raise UnknownPutaway()
        task = found[0]
        if task.status != "open":
            raise PutawayClosed(status=task.status)
        target = await self._bins.get(work, command.bin_id or task.to_bin)
        if target.location_id != task.location_id or target.order_id:
            raise UnknownBin()
        units = command.quantity or task.quantity
        if units > task.quantity:
            raise BinUnitsNotThere()
        await self._bins.move(work, task.level_id, task.from_bin, target.id, units, "put_away", task.id)
        await work.run(_DONE, task.id, units, work.now)
        return (await self._views(work, [task.id]))[0]

    async def _views(self, work: Work, ids: Sequence[UUID]) -> list[PutawayView]:
        return [PutawayView.model_validate(dict(row)) for row in await work.rows(_VIEW, list(ids))]
