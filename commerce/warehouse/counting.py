"""Counts: what lies in bins is made true. A small variance applies at once, a large one waits for a second person."""

from collections.abc import Sequence
from uuid import UUID

from commerce.inventory import Shelves
from commerce.warehouse.bins import Bins
from commerce.warehouse.errors import (
    BinUnitsNotThere,
    CountIncomplete,
    CountOutdated,
    CountState,
    NothingCounted,
    SecondPersonNeeded,
    UnknownBin,
    UnknownCount,
)
from commerce.warehouse.events import CountVariance
from commerce.warehouse.layout import Layout
from commerce.warehouse.papers import Count
from commerce.warehouse.permissions import APPROVE, COUNT
from commerce.warehouse.slips import AdjustBin, CountLineView, CountView, DecideCount, EnterCount, OpenCount
from kernel.db import Work, law
from kernel.ids import new_id
from kernel.repository import Repository

# $1 location, $2 most: bins that were not counted for the longest time
_DUE = """
select b.id from warehouse_bins b left join lateral (
  select max(c.entered_at) as at from warehouse_cycle_count_lines l join warehouse_cycle_counts c on c.id = l.count_id
  where l.bin_id = b.id) last on true
where b.location_id = $1 and b.active and b.order_id is null
  and exists (select from warehouse_bin_stock s where s.bin_id = b.id and s.quantity > 0)
order by last.at nulls first, b.aisle, b.bay, b.level, b.code limit $2
"""

# $1 count, $2 location, $3 bins
_LINES = """
insert into warehouse_cycle_count_lines (count_id, bin_id, level_id)
select $1, s.bin_id, s.level_id from warehouse_bin_stock s join warehouse_bins b on b.id = s.bin_id and b.order_id is null
where s.location_id = $2 and s.bin_id = any($3) and s.quantity > 0
"""

# $1 count, $2 bins, $3 levels, $4 counted: `expected` is what lies there by the books at this moment
_ENTER = """
with found as (
  select * from unnest($2::uuid[], $3::uuid[], $4::bigint[]) f(bin_id, level_id, counted)
), locked as (
  select s.bin_id, s.level_id, s.quantity from warehouse_bin_stock s join found f using (bin_id, level_id)
  order by s.bin_id, s.level_id for update of s
)
insert into warehouse_cycle_count_lines as l (count_id, bin_id, level_id, expected, counted)
select $1, f.bin_id, f.level_id, coalesce(b.quantity, 0), f.counted
from found f left join locked b using (bin_id, level_id)
on conflict (count_id, bin_id, level_id) do update set expected = excluded.expected, counted = excluded.counted
"""

_VIEW = """
select l.bin_id, b.code as bin, v.id as variant_id, v.sku, l.expected, l.counted
from warehouse_cycle_count_lines l join warehouse_bins b on b.id = l.bin_id
join inventory_levels n on n.id = l.level_id join product_variants v on v.id = n.variant_id
where l.count_id = $1 order by b.aisle, b.bay, b.level, b.code, v.sku
"""

_VARIANCES = """
select bin_id, level_id, counted - expected as units from warehouse_cycle_count_lines
where count_id = $1 and counted <> expected order by level_id, bin_id
"""

# $1 count, $2 status, $3 entered by, $4 now
_ENTERED = "update warehouse_cycle_counts set status = $2, entered_by = $3, entered_at = $4 where id = $1"

# $1 count, $2 status, $3 decided by, $4 now
_DECIDED = "update warehouse_cycle_counts set status = $2, decided_by = $3, decided_at = $4 where id = $1"

# $1 id, $2 count: the work of counting, from its opening on
_LABOR = """
insert into warehouse_labor (id, location_id, merchant_id, actor, kind, reference_id, lines, units, started_at, ended_at)
select $1, c.location_id, c.merchant_id, c.entered_by, 'count', c.id, count(*), coalesce(sum(l.counted), 0), c.opened_at,
       c.entered_at
from warehouse_cycle_counts c join warehouse_cycle_count_lines l on l.count_id = c.id where c.id = $2 group by c.id
"""


class Counting:
    def __init__(self, shelves: Shelves, layout: Layout, bins: Bins) -> None:
        self._shelves = shelves
        self._layout = layout
        self._bins = bins
        self._counts = Repository(Count, "merchant_id")

    async def open(self, work: Work, command: OpenCount) -> CountView:
        """A count of what lies in some bins; nobody is told how many there should be.

        Raises UnknownWarehouse, NothingCounted."""
        work.principal.require(COUNT)
        row = await self._new(work, command.location_id, "cycle", "cycle count")
        bins = command.bin_ids or [r["id"] for r in await work.rows(_DUE, command.location_id, command.most)]
        if not await work.run(_LINES, row.id, command.location_id, list(bins)):
            raise NothingCounted()
        return await self._view(work, row)

    async def enter(self, work: Work, count_id: UUID, command: EnterCount) -> CountView:
        """What was found. A small variance applies, a large one waits. Emits CountVariance when it waits, StockAdjusted.

        Raises UnknownCount, CountState, CountIncomplete, UnknownBin, UnknownLevel."""
        work.principal.require(COUNT)
        row = await self._lock(work, count_id, "open")
        asked = {(line.bin_id, line.variant_id) for line in (await self._view(work, row)).lines}
        found = {(line.bin_id, line.variant_id): line.counted for line in command.lines}
        if asked - set(found):
            raise CountIncomplete(lines=len(asked - set(found)))
        if {place for place, _ in found} - {place for place, _ in asked}:
            raise UnknownBin()
        row = await self._entered(work, row, found)
        await work.run(_LABOR, new_id(), row.id)
        return await self._view(work, row)

    async def adjust(self, work: Work, command: AdjustBin) -> CountView:
        """A count of one article in one bin, told as a difference. Raises UnknownBin, NothingCounted, BinUnitsNotThere."""
        work.principal.require(COUNT)
        place = await self._bins.get(work, command.bin_id)
        if place.order_id:
            raise UnknownBin()
        level = await self._shelves.level(work, place.location_id, command.variant_id)
        lies = await self.lies(work, place.id, level)
        if command.quantity == 0:
            raise NothingCounted()
        if lies + command.quantity < 0:
            raise BinUnitsNotThere()
        row = await self._new(work, place.location_id, "adjust", command.reason)
        row = await self._entered(work, row, {(place.id, command.variant_id): lies + command.quantity})
        return await self._view(work, row)

    async def seen(self, work: Work, location_id: UUID, bin_id: UUID, variant_id: UUID, counted: int) -> bool:
        """What a picker saw in a bin; whether the books are right now (else the count waits)."""
        row = await self._new(work, location_id, "short_pick", "short pick")
        return (await self._entered(work, row, {(bin_id, variant_id): counted})).status == "applied"

    async def decide(self, work: Work, count_id: UUID, command: DecideCount, decider: str | None = None) -> CountView:
        """A second person's word on a variance, the caller's by default. Emits StockAdjusted when it applies.

        Raises UnknownCount, CountState, SecondPersonNeeded, CountOutdated (then it is to be counted anew)."""
        work.principal.require(APPROVE)
        row = await self._lock(work, count_id, "waiting")
        status = "applied" if command.accept else "rejected"
        with law("ck_warehouse_cycle_counts_second_person", SecondPersonNeeded()):
            await work.run(_DECIDED, row.id, status, decider or work.principal.subject, work.now)
        if command.accept:
            await self._apply(work, row)
        row.status = status
        return await self._view(work, row)

    async def waiting(self, work: Work, most: int = 100) -> list[CountView]:
        """The caller's counts that are open or wait for a second person, oldest first."""
        work.principal.require(COUNT)
        status = self._counts.table.c.status
        found = await self._counts.all(work, status.in_(["open", "waiting"]), limit=most)
        return [await self._view(work, row) for row in found]

    async def count(self, work: Work, count_id: UUID) -> CountView:
        """Raises UnknownCount."""
        work.principal.require(COUNT)
        row = await self._counts.get(work, count_id)
        if row is None:
            raise UnknownCount()
        return await self._view(work, row)

    async def lies(self, work: Work, bin_id: UUID, level_id: UUID) -> int:
        """Units of a level in a bin by the books, locked."""
        found = await work.value(
            "select quantity from warehouse_bin_stock where bin_id = $1 and level_id = $2 for update", bin_id, level_id
        )
        return found or 0

    # --- inside ---

    async def _new(self, work: Work, location_id: UUID, kind: str, reason: str) -> Count:
        warehouse = await self._layout.warehouse(work, location_id)
        row = Count(
            id=new_id(),
            location_id=location_id,
            merchant_id=warehouse.merchant_id,
            kind=kind,
            status="open",
            reason=reason,
            opened_by=work.principal.subject,
            opened_at=work.now,
            entered_by=None,
            entered_at=None,
            decided_by=None,
            decided_at=None,
        )
        await self._counts.add(work, row)
        return row

    async def _entered(self, work: Work, row: Count, found: dict[tuple[UUID, UUID], int]) -> Count:
        levels = [await self._shelves.level(work, row.location_id, variant) for _, variant in found]
        await work.run(_ENTER, row.id, [place for place, _ in found], levels, list(found.values()))
        off = sum(abs(line["units"]) for line in await work.rows(_VARIANCES, row.id))
        warehouse = await self._layout.warehouse(work, row.location_id)
        row.status = "applied" if off <= warehouse.variance_most else "waiting"
        row.entered_by, row.entered_at = work.principal.subject, work.now
        await work.run(_ENTERED, row.id, row.status, row.entered_by, work.now)
        if row.status == "applied":
            await self._apply(work, row)
        else:
            facts = {"location_id": row.location_id, "merchant_id": row.merchant_id}
            work.emit(CountVariance(count_id=row.id, kind=row.kind, units=off, **facts))
        return row

    async def _apply(self, work: Work, row: Count) -> None:
        for line in await work.rows(_VARIANCES, row.id):
            units = line["units"]
            await self._shelves.counted(work, line["level_id"], units, row.reason)
            source, target = (line["bin_id"], None) if units < 0 else (None, line["bin_id"])
            try:
                await self._bins.move(work, line["level_id"], source, target, abs(units), "count", row.id)
            except BinUnitsNotThere:
                raise CountOutdated() from None

    async def _lock(self, work: Work, count_id: UUID, status: str) -> Count:
        found = await self._counts.lock(work, [count_id])
        if not found:
            raise UnknownCount()
        if found[0].status != status:
            raise CountState(status=found[0].status)
        return found[0]

    async def _view(self, work: Work, row: Count) -> CountView:
        lines = [CountLineView.model_validate(dict(line)) for line in await work.rows(_VIEW, row.id)]
        return CountView(
            id=row.id,
            location_id=row.location_id,
            kind=row.kind,
            status=row.status,
            reason=row.reason,
            variance=sum(abs((line.counted or 0) - (line.expected or 0)) for line in lines),
            lines=lines,
            opened_at=row.opened_at,
        )


def codes(lines: Sequence[CountLineView]) -> str:
    """Where a count was off, for a person: bin, article, expected and found."""
    return "; ".join(
        f"{line.bin}: {line.sku} {line.counted} instead of {line.expected}"
        for line in lines
        if line.counted != line.expected
    )
