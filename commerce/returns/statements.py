"""The SQL of returns. Every move is guarded by the state it may leave; counts are guarded by constraints."""

# $1 channel, $2 categories
POLICIES = """
select * from return_policies
where (channel_id = $1 or channel_id is null) and (category_id = any($2) or category_id is null)
"""

# $1 order: units of each line on their way back or claimed
ON_THE_WAY = """
select order_line_id, sum(quantity)::bigint as quantity from (
  select l.order_line_id, case when r.status = 'completed' then l.received else l.quantity end as quantity
  from return_requests r join return_lines l on l.return_id = r.id
  where r.order_id = $1 and r.status not in ('rejected', 'cancelled')
  union all
  select order_line_id, quantity from return_claims where order_id = $1 and status <> 'rejected'
) taken group by order_line_id
"""

# $1 customer, $2 since
BEHAVIOUR = """
select (select count(*) from return_requests where customer_id = $1 and created_at > $2
          and status not in ('cancelled', 'rejected')) as returns,
       (select coalesce(sum(i.quantity), 0)::bigint from return_inspections i join return_lines l on l.id = i.return_line_id
          join return_requests r on r.id = l.return_id
          where r.customer_id = $1 and i.at > $2 and not i.passed) as mismatches,
       (select count(*) from return_claims where customer_id = $1 and created_at > $2 and status = 'rejected') as rejected,
       (select count(*) from return_claims where customer_id = $1 and created_at > $2 and status = 'accepted') as accepted
"""

# $1 return; lines: $2 ids, $3 order lines, $4 variants, $5 reasons, $6 conditions, $7 quantities
ADD_LINES = """
insert into return_lines (id, return_id, order_line_id, variant_id, reason, condition, quantity)
select l.id, $1, l.order_line_id, l.variant_id, l.reason, l.condition, l.quantity
from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::bigint[])
  l(id, order_line_id, variant_id, reason, condition, quantity)
"""

# $1 return lines, $2 variants, $3 unit prices, $4 differences
ADD_EXCHANGES = """
insert into return_exchanges (return_line_id, variant_id, unit_minor, difference)
select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])
"""

# $1 return, $2 new status, $3 states it may leave, $4 note or null to keep it, $5 now
MOVE = """
update return_requests set status = $2, note = coalesce($4, note), updated_at = $5
where id = $1 and status = any($3) returning *
"""

# $1 return, $2 tracking, $3 free, $4 until, $5 now
LABEL = """
insert into return_labels (return_id, carrier, tracking, free, send_until, created_at)
values ($1, 'standard', $2, $3, $4, $5) on conflict (return_id) do nothing
"""

# $1 return, $2 lines, $3 quantities
RECEIVE = """
update return_lines l set received = l.received + g.quantity
from unnest($2::uuid[], $3::bigint[]) g(id, quantity) where l.id = g.id and l.return_id = $1
returning l.order_line_id, g.quantity
"""

# $1 return, $2 lines, $3 quantities, $4 passed units
INSPECT = """
update return_lines l set inspected = l.inspected + g.quantity, passed = l.passed + g.passed
from (select id, sum(quantity)::bigint as quantity, sum(passed)::bigint as passed
      from unnest($2::uuid[], $3::bigint[], $4::bigint[]) g(id, quantity, passed) group by id) g
where l.id = g.id and l.return_id = $1 returning l.id, l.condition
"""

# $1 lines, $2 quantities, $3 conditions, $4 passed, $5 other items, $6 dispositions, $7 notes, $8 inspector, $9 now
NOTE_INSPECTIONS = """
insert into return_inspections (id, return_line_id, quantity, condition, passed, other_item, disposition, note, inspector,
                                at)
select uuidv7(), i.*, $8, $9
from unnest($1::uuid[], $2::bigint[], $3::text[], $4::boolean[], $5::boolean[], $6::text[], $7::text[]) i
"""

# What a return is made of, as it was said to be and as it was found: $1 return
FOUND = """
select b.name, b.options, coalesce(i.quantity, l.quantity) as quantity, l.reason, l.condition as said,
       i.condition as found, i.passed, coalesce(i.other_item, false) as other_item, i.note
from return_lines l join order_lines b on b.id = l.order_line_id left join return_inspections i on i.return_line_id = l.id
where l.return_id = $1 order by l.id, i.id
"""

# What remains to be done with inspected units: $1 return
UNDISPOSED = """
select i.id, i.return_line_id, i.disposition, i.quantity, l.variant_id
from return_inspections i join return_lines l on l.id = i.return_line_id
left join return_dispositions d on d.inspection_id = i.id
where l.return_id = $1 and d.inspection_id is null order by l.variant_id, i.id
"""

DISPOSE = """
insert into return_dispositions (inspection_id, return_line_id, kind, quantity, at) values ($1, $2, $3, $4, $5)
"""

LINES = """
select l.*, x.variant_id as replacement_id, x.unit_minor, x.difference, b.name, b.options, b.sku, b.product_id, b.tax_rate
from return_lines l join order_lines b on b.id = l.order_line_id left join return_exchanges x on x.return_line_id = l.id
where l.return_id = any($1) order by l.return_id, l.id
"""

LABELS = "select * from return_labels where return_id = any($1)"

# $1 channel, $2 category, ... see SetReturnPolicy
SET_POLICY = """
insert into return_policies (id, channel_id, category_id, window_days, grey_days, fault_days, final_sale, conditions,
  review_minor, abuse_from, one_per_order, destinations, refund_shipping, free_label, send_days, grey_hours,
  grey_default, updated_at)
values (uuidv7(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
on conflict (channel_id, category_id) do update set window_days = excluded.window_days, grey_days = excluded.grey_days,
  fault_days = excluded.fault_days, final_sale = excluded.final_sale, conditions = excluded.conditions,
  review_minor = excluded.review_minor, abuse_from = excluded.abuse_from, one_per_order = excluded.one_per_order,
  destinations = excluded.destinations, refund_shipping = excluded.refund_shipping, free_label = excluded.free_label,
  send_days = excluded.send_days, grey_hours = excluded.grey_hours, grey_default = excluded.grey_default,
  updated_at = excluded.updated_at
"""

SET_REASON = """
insert into return_reasons (code, text, fault, active) values ($1, $2, $3, $4)
on conflict (code) do update set text = excluded.text, fault = excluded.fault, active = excluded.active
"""

# $1 claim, $2 status, $3 refund, $4 note, $5 now
DECIDE_CLAIM = """
update return_claims set status = $2, refund_id = $3, note = $4, updated_at = $5 where id = $1 and status = 'open'
returning id
"""
