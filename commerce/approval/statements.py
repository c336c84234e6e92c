"""The SQL of approval. What may happen once is a guarded UPDATE; the database knows the rest of the laws (tables.py)."""

ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtextextended($1, 7206003))"
"""$1 names a kind and an object: proposals on it are weighed one after the other."""

# $1 agents, $2 kinds, $3 scopes, $4 currencies, $5 days: rows are made where there are none, and locked in their order
LOCK_CAPS = """
insert into agent_caps (agent, kind, scope, currency, on_day, used, times)
select distinct agent, kind, scope, currency, on_day, 0, 0
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::date[]) c(agent, kind, scope, currency, on_day)
order by agent, kind, scope, currency, on_day
on conflict (agent, kind, scope, currency, on_day) do update set used = agent_caps.used
"""

# $1 agent, $2 kind, $3 scope, $4 currency, $5 day, $6 amount, $7 the most (null: no limit), $8 the most times
RESERVE = """
insert into agent_caps (agent, kind, scope, currency, on_day, used, times)
select $1, $2, $3, $4, $5, $6, 1 where ($7::bigint is null or $6 <= $7) and 1 <= $8
on conflict (agent, kind, scope, currency, on_day) do update
  set used = agent_caps.used + excluded.used, times = agent_caps.times + 1
  where ($7::bigint is null or agent_caps.used + excluded.used <= $7) and agent_caps.times + 1 <= $8
returning used
"""

# $1 agent, $2 kind, $3 scopes in order, $4 currency, $5 day, $6 amount
GIVE_BACK = """
with held as (
  select agent, kind, scope, currency, on_day from agent_caps
  where agent = $1 and kind = $2 and scope = any($3) and currency = $4 and on_day = $5 order by scope for update
)
update agent_caps c set used = c.used - $6, times = c.times - 1 from held
where (c.agent, c.kind, c.scope, c.currency, c.on_day)
    = (held.agent, held.kind, held.scope, held.currency, held.on_day)
"""

# $1 id, $2 digest, $3 status, $4 code, $5 result, $6 now
CLOSE = """
update agent_proposals set status = $3, code = $4, result = $5, decided_at = $6
where id = $1 and digest = $2 and status = 'waiting' and ($3 not in ('accepted', 'failed') or expires_at > $6)
"""

# $1 kind, $2 object, $3 stance, $4 since
CONTRARY = """
select exists (select from agent_proposals where object = $2 and kind = $1 and status = 'accepted' and stance <> $3
               and decided_at > $4)
"""

# $1 proposal, $2 decider, $3 accept, $4 note, $5 digest, $6 subject, $7 now
DECIDE = """
insert into agent_decisions (proposal_id, decider, accept, note, digest, subject, at)
values ($1, $2, $3, $4, $5, $6, $7) on conflict (proposal_id, decider) do nothing
"""

DECISIONS = "select * from agent_decisions where proposal_id = any($1) order by proposal_id, at, decider"

SET_POLICY = """
insert into agent_policies (agent, kind, limits, updated_at, updated_by) values ($1, $2, $3, $4, $5)
on conflict (agent, kind) do update
  set limits = excluded.limits, updated_at = excluded.updated_at, updated_by = excluded.updated_by
"""
