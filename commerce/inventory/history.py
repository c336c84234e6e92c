"""Stock that comes in with an order from before: units that lie set aside for it already."""

from collections.abc import Mapping
from uuid import UUID

from commerce.inventory.errors import LocationHasBins
from kernel.db import Work

# $1 reference, $2 variants, $3 units, $4 location, $5 now
_SET_ASIDE = """
with wanted as (
  select * from unnest($2::uuid[], $3::bigint[]) w(variant_id, units)
), level as (
  insert into inventory_levels as l (id, variant_id, location_id, on_hand, reserved, allocated, backorder_limit, safety_stock)
  select uuidv7(), variant_id, $4, units, 0, units, 0, 0 from wanted order by variant_id
  on conflict (variant_id, location_id) do update
    set on_hand = l.on_hand + excluded.on_hand, allocated = l.allocated + excluded.allocated
  returning id, variant_id
), kept as (
  insert into inventory_reservations (id, reference_id, level_id, variant_id, quantity, status, expires_at, created_at,
                                      updated_at)
  select uuidv7(), $1, level.id, variant_id, units, 'allocated', $5, $5, $5 from level join wanted using (variant_id)
)
insert into inventory_movements (id, level_id, kind, on_hand, reserved, allocated, reference_id, at)
select uuidv7(), level.id, kind, case kind when 'receive' then units else 0 end, 0,
       case kind when 'allocate' then units else 0 end, $1, $5
from level join wanted using (variant_id), unnest(array['receive', 'allocate']) kind
"""


async def set_aside(work: Work, reference_id: UUID, location_id: UUID, units: Mapping[UUID, int]) -> None:
    """Adds units by variant to a location's stock, promised to an order from the first moment on. Raises LocationHasBins."""
    if await work.value("select binned from inventory_locations where id = $1", location_id):
        raise LocationHasBins()
    await work.run(_SET_ASIDE, reference_id, list(units), list(units.values()), location_id, work.now)
