CREATE TABLE agent_caps (
  agent TEXT NOT NULL,
  kind TEXT NOT NULL,
  scope TEXT NOT NULL,
  currency TEXT NOT NULL,
  on_day DATE NOT NULL,
  used BIGINT NOT NULL,
  times BIGINT NOT NULL,
  CONSTRAINT pk_agent_caps PRIMARY KEY (agent, kind, scope, currency, on_day),
  CONSTRAINT ck_agent_caps_signs CHECK (used >= 0 and times >= 0)
);

CREATE TABLE agent_policies (
  agent TEXT NOT NULL,
  kind TEXT NOT NULL,
  limits JSONB NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_by TEXT NOT NULL,
  CONSTRAINT pk_agent_policies PRIMARY KEY (agent, kind)
);

CREATE TABLE agent_proposals (
  id UUID NOT NULL,
  agent TEXT NOT NULL,
  kind TEXT NOT NULL,
  object TEXT NOT NULL,
  stance TEXT NOT NULL,
  arguments JSONB NOT NULL,
  amount BIGINT,
  currency TEXT,
  summary TEXT NOT NULL,
  reason TEXT NOT NULL,
  subject TEXT NOT NULL,
  customer_id UUID,
  merchant_id UUID,
  run_id UUID,
  digest BYTEA NOT NULL,
  status TEXT NOT NULL,
  rule TEXT NOT NULL,
  needed BIGINT NOT NULL,
  code TEXT,
  result JSONB,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  decided_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_agent_proposals PRIMARY KEY (id),
  CONSTRAINT ck_agent_proposals_status CHECK (status in ('waiting', 'accepted', 'rejected', 'expired', 'failed')),
  CONSTRAINT ck_agent_proposals_decided CHECK ((status = 'waiting') = (decided_at is null)),
  CONSTRAINT ck_agent_proposals_amount CHECK ((amount is null) = (currency is null) and amount >= 0),
  CONSTRAINT ck_agent_proposals_needed CHECK (needed in (1, 2)),
  CONSTRAINT ck_agent_proposals_code CHECK ((status = 'failed') = (code is not null)),
  CONSTRAINT uq_agent_proposals_id_digest_subject UNIQUE (id, digest, subject),
  CONSTRAINT fk_agent_proposals_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id),
  CONSTRAINT fk_agent_proposals_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id),
  CONSTRAINT fk_agent_proposals_run_id FOREIGN KEY(run_id) REFERENCES agent_runs (id)
);

CREATE TABLE agent_decisions (
  proposal_id UUID NOT NULL,
  decider TEXT NOT NULL,
  accept BOOLEAN NOT NULL,
  note TEXT NOT NULL,
  digest BYTEA NOT NULL,
  subject TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_agent_decisions PRIMARY KEY (proposal_id, decider),
  CONSTRAINT fk_agent_decisions_proposal FOREIGN KEY(proposal_id, digest, subject) REFERENCES agent_proposals (id, digest, subject),
  CONSTRAINT ck_agent_decisions_not_ones_own CHECK (decider <> subject)
);

CREATE INDEX ix_agent_proposals_agent ON agent_proposals (agent, id);

CREATE INDEX ix_agent_proposals_customer_id ON agent_proposals (customer_id);

CREATE INDEX ix_agent_proposals_due ON agent_proposals (expires_at) WHERE status = 'waiting';

CREATE INDEX ix_agent_proposals_merchant_id ON agent_proposals (merchant_id);

CREATE INDEX ix_agent_proposals_object ON agent_proposals (object, id);

CREATE INDEX ix_agent_proposals_run_id ON agent_proposals (run_id);

CREATE INDEX ix_agent_proposals_status ON agent_proposals (status, id);

CREATE UNIQUE INDEX uq_agent_proposals_waiting ON agent_proposals (kind, object) WHERE status = 'waiting';

CREATE INDEX ix_agent_decisions_proposal ON agent_decisions (proposal_id, digest, subject);

alter table agent_proposals enable row level security;

alter table agent_proposals force row level security;

create policy agent_proposals_visible on agent_proposals using (current_setting('agora.staff', true) = 'on' or subject = current_setting('agora.subject', true) or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

create policy agent_proposals_own on agent_proposals as restrictive for insert with check (current_setting('agora.staff', true) = 'on' or (subject = current_setting('agora.subject', true) and (customer_id is null or customer_id = nullif(current_setting('agora.customer', true), '')::uuid) and (merchant_id is null or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]))));

alter table agent_decisions enable row level security;

alter table agent_decisions force row level security;

create policy agent_decisions_visible on agent_decisions using (current_setting('agora.staff', true) = 'on' or exists (select from agent_proposals p where p.id = proposal_id));

create function agora_guard_proposal() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    if new.status not in ('waiting', 'rejected') then
      raise exception 'a proposal begins waiting or rejected' using errcode = 'insufficient_privilege';
    end if;
    return new;
  end if;
  if old.status <> 'waiting' then
    raise exception 'a proposal is decided once' using errcode = 'insufficient_privilege';
  end if;
  if row(new.id, new.agent, new.kind, new.object, new.stance, new.arguments, new.amount, new.currency, new.summary, new.reason, new.subject, new.customer_id, new.merchant_id, new.run_id, new.digest, new.needed, new.created_at, new.expires_at)
     is distinct from row(old.id, old.agent, old.kind, old.object, old.stance, old.arguments, old.amount, old.currency, old.summary, old.reason, old.subject, old.customer_id, old.merchant_id, old.run_id, old.digest, old.needed, old.created_at, old.expires_at) then
    raise exception 'the content of a proposal does not change' using errcode = 'insufficient_privilege';
  end if;
  if new.status in ('accepted', 'failed') and new.needed >
     (select count(*) from agent_decisions d where d.proposal_id = new.id and d.accept) then
    raise exception 'too few people have accepted this proposal' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;

create trigger agent_proposals_guard before insert or update on agent_proposals for each row execute function agora_guard_proposal();

grant select, insert, update, delete on
  agent_policies,
  agent_caps,
  agent_proposals,
  agent_decisions to agora_app;

revoke update, delete, truncate on agent_decisions from agora_app;
