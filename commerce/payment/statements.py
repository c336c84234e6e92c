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
INTENT = "select * from payment_intents where reference_id = $1 and ($2 or customer_id = $3 or guest_key = $4)"

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
  where id = $1 and captured - refunded >= $5
    and not exists (select from ledger_entries where cause = $6) returning id, reference_id, currency, $5 as amount
), noted as ({_NOTE.format(kind="'refund'", outcome="'succeeded'", amount="amount")}
), booked as (
  insert into ledger_entries (id, cause, reference_id, debit_id, credit_id, amount, currency, at)
  select uuidv7(), $6, moved.reference_id, share.account, $9, share.amount, moved.currency, $4
  from moved, unnest($7::uuid[], $8::bigint[]) share(account, amount) where share.amount > 0
)
select id from moved
"""

SPEND_GIFT_CARD = """
update payment_gift_cards set balance = balance - $2 where id = $1 and balance >= $2 and currency = $3 returning id
"""

REFILL_GIFT_CARD = "update payment_gift_cards set balance = balance + $2 where id = $1"

TRANSFER = """
insert into ledger_entries (id, cause, reference_id, debit_id, credit_id, amount, currency, at)
values (uuidv7(), $1, $2, $3, $4, $5, $6, $7) on conflict (cause, debit_id, credit_id) do nothing
"""
