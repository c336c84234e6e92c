"""What lies in bins, moved: every change of a bin is one guarded statement that leaves a move."""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from commerce.warehouse.errors import BinUnitsNotThere, NoSuchZone, SameBin, UnknownBin
from commerce.warehouse.floor import Bin
from commerce.warehouse.tables import PickTask
from kernel.db import Record, Work
from kernel.ids import public
from kernel.repository import Repository

Kind = Literal["open", "receive", "put_away", "move", "pick", "ship", "return", "count", "transfer"]

# $1 level, $2 from or null, $3 to or null, $4 units, $5 kind, $6 reference or null, $7 actor, $8 now
_MOVE = """
with locked as (
  select bin_id from warehouse_bin_stock where level_id = $1 and bin_id in ($2, $3) order by bin_id for update
), taken as (
  update warehouse_bin_stock s set quantity = s.quantity - $4 from locked
  where s.level_id = $1 and s.bin_id = $2 and locked.bin_id = s.bin_id and s.quantity >= $4 returning s.bin_id
), ready as (
  select 1 where $2::uuid is null or exists (select from taken)
), put as (
  insert into warehouse_bin_stock as s (bin_id, level_id, location_id, quantity)
  select b.id, $1, b.location_id, $4 from warehouse_bins b, ready where b.id = $3 and b.active
  on conflict (bin_id, level_id) do update set quantity = s.quantity + excluded.quantity returning s.bin_id
)
insert into warehouse_moves (id, level_id, from_bin, to_bin, quantity, kind, reference_id, actor, at)
select uuidv7(), $1, $2, $3, $4, $5, $6, $7, $8 from ready where $3::uuid is null or exists (select from put)
"""

# $1 purchase, $2 order, $3 variant: the levels its units are promised at, and how many of them lie in no tote yet
PROMISED = """
select l.id as level_id, l.location_id, l.binned, (r.quantity - coalesce((
         select sum(s.quantity) from warehouse_bins b join warehouse_bin_stock s on s.bin_id = b.id
         where b.location_id = l.location_id and b.order_id = $2 and s.level_id = l.id), 0))::bigint as unpicked
from inventory_reservations r join inventory_levels l on l.id = r.level_id
join inventory_locations p on p.id = l.location_id
where r.reference_id = $1 and r.variant_id = $3 and r.status = 'allocated' order by p.priority, l.id
"""

# $1 level, $2 units, $3 the one bin or null: where units can be picked, best first: a shelf, one bin for all, on the
# way. A bin in which a count found fewer is left alone until somebody decides
CANDIDATES = """
select b.id, s.quantity from warehouse_bin_stock s join warehouse_bins b on b.id = s.bin_id and b.active
join warehouse_zones z on z.id = b.zone_id and z.kind <> 'staging'
where s.level_id = $1 and s.quantity > 0 and b.order_id is null and ($3::uuid is null or b.id = $3)
  and not exists (select from warehouse_cycle_count_lines f join warehouse_cycle_counts c on c.id = f.count_id
                  where c.status = 'waiting' and f.bin_id = b.id and f.level_id = $1 and f.counted < f.expected)
order by z.kind = 'shelf' desc, s.quantity >= $2 desc, b.aisle, b.bay, b.level, b.code
"""

# $1 location, $2 order, $3 code
_TOTE = """
insert into warehouse_bins as b (id, zone_id, location_id, merchant_id, order_id, code, aisle, bay, level, active)
select uuidv7(), z.id, z.location_id, z.merchant_id, $2, $3, 0, 0, 0, true from warehouse_zones z
where z.location_id = $1 and z.kind = 'staging' order by z.code limit 1
on conflict (location_id, order_id) where order_id is not null do update set active = true returning id
"""

# $1 location, $2 variants, $3 order
_LEAVING = """
select l.id as level_id, l.variant_id, b.id as tote from inventory_levels l
left join warehouse_bins b on b.location_id = l.location_id and b.order_id = $3
where l.location_id = $1 and l.variant_id = any($2) and l.binned order by l.id
"""

_FIRST = """
select b.id from warehouse_bins b join warehouse_zones z on z.id = b.zone_id
where z.location_id = $1 and z.kind = $2 and b.active and b.order_id is null order by z.code, b.code limit 1
"""


class Bins:
    def __init__(self) -> None:
        self.rows = Repository(Bin, "merchant_id")

    async def get(self, work: Work, bin_id: UUID) -> Bin:
        """A bin of the caller. Raises UnknownBin."""
        found = await self.rows.get(work, bin_id)
        if found is None:
            raise UnknownBin()
        return found

    async def move(
        self,
        work: Work,
        level_id: UUID,
        source: UUID | None,
        target: UUID | None,
        units: int,
        kind: Kind,
        reference_id: UUID | None = None,
    ) -> None:
        """Units of a level go from one bin to another; None is outside. Raises SameBin, BinUnitsNotThere."""
        if source == target:
            raise SameBin()
        moved = await work.run(
            _MOVE, level_id, source, target, units, kind, reference_id, work.principal.subject, work.now
        )
        if not moved:
            raise BinUnitsNotThere()

    async def first(self, work: Work, location_id: UUID, kind: str) -> UUID:
        """The first bin of the first zone of a kind. Raises NoSuchZone."""
        found: UUID | None = await work.value(_FIRST, location_id, kind)
        if found is None:
            raise NoSuchZone(kind=kind)
        return found

    async def pick(
        self, work: Work, task: PickTask, line_id: UUID, variant_id: UUID, units: int, bin_id: UUID | None
    ) -> None:
        """Units of an order's line go into its tote: out of the named bin, or the best ones. Where its units lie at a
        place without bins there is nothing to move. Raises BinUnitsNotThere."""
        levels = await work.rows(PROMISED, task.group_id, task.order_id, variant_id)
        binned = [level for level in levels if level["binned"]]
        if not binned and bin_id is None:
            return
        for level in binned:
            units -= await self._take(work, task, line_id, level, min(units, level["unpicked"]), bin_id)
        loose = sum(level["unpicked"] for level in levels if not level["binned"])
        if units > (loose if bin_id is None else 0):
            raise BinUnitsNotThere()

    async def leave(self, work: Work, order_id: UUID, location_id: UUID, units: Mapping[UUID, int]) -> None:
        """Units by variant leave a location for good, out of the order's tote where it has bins. Raises BinUnitsNotThere."""
        for row in await work.rows(_LEAVING, location_id, list(units), order_id):
            if row["tote"] is None:
                raise BinUnitsNotThere()
            await self.move(work, row["level_id"], row["tote"], None, units[row["variant_id"]], "ship", order_id)

    async def came_back(self, work: Work, level_id: UUID, units: int, reference_id: UUID) -> None:
        """Units that came back into a level lie in the returns' bin, where its location has bins."""
        row = await work.row("select location_id, binned from inventory_levels where id = $1", level_id)
        if row and row["binned"]:
            target = await self.first(work, row["location_id"], "returns")
            await self.move(work, level_id, None, target, units, "return", reference_id)

    async def _take(
        self, work: Work, task: PickTask, line_id: UUID, level: Record, units: int, bin_id: UUID | None
    ) -> int:
        """Moves up to `units` of a level into the order's tote; how many it were."""
        left = units
        tote: UUID | None = None
        for found in await work.rows(CANDIDATES, level["level_id"], units, bin_id) if units > 0 else []:
            part = min(left, found["quantity"])
            if part == 0:
                break
            tote = tote or await work.value(_TOTE, level["location_id"], task.order_id, public("ord", task.order_id))
            await self.move(work, level["level_id"], found["id"], tote, part, "pick", line_id)
            left -= part
        return units - left
