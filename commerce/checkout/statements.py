"""The SQL of carts."""

# $1 cart, $2 staff, $3 customer, $4 guest key
_CART = """
with cart as materialized (
  select id, channel_id, customer_id, guest_key, email, status from carts
  where id = $1 and ($2 or customer_id = $3 or guest_key = $4) {lock}
)
select cart.*, agora_cart_contents(id) as contents from cart
"""
READ = _CART.format(lock="")
LOCK = _CART.format(lock="for update")

NEWEST = """
select id from carts where status = 'open' and (customer_id = $1 or guest_key = $2) order by id desc limit 1
"""

CREATE = """
insert into carts (id, channel_id, customer_id, guest_key, email, status, created_at, updated_at)
values ($1, $2, $3, $4, $5, 'open', $6, $6)
"""

# $1 to $4 as above, $5 line if new, $6 variant, $7 units: what came of it stands in the contents already
ADD = """
with cart as materialized (
  select id, channel_id, customer_id, guest_key, email, status from carts
  where id = $1 and ($2 or customer_id = $3 or guest_key = $4) for update
), put as (
  insert into cart_lines (id, cart_id, variant_id, quantity)
  select $5, id, $6, $7 from cart where status = 'open'
  on conflict (cart_id, variant_id) do update set quantity = cart_lines.quantity + excluded.quantity returning id
)
select cart.*, agora_cart_contents(cart.id) as contents from cart left join put on true
"""

SET_LINE = "update cart_lines set quantity = $2 where id = $1"

# $1 cart, $2 group, $3 now
START = """
with closed as (update carts set status = 'ordered', updated_at = $3 where id = $1 and status = 'open' returning id)
insert into checkout_sessions (group_id, cart_id, started_at) select $2, id, $3 from closed
"""

FAIL = """
with failed as (
  update checkout_sessions set failed_at = $2 where group_id = $1 and failed_at is null returning cart_id
)
update carts set status = 'open', updated_at = $2 from failed where id = failed.cart_id
"""
