"""The SQL of refunds. A refund and its lines are one statement; every move is guarded by the state it may leave."""

LIVE = "status not in ('failed', 'rejected')"

# What of an order's lines is given back or on its way: $1 order.
GIVEN = f"""
select l.order_line_id, sum(l.quantity)::bigint as quantity, sum(l.goods)::bigint as goods,
       sum(l.discount)::bigint as discount, sum(l.tax)::bigint as tax
from refunds r join refund_lines l on l.refund_id = r.id
where r.order_id = $1 and r.{LIVE} group by l.order_line_id
"""

# $1 id, $2 order, $3 group, $4 merchant, $5 customer, $6 guest, $7 intent, $8 cause, $9 reason, $10 status,
# $11 destination, $12 gift card, $13 currency, $14 amount, $15 goods, $16 discount, $17 tax, $18 needed, $19 asked by,
# $20 now; lines: $21 order lines, $22 quantities, $23 goods, $24 discounts, $25 taxes, $26 amounts
OPEN = """
with asked as (
  insert into refunds (id, order_id, group_id, merchant_id, customer_id, guest_key, intent_id, cause, reason, status,
                       destination, gift_card_id, currency, amount, goods, discount, tax, needed, requested_by,
                       created_at, updated_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $20)
)
insert into refund_lines (id, refund_id, order_line_id, quantity, goods, discount, tax, amount)
select uuidv7(), $1, * from unnest($21::uuid[], $22::bigint[], $23::bigint[], $24::bigint[], $25::bigint[], $26::bigint[])
"""

LINES = "select * from refund_lines where refund_id = any($1) order by refund_id, id"

APPROVALS = "select refund_id, count(*) filter (where accept) as agreed from refund_approvals where refund_id = any($1) group by 1"

APPROVE = """
insert into refund_approvals (refund_id, subject, accept, note, at) values ($1, $2, $3, $4, $5)
on conflict do nothing
"""

# $1 refund, $2 new status, $3 states it may leave, $4 failure, $5 now
MOVE = """
update refunds set status = $2, failure = $4, updated_at = $5 where id = $1 and status = any($3) returning *
"""

# $1 refund, $2 key, $3 amount, $4 now
ATTEMPT = """
insert into refund_attempts (id, refund_id, key, amount, status, at, updated_at)
values (uuidv7(), $1, $2, $3, 'intent', $4, $4) on conflict (key) do nothing
"""

# $1 key, $2 status, $3 failure, $4 reference, $5 now
ATTEMPTED = """
update refund_attempts set status = $2, failure = $3, gateway_reference = $4, updated_at = $5 where key = $1
"""

# What of a refund is goods (net of discount), tax and shipping, and what its order got back by now: $1 refund
BOOKED = """
select coalesce(sum(l.goods - l.discount) filter (where l.order_line_id is not null), 0)::bigint as net,
       coalesce(sum(l.tax), 0)::bigint as tax,
       coalesce(sum(l.goods) filter (where l.order_line_id is null), 0)::bigint as shipping,
       (select sum(o.amount) from refunds o where o.order_id = (select order_id from refunds where id = $1)
          and o.status = 'succeeded')::bigint as order_refunded
from refund_lines l where l.refund_id = $1
"""

# $1 channel, $2 auto, $3 customer auto, $4 second, $5 hours, $6 destinations, $7 now
SET_POLICY = """
insert into refund_policies (channel_id, auto_minor, customer_auto_minor, second_minor, approval_hours, destinations,
                             updated_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (channel_id) do update set auto_minor = excluded.auto_minor,
  customer_auto_minor = excluded.customer_auto_minor, second_minor = excluded.second_minor,
  approval_hours = excluded.approval_hours, destinations = excluded.destinations, updated_at = excluded.updated_at
"""

# Refunds of a purchase that wait for the gateway: $1 group
PENDING = "select id from refunds where group_id = $1 and status in ('sending', 'pending')"

CAUSE = "select id from refunds where order_id = $1 and cause = $2"

# $1 group, $2 one of its orders or null for all
ANY = f"select exists (select from refunds where group_id = $1 and ($2::uuid is null or order_id = $2) and {LIVE})"

# $1 order, $2 customer, $3 currency, $4 since, $5 until
LATELY = """
select (select coalesce(sum(amount), 0) from refunds where order_id = $1 and status = 'succeeded')::bigint as refunded,
       count(r.id) as refunds, coalesce(sum(r.amount) filter (where r.currency = $3), 0)::bigint as amount
from refunds r where r.customer_id = $2 and r.status = 'succeeded' and r.created_at >= $4 and r.created_at < $5
"""
