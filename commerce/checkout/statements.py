"""The SQL of carts."""

# $1 cart, $2 staff, $3 customer, $4 guest key
_CART = """
select id, channel_id, customer_id, guest_key, email, status from carts
where id = $1 and ($2 or customer_id = $3 or guest_key = $4)
"""
READ = _CART
LOCK = _CART + " for update"

# Read after the lock, in a statement of its own: it must see what the previous holder of the lock committed.
CONTENTS = """
select id, variant_id, quantity, null as code from cart_lines where cart_id = $1
union all select null, null, null, code from cart_adjustments where cart_id = $1
order by id, code
"""

CREATE = """
insert into carts (id, channel_id, customer_id, guest_key, email, status, created_at, updated_at)
values ($1, $2, $3, $4, $5, 'open', $6, $6)
"""

SET_LINE = """
insert into cart_lines (id, cart_id, variant_id, quantity) values ($1, $2, $3, $4)
on conflict (cart_id, variant_id) do update set quantity = excluded.quantity
"""

# $1 cart, $2 group, $3 now
START = """
with closed as (update carts set status = 'ordered', updated_at = $3 where id = $1 and status = 'open' returning id)
insert into checkout_sessions (group_id, cart_id, status, started_at, updated_at)
select $2, id, 'running', $3, $3 from closed
"""

COMPLETE = (
    "update checkout_sessions set status = 'completed', updated_at = $2 where group_id = $1 and status = 'running'"
)

FAIL = """
with failed as (
  update checkout_sessions set status = 'failed', updated_at = $2 where group_id = $1 and status = 'running'
  returning cart_id
)
update carts set status = 'open', updated_at = $2 from failed where id = failed.cart_id
"""
