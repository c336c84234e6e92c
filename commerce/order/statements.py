"""The SQL of orders. Placing and confirming are one statement each, whatever the number of orders and lines."""

# $1 group, $2 channel, $3 customer, $4 guest, $5 email, $6 currency, $7 total, $8 method, $9 now, $10 tax included,
# orders: $11 ids, $12 merchants, $13 subtotals, $14 discounts, $15 shippings, $16 taxes, $17 totals
# lines: $18 ids, $19 orders, $20 variants, $21 products, $22 skus, $23 names, $24 options, $25 quantities, $26 units,
# $27 discounts, $28 rates, $29 taxes; address: $30 .. $36
PLACE = """
with placed as (
  insert into order_groups (id, channel_id, customer_id, guest_key, email, status, currency, total, shipping_method,
                            placed_at, updated_at)
  values ($1, $2, $3, $4, $5, 'pending', $6, $7, $8, $9, $9)
), addressed as (
  insert into order_addresses (group_id, name, line1, line2, city, region, postal_code, country, updated_at)
  values ($1, $30, $31, $32, $33, $34, $35, $36, $9)
), ordered as (
  insert into orders (id, number, group_id, merchant_id, customer_id, guest_key, status, payment_status,
                      fulfillment_status, currency, tax_included, subtotal, discount, shipping, tax, total, placed_at,
                      updated_at)
  select o.id, 'A' || nextval('order_number_seq'), $1, o.merchant_id, $3, $4, 'placed', 'pending', 'unfulfilled', $6, $10,
         o.subtotal, o.discount, o.shipping, o.tax, o.total, $9, $9
  from unnest($11::uuid[], $12::uuid[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[])
    o(id, merchant_id, subtotal, discount, shipping, tax, total)
)
insert into order_lines (id, order_id, variant_id, product_id, sku, name, options, quantity, unit_minor, subtotal,
                         discount, tax_rate, tax)
select l.id, l.order_id, l.variant_id, l.product_id, l.sku, l.name, l.options, l.quantity, l.unit_minor,
       l.quantity * l.unit_minor, l.discount, l.tax_rate, l.tax
from unnest($18::uuid[], $19::uuid[], $20::uuid[], $21::uuid[], $22::text[], $23::text[], $24::jsonb[], $25::bigint[],
            $26::bigint[], $27::bigint[], $28::numeric[], $29::bigint[])
  l(id, order_id, variant_id, product_id, sku, name, options, quantity, unit_minor, discount, tax_rate, tax)
"""

# $1 group, $2 now
CONFIRM = """
with confirmed as (
  update order_groups set status = 'confirmed', updated_at = $2 where id = $1 and status = 'pending' returning id
)
update orders set status = 'confirmed', payment_status = 'authorised', updated_at = $2
from confirmed where group_id = confirmed.id and orders.status = 'placed'
"""

# $1 group, $2 now, $3 whether the money is captured
PICKING = """
update orders set fulfillment_status = 'picking', updated_at = $2,
       payment_status = case when $3 then 'paid' else payment_status end
where group_id = $1 and fulfillment_status = 'unfulfilled' and status = 'confirmed'
"""

# $1 group, $2 now
PAID = """
update orders set payment_status = 'paid', updated_at = $2 where group_id = $1 and payment_status = 'authorised'
"""

# $1 group, $2 now, $3 failure
FAIL = """
with failed as (
  update order_groups set status = 'cancelled', failure = $3, updated_at = $2
  where id = $1 and status = 'pending' returning id
)
update orders set status = 'cancelled', payment_status = 'failed', updated_at = $2
from failed where group_id = failed.id and orders.status = 'placed'
"""

# $1 group, $2 now, $3 reason, $4 actor: every order of the group or none
REQUEST_CANCEL = """
with closing as (
  update orders set status = 'cancelling', updated_at = $2
  where group_id = $1 and status in ('confirmed', 'processing') and fulfillment_status in ('unfulfilled', 'picking')
  returning id
)
insert into order_cancellations (order_id, reason, actor, status, requested_at, updated_at)
select id, $3, $4, 'requested', $2, $2 from closing
"""

# $1 group, $2 now, $3 payment status
CANCELLED = """
with closed as (
  update orders set status = 'cancelled', payment_status = $3, fulfillment_status = 'unfulfilled', updated_at = $2
  where group_id = $1 and status = 'cancelling' returning id, tax_included
), lines as (
  update order_lines set cancelled = quantity, refunded = case when $3 = 'voided' then 0
    else subtotal - discount + case when closed.tax_included then 0 else tax end end
  from closed where order_id = closed.id
), done as (
  update order_cancellations set status = 'done', updated_at = $2 from closed where order_id = closed.id
)
update order_groups set status = 'cancelled', updated_at = $2 where id = $1 and exists (select from closed)
"""

CHANGE_ADDRESS = """
update order_addresses set name = $2, line1 = $3, line2 = $4, city = $5, region = $6, postal_code = $7, country = $8,
       updated_at = $9
where group_id = $1
"""

_LINE = """
       l.id, l.order_id, l.variant_id, l.sku, l.name, l.options, l.quantity, l.unit_minor, l.subtotal, l.discount,
       l.cancelled, l.shipped, l.modification_id,
       a.name as to_name, a.line1, a.line2, a.city, a.region, a.postal_code, a.country"""
_OF_ORDER = "join order_lines l on l.order_id = o.id left join order_addresses a on a.group_id = o.group_id"
"""A merchant sees its lines and not where its buyer lives."""

# Every line with the address it goes to: one statement for any number of orders.
LINES = f"select {_LINE} from orders o {_OF_ORDER} where o.id = any($1) order by o.id, l.id"

# Every line with its order (a row in the row) and the purchase. $1 group, $2 staff, $3 customer, $4 guest key
GROUP = f"""
select g.status, g.failure, g.total, g.currency, o as placed, {_LINE}
from order_groups g join orders o on o.group_id = g.id {_OF_ORDER}
where g.id = $1 and ($2 or g.customer_id = $3 or g.guest_key = $4) order by o.id, l.id
"""

TIMELINE = """
insert into order_timeline_events (id, group_id, order_id, kind, facts, at)
select id, group_id, order_id, kind, facts, at
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::jsonb[], $6::timestamptz[])
  t(id, group_id, order_id, kind, facts, at)
where exists (select from order_groups g where g.id = t.group_id)
"""

# $1 merchants, $2 since
SALES = """
select count(distinct o.id) as orders, coalesce(sum(l.quantity - l.cancelled), 0)::bigint as units,
       coalesce(sum((l.subtotal - l.discount) * (l.quantity - l.cancelled) / l.quantity), 0)::bigint as revenue, min(o.currency) as currency
from orders o join order_lines l on l.order_id = o.id
where o.merchant_id = any($1) and o.placed_at >= $2 and o.status not in ('placed', 'cancelling', 'cancelled')
"""

BEST = """
select l.sku, min(l.name) as name, sum(l.quantity - l.cancelled)::bigint as units
from orders o join order_lines l on l.order_id = o.id
where o.merchant_id = any($1) and o.placed_at >= $2 and o.status not in ('placed', 'cancelling', 'cancelled')
group by l.sku order by units desc, l.sku limit 5
"""

TOLD = """
select g.id, g.customer_id, g.email, g.total, g.currency, a.name, a.line1, a.postal_code, a.city, a.country,
       (select jsonb_agg(jsonb_build_array(o.merchant_id, o.number, o.payment_status) order by o.id)
        from orders o where o.group_id = g.id) as orders,
       (select coalesce(jsonb_agg(jsonb_build_array(l.name, l.options, l.quantity - l.cancelled) order by l.id), '[]')
        from orders o join order_lines l on l.order_id = o.id
        where o.group_id = g.id and l.cancelled < l.quantity) as lines
from order_groups g join order_addresses a on a.group_id = g.id where g.id = any($1)
"""
