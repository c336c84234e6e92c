"""The SQL of payment. Each move of an intent is guarded by the state it may leave and is one statement."""

# $1 id, $2 reference, $3 customer, $4 guest, $5 kind, $6 method, $7 gift card, $8 token, $9 currency, $10 amount, $11 now,
# $12 score, $13 reasons, $14 decision
OPEN = """
with intent as (
  insert into payment_intents (id, reference_id, customer_id, guest_key, kind, method_id, gift_card_id, token, currency,
                               amount, authorised, captured, refunded, status, created_at, updated_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, 0, 'processing', $11, $11)
)
insert into payment_fraud_checks (intent_id, score, reasons, decision, decided_by, at)
values ($1, $12, $13, $14, 'rule', $11)
"""

# $1 reference, $2 staff, $3 customer, $4 guest key
INTENT = """
select * from payment_intents
where reference_id = $1 and purpose = 'purchase' and ($2 or customer_id = $3 or guest_key = $4)
"""

# What is known about a purchase in the grey zone. $1 reference
CASE = """
select i.reference_id as group_id, c.score, c.reasons, c.decision, c.decided_by, i.amount, i.currency, i.kind, i.status,
       i.customer_id is null as guest, count(p.id) filter (where p.status in ('captured', 'authorised')) as paid_before,
       count(p.id) filter (where p.status = 'failed') as failed_before
from payment_intents i join payment_fraud_checks c on c.intent_id = i.id
left join payment_intents p on p.customer_id = i.customer_id and p.id < i.id
where i.reference_id = $1 group by i.id, c.intent_id
"""

RECENT = "select count(*) from payment_intents where customer_id = $1 and created_at > $2"

# $1 intent, $2 kind, $3 outcome, $4 amount, $5 key, $6 gateway reference, $7 now
_NOTE = """
  insert into payment_transactions (id, intent_id, kind, outcome, amount, currency, key, gateway_reference, at)
  select uuidv7(), id, {kind}, {outcome}, {amount}, currency, $2, $3, $4 from moved
"""

# $1 intent, $2 key, $3 gateway reference, $4 now
AUTHORISED = f"""
with moved as (
  update payment_intents set status = 'authorised', authorised = amount, gateway_reference = $3,
         next_action_url = null, updated_at = $4
  where id = $1 and status in ('processing', 'requires_action') returning id, currency, amount
), noted as ({_NOTE.format(kind="'authorise'", outcome="'succeeded'", amount="amount")})
select id from moved
"""

ACTION = """
update payment_intents set status = 'requires_action', gateway_reference = $2, next_action_url = $3, updated_at = $4
where id = $1 and status in ('processing', 'requires_action')
"""

# $1 intent, $2 key, $3 gateway reference, $4 now, $5 failure
DECLINED = f"""
with moved as (
  update payment_intents set status = 'failed', gateway_reference = $3, failure = $5, next_action_url = null,
         updated_at = $4
  where id = $1 and status in ('processing', 'requires_action') returning id, currency, amount
), noted as ({_NOTE.format(kind="'authorise'", outcome="'declined'", amount="amount")})
select id from moved
"""

FAILED = """
update payment_intents set status = 'failed', failure = $2, next_action_url = null, updated_at = $3
where id = $1 and status in ('processing', 'requires_action') returning id
"""

# $1 intent, $2 key, $3 gateway reference, $4 now, $5 cause, $6 debit account kind's id, $7 credit accounts, $8 amounts
CAPTURED = f"""
with moved as (
  update payment_intents set status = 'captured', authorised = amount, captured = amount, updated_at = $4
  where id = $1 and status = 'authorised' returning id, reference_id, currency, amount
), noted as ({_NOTE.format(kind="'capture'", outcome="'succeeded'", amount="amount")}
), booked as (
  insert into ledger_entries (id, cause, reference_id, debit_id, credit_id, amount, currency, at)
  select uuidv7(), $5, moved.reference_id, $6, share.account, share.amount, moved.currency, $4
  from moved, unnest($7::uuid[], $8::bigint[]) share(account, amount) where share.amount > 0
)
select id from moved
"""

# $1 intent, $2 key, $3 gateway reference, $4 now
VOIDED = f"""
with moved as (
  update payment_intents set status = 'voided', updated_at = $4
  where id = $1 and status = 'authorised' and captured = 0 returning id, currency, amount
), noted as ({_NOTE.format(kind="'void'", outcome="'succeeded'", amount="amount")})
select id from moved
"""

# $1 intent, $2 key, $3 gateway reference, $4 now, $5 amount, $6 cause, $7 accounts, $8 amounts, $9 gateway account
REFUNDED = f"""
with moved as (
  update payment_intents set refunded = refunded + $5, updated_at = $4,
         status = case when refunded + $5 = captured then 'refunded' else status end
  where id = $1 and captured - refunded - refunding >= $5
    and not exists (select from ledger_entries where cause = $6) returning id, reference_id, currency, $5 as amount
), noted as ({_NOTE.format(kind="'refund'", outcome="'succeeded'", amount="amount")}
), booked as (
  insert into ledger_entries (id, cause, reference_id, debit_id, credit_id, amount, currency, at)
  select uuidv7(), $6, moved.reference_id, share.account, $9, share.amount, moved.currency, $4
  from moved, unnest($7::uuid[], $8::bigint[]) share(account, amount) where share.amount > 0
)
select id from moved
"""

# $1 id, $2 reference, $3 customer, $4 guest, $5 kind, $6 method, $7 gift card, $8 token, $9 currency, $10 amount, $11 now,
# $12 purpose
OPEN_CHANGE = """
insert into payment_intents (id, reference_id, customer_id, guest_key, kind, method_id, gift_card_id, token, currency,
                             amount, authorised, captured, refunded, purpose, status, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, 0, $12, 'processing', $11, $11)
"""

CAPTURED_PAYMENTS = """
select id as intent_id, reference_id as group_id, kind, method_id, gift_card_id, token,
       case when kind = 'card' then gateway_reference end as reference,
       currency, captured, captured - refunded - refunding as left
from payment_intents where reference_id = $1 and captured > 0 order by id
"""

UNSETTLED = """
select exists (select from payment_intents
               where reference_id = $1 and status in ('processing', 'requires_action', 'authorised'))
"""

OWED = """
select owner_id, sum(signed)::bigint as amount from (
  select a.owner_id, e.amount as signed from ledger_entries e join ledger_accounts a on a.id = e.credit_id
  where e.reference_id = $1 and a.kind = 'sales'
  union all
  select a.owner_id, -e.amount from ledger_entries e join ledger_accounts a on a.id = e.debit_id
  where e.reference_id = $1 and a.kind = 'sales'
) moved group by owner_id having sum(signed) > 0 order by owner_id
"""

PAYMENT_ROWS = """
select case t.kind when 'capture' then 'payment' else 'refund' end as type, t.amount, t.currency, t.at,
       coalesce(r.method_id, i.method_id) as method_id,
       case when coalesce(r.gift_card_id, case when r.method_id is null then i.gift_card_id end) is not null
         then 'gift card' else coalesce(m.brand, 'card') || coalesce(' ending in ' || m.last4, '') end as method
from payment_intents i join payment_transactions t on t.intent_id = i.id and t.kind in ('capture', 'refund')
left join payment_refunds r on r.intent_id = i.id and t.key = 'refund.' || replace(r.id::text, '-', '')
left join payment_methods m on m.id = coalesce(r.method_id, i.method_id)
where i.reference_id = $1 order by t.id
"""

# $1 id, $2 intent, $3 amount, $4 cause, $5 method, $6 gift card, $7 now
PROMISE = """
with held as (
  update payment_intents set refunding = refunding + $3, updated_at = $7
  where id = $2 and captured - refunded - refunding >= $3 and not exists (select from payment_refunds where cause = $4)
  returning id, reference_id, currency
)
insert into payment_refunds (id, intent_id, reference_id, cause, amount, currency, method_id, gift_card_id, status,
                             created_at, updated_at)
select $1, id, reference_id, $4, $3, currency, $5, $6, 'promised', $7, $7 from held
"""

_KEPT = """
with kept as (
  update payment_refunds set {changes}, updated_at = {now} where id = $1 and status = 'promised' returning intent_id, amount
)
update payment_intents i set refunding = i.refunding - kept.amount, updated_at = {now} from kept where i.id = kept.intent_id
"""
DROP = _KEPT.format(changes="status = 'dropped'", now="$2")
# $1 id, $2 gateway reference, $3 now, $4 whether it went back the way it was paid, whatever was wanted
REFUND_DONE = _KEPT.format(
    changes="""status = 'done', gateway_reference = $2, method_id = case when $4 then null else method_id end,
         gift_card_id = case when $4 then null else gift_card_id end""",
    now="$3",
)

SPEND_GIFT_CARD = """
update payment_gift_cards set balance = balance - $2 where id = $1 and balance >= $2 and currency = $3 returning id
"""

REFILL_GIFT_CARD = "update payment_gift_cards set balance = balance + $2 where id = $1"

TRANSFER = """
insert into ledger_entries (id, cause, reference_id, debit_id, credit_id, amount, currency, at)
values (uuidv7(), $1, $2, $3, $4, $5, $6, $7) on conflict (cause, debit_id, credit_id) do nothing
"""
