"""What runs low: reorder points, and the alerts that the clock opens and closes. Selling itself pays nothing for it."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from commerce.inventory.errors import NoAlert, UnknownLevel
from commerce.inventory.events import StockBack, StockLow
from commerce.inventory.permissions import ADJUST_STOCK, READ_STOCK
from commerce.inventory.schemas import AlertView, SetReorderPoint
from commerce.inventory.statements import SELLABLE
from kernel.auth import Principal
from kernel.db import Work

MEMORY = timedelta(days=30)

# $1 level, $2 staff, $3 merchants, $4 point, $5 quantity, $6 now
_SET = """
insert into inventory_reorder_points (level_id, merchant_id, point, quantity, updated_at)
select l.id, p.merchant_id, $4, $5, $6 from inventory_levels l join inventory_locations p on p.id = l.location_id
where l.id = $1 and ($2 or p.merchant_id = any($3))
on conflict (level_id) do update set point = excluded.point, quantity = excluded.quantity, updated_at = excluded.updated_at
"""

_OPEN = f"""
with low as (
  select l.id as level_id, l.variant_id, r.merchant_id, r.point, greatest({SELLABLE}, 0) as available
  from inventory_reorder_points r join inventory_levels l on l.id = r.level_id
  join inventory_locations p on p.id = l.location_id and p.active
  where {SELLABLE} <= r.point
    and not exists (select from inventory_alerts a where a.level_id = l.id and a.closed_at is null)
  limit $2
), opened as (
  insert into inventory_alerts (id, level_id, merchant_id, opened_at)
  select uuidv7(), level_id, merchant_id, $1 from low on conflict (level_id) where closed_at is null do nothing
  returning level_id
)
select low.* from low join opened using (level_id)
"""

_CLOSE = f"""
update inventory_alerts a set closed_at = $1
from inventory_levels l left join inventory_reorder_points r on r.level_id = l.id
where a.level_id = l.id and a.closed_at is null and (r.point is null or {SELLABLE} > r.point)
returning l.id as level_id, l.variant_id, a.merchant_id
"""

# $1 staff, $2 merchants, $3 the one level or null, $4 since, $5 most
_OPEN_ALERTS = f"""
select l.id as level_id, l.variant_id, a.merchant_id, p.name as location, greatest({SELLABLE}, 0) as available, r.point, r.quantity,
       a.opened_at, coalesce((select sum(m.allocated) from inventory_movements m
                              where m.level_id = l.id and m.kind = 'allocate' and m.at >= $4), 0)::bigint as sold_30_days
from inventory_alerts a join inventory_levels l on l.id = a.level_id join inventory_locations p on p.id = l.location_id
join inventory_reorder_points r on r.level_id = l.id
where a.closed_at is null and ($1 or a.merchant_id = any($2)) and ($3::uuid is null or l.id = $3)
order by a.opened_at, l.id limit $5
"""


class AlertService:
    async def set_point(self, work: Work, level_id: UUID, command: SetReorderPoint) -> None:
        """From when on a level counts as low. Raises UnknownLevel, also for somebody else's."""
        who = work.principal
        who.require(ADJUST_STOCK)
        if not await work.run(_SET, level_id, *_whose(who), command.point, command.quantity, work.now):
            raise UnknownLevel()

    async def watch(self, work: Work, most: int = 500) -> int:
        """Opens and closes alerts; returns how many. Run by the schedule. Emits StockLow, StockBack."""
        work.principal.require(ADJUST_STOCK)
        back = await work.rows(_CLOSE, work.now)
        for row in back:
            work.emit(StockBack(**dict(row)))
        low = await work.rows(_OPEN, work.now, most)
        for row in low:
            work.emit(StockLow(**dict(row)))
        return len(back) + len(low)

    async def low(self, work: Work, most: int = 100) -> list[AlertView]:
        """The caller's levels that run low, longest first."""
        work.principal.require(READ_STOCK)
        return await self._find(work, None, most)

    async def alert(self, work: Work, level_id: UUID) -> AlertView:
        """The open alert of one level. Raises NoAlert."""
        work.principal.require(READ_STOCK)
        if found := await self._find(work, level_id, 1):
            return found[0]
        raise NoAlert()

    async def _find(self, work: Work, level_id: UUID | None, most: int) -> list[AlertView]:
        rows = await work.rows(_OPEN_ALERTS, *_whose(work.principal), level_id, work.now - MEMORY, most)
        return [AlertView.model_validate(dict(row)) for row in rows]


def _whose(who: Principal) -> tuple[bool, Sequence[UUID]]:
    return who.is_staff, list(who.merchant_ids)
