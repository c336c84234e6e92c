"""The SQL of stock. Each move is one statement: levels are locked in id order, guarded, and leave movements."""

SELLABLE = "l.on_hand + l.backorder_limit - l.safety_stock - l.reserved - l.allocated"

AVAILABLE = f"""
select l.variant_id, sum(greatest({SELLABLE}, 0))::bigint as available
from inventory_levels l join inventory_locations p on p.id = l.location_id and p.active
where l.variant_id = any($1) group by l.variant_id
"""


def units(variant: str) -> str:
    """A subquery for statements of upper contexts: the units of a variant (an expression there) that can be sold now."""
    return f"""
  select coalesce(sum(greatest({SELLABLE}, 0)), 0)::bigint from inventory_levels l
  join inventory_locations place on place.id = l.location_id and place.active where l.variant_id = {variant}"""


# $1 variants, $2 quantities, $3 reference, $4 expires_at, $5 now
HOLD = f"""
with picked as (
  select best.id, best.location_id, w.variant_id, w.quantity
  from unnest($1::uuid[], $2::bigint[]) w(variant_id, quantity)
  cross join lateral (
    select l.id, l.location_id from inventory_levels l
    join inventory_locations p on p.id = l.location_id and p.active
    where l.variant_id = w.variant_id and {SELLABLE} >= w.quantity
    order by p.priority, l.id limit 1
  ) best
), locked as (
  select l.id from inventory_levels l where l.id in (select id from picked) order by l.id for update
), held as (
  update inventory_levels l set reserved = l.reserved + picked.quantity
  from picked join locked on locked.id = picked.id
  where l.id = picked.id and {SELLABLE} >= picked.quantity
  returning l.id, picked.variant_id, picked.location_id, picked.quantity
), kept as (
  insert into inventory_reservations (id, reference_id, level_id, variant_id, quantity, status, expires_at, created_at,
                                      updated_at)
  select uuidv7(), $3, id, variant_id, quantity, 'held', $4, $5, $5 from held
  on conflict (reference_id, level_id) do update
    set status = 'held', quantity = excluded.quantity, expires_at = excluded.expires_at, updated_at = excluded.updated_at
), moved as (
  insert into inventory_movements (id, level_id, kind, on_hand, reserved, allocated, reference_id, at)
  select uuidv7(), id, 'hold', 0, quantity, 0, $3, $5 from held
)
select variant_id, location_id, quantity from held
"""


def _settle(kind: str, before: str, after: str, levels: str, deltas: str) -> str:
    """Moves every reservation of a reference from one state to the next, with its levels. $1 reference, $2 now."""
    return f"""
with mine as (
  update inventory_reservations set status = '{after}', updated_at = $2
  where reference_id = $1 and status in ({before}) returning level_id, variant_id, quantity
), locked as (
  select l.id from inventory_levels l where l.id in (select level_id from mine) order by l.id for update
), changed as (
  update inventory_levels l set {levels}
  from mine join locked on locked.id = mine.level_id where l.id = mine.level_id
  returning l.id, l.location_id, mine.variant_id, mine.quantity
), moved as (
  insert into inventory_movements (id, level_id, kind, on_hand, reserved, allocated, reference_id, at)
  select uuidv7(), id, '{kind}', {deltas}, $1, $2 from changed
)
select variant_id, location_id, quantity from changed
"""


ALLOCATE = _settle(
    "allocate",
    "'held'",
    "allocated",
    "reserved = l.reserved - mine.quantity, allocated = l.allocated + mine.quantity",
    "0, -quantity, quantity",
)
RELEASE_HELD = _settle("release", "'held'", "released", "reserved = l.reserved - mine.quantity", "0, -quantity, 0")
RELEASE_ALLOCATED = _settle(
    "release", "'allocated'", "released", "allocated = l.allocated - mine.quantity", "0, 0, -quantity"
)

# $1 reference of a hold, $2 reference it becomes part of, $3 now
ADOPT = """
with mine as (
  update inventory_reservations set status = 'released', updated_at = $3
  where reference_id = $1 and status = 'held' returning level_id, variant_id, quantity
), locked as (
  select l.id from inventory_levels l where l.id in (select level_id from mine) order by l.id for update
), changed as (
  update inventory_levels l set reserved = l.reserved - mine.quantity, allocated = l.allocated + mine.quantity
  from mine join locked on locked.id = mine.level_id where l.id = mine.level_id
  returning l.id, mine.variant_id, mine.quantity
), moved as (
  insert into inventory_movements (id, level_id, kind, on_hand, reserved, allocated, reference_id, at)
  select uuidv7(), id, 'allocate', 0, -quantity, quantity, $2, $3 from changed
), kept as (
  insert into inventory_reservations as r (id, reference_id, level_id, variant_id, quantity, status, expires_at, created_at,
                                           updated_at)
  select uuidv7(), $2, id, variant_id, quantity, 'allocated', $3, $3, $3 from changed
  on conflict (reference_id, level_id) do update
    set quantity = excluded.quantity + case when r.status = 'allocated' then r.quantity else 0 end, status = 'allocated',
        updated_at = excluded.updated_at
)
select variant_id, quantity from changed
"""


def _part(kind: str, after: str, levels: str, deltas: str) -> str:
    """Takes units of variants out of what is allocated to a reference, oldest promise first, at one location or any.

    $1 reference, $2 variants, $3 units, $4 now, $5 location or null. Answers with the units it could take."""
    return f"""
with wanted as (
  select * from unnest($2::uuid[], $3::bigint[]) w(variant_id, units)
), mine as (
  select r.id, r.quantity, w.units, sum(r.quantity) over (partition by r.variant_id order by r.id) - r.quantity as before
  from inventory_reservations r join wanted w using (variant_id) join inventory_levels l on l.id = r.level_id
  where r.reference_id = $1 and r.status = 'allocated' and ($5::uuid is null or l.location_id = $5)
), taken as (
  select id, least(quantity, units - before)::bigint as units from mine where before < units
), shrunk as (
  update inventory_reservations r set updated_at = $4,
         status = case when r.quantity > taken.units then r.status else '{after}' end,
         quantity = case when r.quantity > taken.units then r.quantity - taken.units else r.quantity end
  from taken where r.id = taken.id and r.status = 'allocated' and r.quantity >= taken.units
  returning r.level_id, r.variant_id, taken.units
), locked as (
  select l.id from inventory_levels l where l.id in (select level_id from shrunk) order by l.id for update
), changed as (
  update inventory_levels l set {levels}
  from shrunk join locked on locked.id = shrunk.level_id where l.id = shrunk.level_id
  returning l.id, shrunk.variant_id, shrunk.units
), moved as (
  insert into inventory_movements (id, level_id, kind, on_hand, reserved, allocated, reference_id, at)
  select uuidv7(), id, '{kind}', {deltas}, $1, $4 from changed
)
select coalesce(sum(units), 0)::bigint as units from changed
"""


GIVE_BACK = _part("release", "released", "allocated = l.allocated - shrunk.units", "0, 0, -units")
SELL = _part(
    "sell",
    "sold",
    "on_hand = l.on_hand - shrunk.units, allocated = l.allocated - shrunk.units",
    "-units, 0, -units",
)

LOCK = "select id from inventory_levels where variant_id = any($1) order by id for update"

# $1 purchase the units came from, $2 now, $3 variant, $4 quantity: back onto the shelf they were taken from, if it is
# still in use, else the first one of its merchant
RETURN = """
with shelf as (
  select l.id from inventory_levels l join inventory_locations p on p.id = l.location_id and p.active
  left join inventory_reservations r on r.level_id = l.id and r.reference_id = $1
  where l.variant_id = $3 order by r.id is null, p.priority, l.id limit 1
), changed as (
  update inventory_levels l set on_hand = l.on_hand + $4 from shelf where l.id = shelf.id returning l.id
)
insert into inventory_movements (id, level_id, kind, on_hand, reserved, allocated, reference_id, at)
select uuidv7(), id, 'return', $4, 0, 0, $1, $2 from changed returning level_id
"""

EXPIRED = """
select distinct reference_id from inventory_reservations where status = 'held' and expires_at < $1 limit $2
"""

# $1 reference, $2 expires_at, $3 now
EXTEND = """
update inventory_reservations set expires_at = $2, updated_at = $3 where reference_id = $1 and status = 'held'
"""

# $1 level id if new, $2 variant, $3 location, $4 quantity, $5 kind, $6 now, $7 reference or null. What comes makes up for
# what was short.
RECEIVE = """
with level as (
  insert into inventory_levels (id, variant_id, location_id, on_hand, reserved, allocated, backorder_limit, safety_stock)
  values ($1, $2, $3, $4, 0, 0, 0, 0)
  on conflict (variant_id, location_id) do update
    set on_hand = inventory_levels.on_hand + excluded.on_hand,
        short = greatest(0, least(inventory_levels.short, inventory_levels.reserved + inventory_levels.allocated
                - inventory_levels.on_hand - excluded.on_hand - inventory_levels.backorder_limit))
  returning id
)
insert into inventory_movements (id, level_id, kind, on_hand, reserved, allocated, reference_id, at)
select uuidv7(), id, $5, $4, 0, 0, $7, $6 from level returning level_id
"""

# $1 level, $2 units, $3 reason, $4 actor, $5 now: what was counted is the truth, also where it was promised
COUNTED = """
with level as (
  update inventory_levels set on_hand = on_hand + $2,
         short = greatest(0, reserved + allocated - on_hand - $2 - backorder_limit)
  where id = $1 and on_hand + $2 >= 0 returning id, variant_id
), noted as (
  insert into inventory_adjustments (id, level_id, quantity, reason, actor, at)
  select uuidv7(), id, $2, $3, $4, $5 from level
), moved as (
  insert into inventory_movements (id, level_id, kind, on_hand, reserved, allocated, reference_id, at)
  select uuidv7(), id, 'adjust', $2, 0, 0, null, $5 from level
)
select variant_id from level
"""

# $1 level, $2 units, $3 reference, $4 now: only what nobody was promised
SEND_AWAY = """
with level as (
  update inventory_levels set on_hand = on_hand - $2
  where id = $1 and reserved + allocated <= on_hand - $2 and on_hand - $2 >= 0 returning id
)
insert into inventory_movements (id, level_id, kind, on_hand, reserved, allocated, reference_id, at)
select uuidv7(), id, 'transfer', -$2, 0, 0, $3, $4 from level
"""

# $1 level: what is no longer promised is not short
SETTLE_SHORT = """
update inventory_levels set short = greatest(0, reserved + allocated - on_hand - backorder_limit)
where id = $1 and short > 0
"""

# $1 level, $2 quantity, $3 reason, $4 actor, $5 now
ADJUST = """
with level as (
  update inventory_levels set on_hand = on_hand + $2
  where id = $1 and reserved + allocated <= on_hand + $2 + backorder_limit and on_hand + $2 >= 0
  returning id, variant_id
), noted as (
  insert into inventory_adjustments (id, level_id, quantity, reason, actor, at)
  select uuidv7(), id, $2, $3, $4, $5 from level
), moved as (
  insert into inventory_movements (id, level_id, kind, on_hand, reserved, allocated, reference_id, at)
  select uuidv7(), id, 'adjust', $2, 0, 0, null, $5 from level
)
select variant_id from level
"""

OF_MERCHANTS = f"""
select l.id, l.variant_id, p.name as location, l.on_hand, l.reserved, l.allocated,
       greatest({SELLABLE}, 0) as available
from inventory_levels l join inventory_locations p on p.id = l.location_id
where ($1 or p.merchant_id = any($2)) and l.id > $3 order by l.id limit $4
"""

SCARCEST = f"""
select l.id, l.variant_id, p.name as location, l.on_hand, l.reserved, l.allocated,
       greatest({SELLABLE}, 0) as available
from inventory_levels l join inventory_locations p on p.id = l.location_id
where ($1 or p.merchant_id = any($2)) and ($3::bigint is null or {SELLABLE} < $3)
order by {SELLABLE}, l.id limit $4
"""
