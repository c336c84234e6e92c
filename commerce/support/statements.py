"""The SQL of support."""

# $1 ticket, $2..$9 what may change, $10 now, $11 kinds, $12 facts, $13 actor, $14 act
SAVE = """
with saved as (
  update support_tickets set status = $2, assigned_to = $3, escalation = $4, first_responded_at = $5,
    resolution_due_at = $6, paused_at = $7, solved_at = $8, events = $9::bigint + cardinality($11::text[]),
    updated_at = $10
  where id = $1 and events = $9 returning id
)
insert into support_ticket_events (ticket_id, number, kind, actor, act, facts, at)
select saved.id, $9::bigint + e.n, e.kind, $13, $14, e.facts, $10
from saved, unnest($11::text[], $12::jsonb[]) with ordinality e(kind, facts, n)
"""

MESSAGES = """
select * from (
  select * from support_ticket_messages where ticket_id = $1 and ($2 or not internal) order by id desc limit $3
) latest order by id
"""

SAID = "select id, body from support_ticket_messages where id = any($1) and side = 'staff' and not internal"

# Targets that are missed, or will be when WARN_PART of their time is left, and that nobody has been told of yet.
# $1 now, $2 part of the time as one over so much, $3 limit
TARGETS = """
select t.id, x.target, x.due_at, x.due_at <= $1 as breached
from support_tickets t join support_sla_policies p using (priority)
cross join lateral (values
  ('first_response', t.first_response_due_at, p.first_response_minutes, t.first_responded_at is null),
  ('resolution', t.resolution_due_at, p.resolution_minutes, t.status = 'open')
) x(target, due_at, minutes, runs)
where t.status in ('open', 'pending') and x.runs
  and x.due_at - make_interval(secs => x.minutes * 60 / $2::bigint) <= $1
  and not exists (
    select from support_ticket_events e where e.ticket_id = t.id
      and e.kind = x.target || case when x.due_at <= $1 then '_breached' else '_at_risk' end)
order by x.due_at limit $3 for update of t skip locked
"""

# $1 events' tickets
TOLD = """
select id, number, subject, status, customer_id, merchant_id, email from support_tickets where id = any($1)
"""

# A question is more than its words joined by "and": any of them may lead to the answer. The more of them an article
# holds, and the nearer its title, the better.
# $1 question, $2 whether articles for staff are shown too, $3 limit
SEARCH = """
with asked as (
  select w.lexemes, (select string_agg(quote_literal(l), ' | ') from unnest(w.lexemes) l)::tsquery as words
  from (select tsvector_to_array(to_tsvector('english', $1)) as lexemes) w
), found as (
  select a.slug, a.title, a.body, asked.words,
         coalesce(ts_rank(a.words, asked.words), 0) + word_similarity($1, a.title) + coalesce((
           select count(*) from unnest(asked.lexemes) l where l = any(tsvector_to_array(a.words))
         )::real / nullif(cardinality(asked.lexemes), 0), 0) as score
  from support_articles a, asked
  where a.published and ($2 or a.audience = 'public')
    and (a.words @@ asked.words or word_similarity($1, a.title) > 0.4)
  order by score desc, a.slug limit $3
)
select title, slug, case when words is null then left(body, 200) else ts_headline('english', body, words,
       'StartSel="", StopSel="", MaxWords=35, MinWords=20') end as snippet
from found order by score desc, slug
"""
