"""Levels of locations that have bins: only the warehouse moves them, and it has checked the rights. Bins follow in the
same transaction; the law that they are the level stands in `commerce/warehouse/floor.py`."""

from collections.abc import Mapping
from uuid import UUID

from commerce.inventory import statements
from commerce.inventory.errors import NotFreeToMove, UnknownLevel
from commerce.inventory.events import StockAdjusted
from commerce.inventory.tables import Location
from kernel.db import Record, Work
from kernel.ids import new_id
from kernel.repository import Repository

# $1 variant, $2 the location that has not got them, $3 units
_ELSEWHERE = """
select l.id, l.location_id from inventory_levels l join inventory_locations p on p.id = l.location_id and p.active
where l.variant_id = $1 and l.location_id <> $2 and l.on_hand - l.safety_stock - l.reserved - l.allocated >= $3
order by p.priority, l.id limit 1 for update of l
"""

# $1 reference, $2 level, $3 variant, $4 units, $5 now
_PROMISE = """
with changed as (
  update inventory_levels set allocated = allocated + $4
  where id = $2 and on_hand - safety_stock - reserved - allocated >= $4 returning id
), kept as (
  insert into inventory_reservations as r (id, reference_id, level_id, variant_id, quantity, status, expires_at, created_at,
                                           updated_at)
  select uuidv7(), $1, id, $3, $4, 'allocated', $5, $5, $5 from changed
  on conflict (reference_id, level_id) do update
    set quantity = excluded.quantity + case when r.status = 'allocated' then r.quantity else 0 end, status = 'allocated',
        updated_at = excluded.updated_at
)
insert into inventory_movements (id, level_id, kind, on_hand, reserved, allocated, reference_id, at)
select uuidv7(), id, 'allocate', 0, 0, $4, $1, $5 from changed
"""


class Shelves:
    def __init__(self) -> None:
        self._locations = Repository(Location, "merchant_id")

    async def location(self, work: Work, location_id: UUID) -> Location:
        """A location of the caller. Raises UnknownLevel."""
        found = await self._locations.get(work, location_id)
        if found is None:
            raise UnknownLevel()
        return found

    async def level(self, work: Work, location_id: UUID, variant_id: UUID) -> UUID:
        """The level of a variant at a location. Raises UnknownLevel."""
        found: UUID | None = await work.value(
            "select id from inventory_levels where location_id = $1 and variant_id = $2", location_id, variant_id
        )
        if found is None:
            raise UnknownLevel()
        return found

    async def put_up(self, work: Work, location_id: UUID) -> list[Record] | None:
        """From now on the location has bins; its levels with stock (`id`, `on_hand`), locked. None: it had some before."""
        await work.run("select from inventory_locations where id = $1 for update", location_id)
        levels = await work.rows(
            "select id, on_hand from inventory_levels where location_id = $1 order by id for update", location_id
        )
        if not await work.run("update inventory_locations set binned = true where id = $1 and not binned", location_id):
            return None
        return [level for level in levels if level["on_hand"]]

    async def bring(
        self, work: Work, location_id: UUID, variant_id: UUID, units: int, kind: str, reference_id: UUID
    ) -> UUID:
        """Units come into a location (`kind`: receive, transfer); its level, made when it is the first time."""
        level: UUID = await work.value(
            statements.RECEIVE, new_id(), variant_id, location_id, units, kind, work.now, reference_id
        )
        return level

    async def send_away(self, work: Work, level_id: UUID, units: int, reference_id: UUID) -> None:
        """Units nobody was promised leave for another location. Raises NotFreeToMove."""
        if not await work.run(statements.SEND_AWAY, level_id, units, reference_id, work.now):
            raise NotFreeToMove()

    async def counted(self, work: Work, level_id: UUID, units: int, reason: str) -> None:
        """A count found so many units more, or fewer: promised ones among them are `short`. Emits StockAdjusted.

        Raises NotFreeToMove when the level has fewer."""
        variant = await work.value(statements.COUNTED, level_id, units, reason, work.principal.subject, work.now)
        if variant is None:
            raise NotFreeToMove()
        work.emit(StockAdjusted(level_id=level_id, variant_id=variant, quantity=units, reason=reason))

    async def relocate(self, work: Work, reference_id: UUID, level_id: UUID, units: int) -> UUID | None:
        """Promised units of a purchase are promised at another location that has them all, and no longer at this one: that
        location, None where there is none (then nothing changed)."""
        row = await work.row("select variant_id, location_id from inventory_levels where id = $1", level_id)
        assert row is not None, "the warehouse knows the level"
        variant, here = row["variant_id"], row["location_id"]
        await work.rows(statements.LOCK, [variant])
        other = await work.row(_ELSEWHERE, variant, here, units)
        if other is None:
            return None
        wanted: Mapping[UUID, int] = {variant: units}
        gone = await work.value(statements.GIVE_BACK, reference_id, list(wanted), list(wanted.values()), work.now, here)
        assert gone == units, "the warehouse asked for what is promised here"
        await work.run(_PROMISE, reference_id, other["id"], variant, units, work.now)
        await work.run(statements.SETTLE_SHORT, level_id)
        location: UUID = other["location_id"]
        return location
