"""Waves: orders of one place, picked in one short round (`rules.route`). A stop is units of one order line in one bin."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from commerce.warehouse import rules
from commerce.warehouse.errors import NothingToPick, StopDone, UnknownWave, WaveState
from commerce.warehouse.layout import Layout
from commerce.warehouse.papers import Stop, Wave
from commerce.warehouse.permissions import MANAGE, PICK
from commerce.warehouse.picking import Picking
from commerce.warehouse.rounds import (
    LaborView,
    PickStop,
    PlanWave,
    ReportShort,
    ShortStop,
    ShortView,
    StopView,
    WaveView,
)
from commerce.warehouse.shorts import Shorts
from kernel.db import Record, Work
from kernel.ids import new_id
from kernel.repository import Repository

# $1 location, $2 most: open orders that want units which lie there and are in no unfinished wave, oldest first. One that waits
# for goods does not stand in the way of others
_ORDERS = """
select t.order_id from warehouse_tasks t
where t.status = 'open' and exists (
  select from warehouse_picking_lines l
  join inventory_reservations r on r.reference_id = t.group_id and r.variant_id = l.variant_id and r.status = 'allocated'
  join inventory_levels v on v.id = r.level_id and v.location_id = $1
  where l.order_id = t.order_id and l.picked < l.quantity
    and exists (select from warehouse_bin_stock s join warehouse_bins b on b.id = s.bin_id
                where s.level_id = v.id and s.quantity > 0 and b.active and b.order_id is null)
    and r.quantity > coalesce((
      select sum(s.quantity) from warehouse_bins b join warehouse_bin_stock s on s.bin_id = b.id
      where b.location_id = $1 and b.order_id = t.order_id and s.level_id = v.id), 0))
  and not exists (
  select from warehouse_picking_lists s join warehouse_waves w on w.id = s.wave_id and w.status in ('open', 'started')
  where s.order_id = t.order_id and s.status = 'open')
order by t.created_at, t.order_id limit $2 for update of t skip locked
"""

# $1 location, $2 orders: what they still want from there, line by line; `promised` is of all lines of the level together
_WANTED = """
select l.order_id, l.order_line_id, l.quantity - l.picked as wanted, v.id as level_id,
       (r.quantity - coalesce((
         select sum(s.quantity) from warehouse_bins b join warehouse_bin_stock s on s.bin_id = b.id
         where b.location_id = $1 and b.order_id = t.order_id and s.level_id = v.id), 0))::bigint as promised
from warehouse_tasks t join warehouse_picking_lines l on l.order_id = t.order_id and l.picked < l.quantity
join inventory_reservations r on r.reference_id = t.group_id and r.variant_id = l.variant_id and r.status = 'allocated'
join inventory_levels v on v.id = r.level_id and v.location_id = $1
where t.order_id = any($2) and t.status = 'open' order by t.created_at, l.order_line_id
"""

# $1 levels: what bins hold that no open stop is after, in the order of the way
_FREE = """
select s.level_id, b.id as bin_id, b.aisle, b.bay, (s.quantity - coalesce((
         select sum(p.quantity - p.picked) from warehouse_picking_lists p join warehouse_waves w on w.id = p.wave_id
         where p.bin_id = b.id and p.level_id = s.level_id and p.status = 'open' and w.status in ('open', 'started')
       ), 0))::bigint as units
from warehouse_bin_stock s join warehouse_bins b on b.id = s.bin_id and b.active and b.order_id is null
join warehouse_zones z on z.id = b.zone_id and z.kind <> 'staging'
where s.level_id = any($1) and s.quantity > 0
  and not exists (select from warehouse_cycle_count_lines f join warehouse_cycle_counts c on c.id = f.count_id
                  where c.status = 'waiting' and f.bin_id = b.id and f.level_id = s.level_id and f.counted < f.expected)
order by z.kind = 'shelf' desc, b.aisle, b.bay, b.level, b.code
"""

_STOPS = """
select p.*, b.code as bin, b.aisle, b.bay, l.sku from warehouse_picking_lists p join warehouse_bins b on b.id = p.bin_id
join warehouse_picking_lines l on l.order_line_id = p.order_line_id where p.wave_id = $1 order by p.position
"""

# $1 wave, $2 now: done when no stop is open; its picker's work is noted
_FINISH = """
with done as (
  update warehouse_waves w set status = 'done', done_at = $2
  where id = $1 and status = 'started'
    and not exists (select from warehouse_picking_lists where wave_id = $1 and status = 'open') returning w.*
)
insert into warehouse_labor (id, location_id, merchant_id, actor, kind, reference_id, lines, units, started_at, ended_at)
select uuidv7(), d.location_id, d.merchant_id, d.picker, 'pick', d.id, count(s.*) filter (where s.picked > 0),
       coalesce(sum(s.picked), 0), d.started_at, d.done_at
from done d left join warehouse_picking_lists s on s.wave_id = d.id
group by d.id, d.location_id, d.merchant_id, d.picker, d.started_at, d.done_at
"""

# $1 staff, $2 merchants, $3 since
_LABOR = """
select actor, kind, count(*) as jobs, sum(lines)::bigint as lines, sum(units)::bigint as units,
       extract(epoch from sum(ended_at - started_at))::bigint as seconds
from warehouse_labor where ($1 or merchant_id = any($2)) and ended_at >= $3 group by actor, kind order by actor, kind
"""


@dataclass(frozen=True, slots=True)
class _Pick:
    """Units of a line to take out of a bin."""

    spot: rules.Spot
    bin_id: UUID
    level_id: UUID
    order_id: UUID
    order_line_id: UUID
    units: int


class Waves:
    def __init__(self, layout: Layout, picking: Picking, shorts: Shorts) -> None:
        self._layout = layout
        self._picking = picking
        self._shorts = shorts
        self._waves = Repository(Wave, "merchant_id")
        self._stops = Repository(Stop)

    async def plan(self, work: Work, command: PlanWave) -> WaveView:
        """A round for the oldest open orders of a place. Raises UnknownWarehouse, NothingToPick."""
        work.principal.require(PICK)
        warehouse = await self._layout.warehouse(work, command.location_id)
        await work.rows("select from warehouses where location_id = $1 for no key update", command.location_id)
        orders = [row["order_id"] for row in await work.rows(_ORDERS, command.location_id, command.most)]
        wave = Wave(
            id=new_id(),
            location_id=command.location_id,
            merchant_id=warehouse.merchant_id,
            status="open",
            length=0,
            picker=None,
            created_by=work.principal.subject,
            created_at=work.now,
            started_at=None,
            done_at=None,
        )
        await self._waves.add(work, wave)
        if not await self._lay(work, wave, orders):
            raise NothingToPick()
        return await self.wave(work, wave.id)

    async def wave(self, work: Work, wave_id: UUID) -> WaveView:
        """Raises UnknownWave."""
        work.principal.require(PICK)
        wave = await self._waves.get(work, wave_id)
        if wave is None:
            raise UnknownWave()
        stops = await work.rows(_STOPS, wave_id)
        orders = sorted({row["order_id"] for row in stops})
        wanted = await work.rows(_WANTED, wave.location_id, orders)
        planned = sum(row["quantity"] - row["picked"] for row in stops if row["status"] == "open")
        return WaveView(
            id=wave.id,
            location_id=wave.location_id,
            status=wave.status,
            length=wave.length,
            alone=_alone(stops),
            missing=max(0, sum(min(row["wanted"], row["promised"]) for row in wanted) - planned),
            stops=[StopView.model_validate(dict(row)) for row in stops],
            created_at=wave.created_at,
        )

    async def waves(self, work: Work, most: int = 50) -> list[WaveView]:
        """The caller's waves that are not finished, newest first."""
        work.principal.require(PICK)
        found, _ = await self._waves.page(work, self._waves.table.c.status.in_(["open", "started"]), size=most)
        return [await self.wave(work, row.id) for row in found]

    async def start(self, work: Work, wave_id: UUID) -> WaveView:
        """The caller walks it from now on. Raises UnknownWave, WaveState."""
        work.principal.require(PICK)
        await self._lock(work, wave_id, "open")
        await work.run(
            "update warehouse_waves set status = 'started', picker = $2, started_at = $3 where id = $1",
            *(wave_id, work.principal.subject, work.now),
        )
        return await self.wave(work, wave_id)

    async def pick(self, work: Work, wave_id: UUID, position: int, command: PickStop) -> WaveView:
        """Units of a stop were taken; the last stop ends the wave. Emits OrderPicked.

        Raises UnknownWave, WaveState, StopDone, AlreadyPicked, BinUnitsNotThere."""
        work.principal.require(PICK)
        await self._lock(work, wave_id, "started")
        stop = await self._stop(work, wave_id, position)
        units = command.quantity or stop.quantity - stop.picked
        if stop.status != "open" or units > stop.quantity - stop.picked:
            raise StopDone()
        await self._picking.pick(work, stop.order_id, stop.order_line_id, units, stop.bin_id)
        await work.run(
            "update warehouse_picking_lists set picked = picked + $3, "
            "status = case when picked + $3 = quantity then 'picked' else 'open' end where wave_id = $1 and position = $2",
            *(wave_id, position, units),
        )
        await work.run(_FINISH, wave_id, work.now)
        return await self.wave(work, wave_id)

    async def short(self, work: Work, wave_id: UUID, position: int, command: ShortStop) -> ShortView:
        """A bin had fewer units than its stop wants; the rest of the round is laid anew. Emits ShortPick.

        Raises UnknownWave, WaveState, StopDone, NotShort, AlreadyPicked."""
        work.principal.require(PICK)
        wave = await self._lock(work, wave_id, "started")
        stop = await self._stop(work, wave_id, position)
        left = stop.quantity - stop.picked
        if stop.status != "open" or command.found >= left:
            raise StopDone()
        report = ReportShort(bin_id=stop.bin_id, found=command.found)
        told = await self._shorts.report(work, stop.order_id, stop.order_line_id, report)
        await work.run(
            "update warehouse_picking_lists set status = 'short', picked = least(quantity - 1, picked + $3) "
            "where wave_id = $1 and position = $2",
            *(wave_id, position, told.wanted - told.elsewhere - told.relocated - told.backordered),
        )
        await self._relay(work, wave)
        return told

    async def replan(self, work: Work, wave_id: UUID) -> WaveView:
        """Lays the rest of the round anew, by what lies where now: held, cancelled and empty stops fall out, units that
        came in between are taken in. Raises UnknownWave, WaveState."""
        work.principal.require(PICK)
        wave = await self._lock(work, wave_id, "open", "started")
        await self._relay(work, wave)
        return await self.wave(work, wave_id)

    async def cancel(self, work: Work, wave_id: UUID) -> WaveView:
        """What was not picked can be in another wave. Raises UnknownWave, WaveState."""
        work.principal.require(PICK)
        await self._lock(work, wave_id, "open")
        await work.run("delete from warehouse_picking_lists where wave_id = $1", wave_id)
        await work.run("update warehouse_waves set status = 'cancelled', length = 0 where id = $1", wave_id)
        return await self.wave(work, wave_id)

    async def labor(self, work: Work, days: int = 7) -> list[LaborView]:
        """Who finished how much in how much time, of the caller's places."""
        who = work.principal
        who.require(MANAGE)
        rows = await work.rows(_LABOR, who.is_staff, list(who.merchant_ids), work.now - timedelta(days=days))
        return [
            LaborView(**dict(row), lines_an_hour=row["lines"] * 3600 // row["seconds"] if row["seconds"] else None)
            for row in rows
        ]

    # --- inside ---

    async def _relay(self, work: Work, wave: Wave) -> None:
        """Open stops give way to those that are right now; a started wave without any is done."""
        await work.rows("select from warehouses where location_id = $1 for no key update", wave.location_id)
        orders = [
            row["order_id"]
            for row in await work.rows(
                "select distinct order_id from warehouse_picking_lists where wave_id = $1 order by order_id", wave.id
            )
        ]
        await work.run("delete from warehouse_picking_lists where wave_id = $1 and status = 'open'", wave.id)
        await self._lay(work, wave, orders)
        await work.run(_FINISH, wave.id, work.now)

    async def _lay(self, work: Work, wave: Wave, orders: Sequence[UUID]) -> int:
        """Adds the stops for what orders want and bins have, in the order of a short round; how many."""
        wanted = await work.rows(_WANTED, wave.location_id, list(orders))
        free = await work.rows(_FREE, sorted({row["level_id"] for row in wanted}))
        picks = list(_shared(wanted, free))
        end = 1 + max((pick.spot.bay for pick in picks), default=0)
        way = {spot: place for place, spot in enumerate(rules.route([pick.spot for pick in picks], end))}
        done = await work.value(
            "select coalesce(max(position), 0) from warehouse_picking_lists where wave_id = $1", wave.id
        )
        picks.sort(key=lambda pick: (way[pick.spot], pick.bin_id, pick.order_line_id))
        for position, pick in enumerate(picks, done + 1):
            row = Stop(
                wave_id=wave.id,
                position=position,
                bin_id=pick.bin_id,
                level_id=pick.level_id,
                order_id=pick.order_id,
                order_line_id=pick.order_line_id,
                quantity=pick.units,
                picked=0,
                status="open",
            )
            await self._stops.add(work, row)
        length = rules.walk(sorted(way, key=lambda spot: way[spot]), end)
        await work.run("update warehouse_waves set length = $2 where id = $1", wave.id, length)
        return len(picks)

    async def _lock(self, work: Work, wave_id: UUID, *states: str) -> Wave:
        found = await self._waves.lock(work, [wave_id])
        if not found:
            raise UnknownWave()
        if found[0].status not in states:
            raise WaveState(status=found[0].status)
        return found[0]

    async def _stop(self, work: Work, wave_id: UUID, position: int) -> Stop:
        table = self._stops.table.c
        stop = await self._stops.find(work, table.wave_id == wave_id, table.position == position)
        if stop is None:
            raise UnknownWave()
        return stop


def _shared(wanted: Sequence[Record], free: Sequence[Record]) -> Iterable[_Pick]:
    """Shares what bins have among lines, oldest order first; what a line wants from a place is bounded by the promise."""
    left = {(row["level_id"], row["bin_id"]): row["units"] for row in free}
    promised: dict[tuple[UUID, UUID], int] = {}
    for line in wanted:
        level = line["level_id"]
        key = (line["order_id"], level)
        units = min(line["wanted"], promised.setdefault(key, line["promised"]))
        promised[key] -= units
        for row in (found for found in free if found["level_id"] == level):
            part = min(units, left[level, row["bin_id"]])
            if part > 0:
                left[level, row["bin_id"]] -= part
                units -= part
                spot = rules.Spot(row["aisle"], row["bay"])
                yield _Pick(spot, row["bin_id"], level, line["order_id"], line["order_line_id"], part)


def _alone(stops: Sequence[Record]) -> int:
    """The way of picking the orders of a wave one after the other, each by its own short round."""
    end = 1 + max((row["bay"] for row in stops), default=0)
    orders: dict[UUID, list[rules.Spot]] = {}
    for row in stops:
        orders.setdefault(row["order_id"], []).append(rules.Spot(row["aisle"], row["bay"]))
    return sum(rules.walk(rules.route(spots, end), end) for spots in orders.values())
