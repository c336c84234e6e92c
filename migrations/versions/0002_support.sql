CREATE TABLE support_articles (
	id UUID NOT NULL, 
	slug TEXT NOT NULL, 
	title TEXT NOT NULL, 
	body TEXT NOT NULL, 
	tags JSONB NOT NULL, 
	audience TEXT NOT NULL, 
	published BOOLEAN NOT NULL, 
	words TSVECTOR GENERATED ALWAYS AS (setweight(to_tsvector('english'::regconfig, title), 'A') || setweight(to_tsvector('english'::regconfig, tags::text), 'B') || setweight(to_tsvector('english'::regconfig, body), 'C')) STORED NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_support_articles PRIMARY KEY (id), 
	CONSTRAINT ck_support_articles_audience CHECK (audience in ('public', 'staff')), 
	CONSTRAINT ck_support_articles_slug CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'), 
	CONSTRAINT uq_support_articles_slug UNIQUE (slug)
);

CREATE TABLE support_macros (
	id UUID NOT NULL, 
	code TEXT NOT NULL, 
	title TEXT NOT NULL, 
	body TEXT NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_support_macros PRIMARY KEY (id), 
	CONSTRAINT uq_support_macros_code UNIQUE (code)
);

CREATE TABLE support_sla_policies (
	priority TEXT NOT NULL, 
	first_response_minutes BIGINT NOT NULL, 
	resolution_minutes BIGINT NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_support_sla_policies PRIMARY KEY (priority), 
	CONSTRAINT ck_support_sla_policies_priority CHECK (priority in ('low', 'normal', 'high', 'urgent')), 
	CONSTRAINT ck_support_sla_policies_minutes CHECK (first_response_minutes between 1 and resolution_minutes)
);

CREATE TABLE support_tickets (
	id UUID NOT NULL, 
	number TEXT NOT NULL, 
	customer_id UUID, 
	guest_key BYTEA, 
	merchant_id UUID, 
	user_id UUID, 
	email TEXT, 
	order_id UUID, 
	channel TEXT NOT NULL, 
	category TEXT NOT NULL, 
	priority TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	summary TEXT, 
	transcript JSONB, 
	status TEXT NOT NULL, 
	assigned_to UUID, 
	escalation BIGINT NOT NULL, 
	first_response_due_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	first_responded_at TIMESTAMP WITH TIME ZONE, 
	resolution_due_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	paused_at TIMESTAMP WITH TIME ZONE, 
	solved_at TIMESTAMP WITH TIME ZONE, 
	events BIGINT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_support_tickets PRIMARY KEY (id), 
	CONSTRAINT ck_support_tickets_channel CHECK (channel in ('chat', 'web', 'email')), 
	CONSTRAINT ck_support_tickets_category CHECK (category in ('order', 'delivery', 'payment', 'return', 'product', 'account', 'selling', 'other')), 
	CONSTRAINT ck_support_tickets_status CHECK (status in ('open', 'pending', 'solved', 'closed')), 
	CONSTRAINT ck_support_tickets_owner CHECK (num_nonnulls(customer_id, guest_key, merchant_id) <= 1), 
	CONSTRAINT ck_support_tickets_reachable CHECK (guest_key is null or email is not null or channel = 'chat'), 
	CONSTRAINT ck_support_tickets_handover CHECK ((summary is null) = (transcript is null)), 
	CONSTRAINT ck_support_tickets_paused CHECK ((paused_at is not null) = (status = 'pending')), 
	CONSTRAINT ck_support_tickets_solved CHECK ((solved_at is not null) = (status in ('solved', 'closed'))), 
	CONSTRAINT uq_support_tickets_number UNIQUE (number), 
	CONSTRAINT fk_support_tickets_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id), 
	CONSTRAINT fk_support_tickets_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id), 
	CONSTRAINT fk_support_tickets_user_id FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT fk_support_tickets_order_id FOREIGN KEY(order_id) REFERENCES orders (id), 
	CONSTRAINT fk_support_tickets_priority FOREIGN KEY(priority) REFERENCES support_sla_policies (priority), 
	CONSTRAINT fk_support_tickets_assigned_to FOREIGN KEY(assigned_to) REFERENCES users (id)
);

CREATE TABLE support_escalations (
	id UUID NOT NULL, 
	ticket_id UUID NOT NULL, 
	level BIGINT NOT NULL, 
	reason TEXT NOT NULL, 
	note TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_support_escalations PRIMARY KEY (id), 
	CONSTRAINT uq_support_escalations_ticket_id_level UNIQUE (ticket_id, level), 
	CONSTRAINT ck_support_escalations_reason CHECK (reason in ('by_hand', 'first_response_breached', 'resolution_breached')), 
	CONSTRAINT fk_support_escalations_ticket_id FOREIGN KEY(ticket_id) REFERENCES support_tickets (id)
);

CREATE TABLE support_satisfaction (
	ticket_id UUID NOT NULL, 
	score BIGINT NOT NULL, 
	comment TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_support_satisfaction PRIMARY KEY (ticket_id), 
	CONSTRAINT ck_support_satisfaction_score CHECK (score between 1 and 5), 
	CONSTRAINT fk_support_satisfaction_ticket_id FOREIGN KEY(ticket_id) REFERENCES support_tickets (id)
);

CREATE TABLE support_ticket_events (
	ticket_id UUID NOT NULL, 
	number BIGINT NOT NULL, 
	kind TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	act TEXT, 
	facts JSONB NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_support_ticket_events PRIMARY KEY (ticket_id, number), 
	CONSTRAINT ck_support_ticket_events_kind CHECK (kind in ('opened', 'replied', 'status_changed', 'reopened', 'rated', 'clock_paused', 'clock_resumed', 'clock_stopped', 'clock_restarted', 'noted', 'assigned', 'escalated', 'first_response_at_risk', 'resolution_at_risk', 'first_response_breached', 'resolution_breached')), 
	CONSTRAINT fk_support_ticket_events_ticket_id FOREIGN KEY(ticket_id) REFERENCES support_tickets (id)
);

CREATE TABLE support_ticket_messages (
	id UUID NOT NULL, 
	ticket_id UUID NOT NULL, 
	side TEXT NOT NULL, 
	author TEXT NOT NULL, 
	act TEXT, 
	internal BOOLEAN NOT NULL, 
	body TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_support_ticket_messages PRIMARY KEY (id), 
	CONSTRAINT ck_support_ticket_messages_side CHECK (side in ('owner', 'staff')), 
	CONSTRAINT ck_support_ticket_messages_internal CHECK (side = 'staff' or not internal), 
	CONSTRAINT fk_support_ticket_messages_ticket_id FOREIGN KEY(ticket_id) REFERENCES support_tickets (id)
);

CREATE INDEX ix_support_articles_title_trgm ON support_articles USING gin (title gin_trgm_ops);

CREATE INDEX ix_support_articles_words ON support_articles USING gin (words);

CREATE INDEX ix_support_tickets_assigned_to ON support_tickets (assigned_to);

CREATE INDEX ix_support_tickets_customer_id ON support_tickets (customer_id);

CREATE INDEX ix_support_tickets_guest_key ON support_tickets (guest_key) WHERE guest_key is not null;

CREATE INDEX ix_support_tickets_merchant_id ON support_tickets (merchant_id);

CREATE INDEX ix_support_tickets_order_id ON support_tickets (order_id);

CREATE INDEX ix_support_tickets_priority ON support_tickets (priority);

CREATE INDEX ix_support_tickets_running ON support_tickets (resolution_due_at) WHERE status in ('open', 'pending');

CREATE INDEX ix_support_tickets_solved ON support_tickets (solved_at) WHERE status = 'solved';

CREATE INDEX ix_support_tickets_user_id ON support_tickets (user_id);

CREATE UNIQUE INDEX uq_support_escalations_reason ON support_escalations (ticket_id, reason) WHERE reason <> 'by_hand';

CREATE UNIQUE INDEX uq_support_ticket_events_target ON support_ticket_events (ticket_id, kind) WHERE kind in ('first_response_at_risk', 'resolution_at_risk', 'first_response_breached', 'resolution_breached');

CREATE INDEX ix_support_ticket_messages_ticket_id ON support_ticket_messages (ticket_id);

create sequence support_ticket_number_seq start 1001;

alter table support_tickets enable row level security;

alter table support_tickets force row level security;

create policy support_tickets_visible on support_tickets using (current_setting('agora.staff', true) = 'on' or customer_id = nullif(current_setting('agora.customer', true), '')::uuid or guest_key = decode(nullif(current_setting('agora.guest', true), ''), 'hex') or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table support_ticket_messages enable row level security;

alter table support_ticket_messages force row level security;

create policy support_ticket_messages_visible on support_ticket_messages using (current_setting('agora.staff', true) = 'on' or (not internal and exists (select from support_tickets t where t.id = ticket_id)));

alter table support_ticket_events enable row level security;

alter table support_ticket_events force row level security;

create policy support_ticket_events_visible on support_ticket_events using (current_setting('agora.staff', true) = 'on' or (kind not in ('noted', 'assigned', 'escalated', 'first_response_at_risk', 'resolution_at_risk', 'first_response_breached', 'resolution_breached') and exists (select from support_tickets t where t.id = ticket_id)));

alter table support_satisfaction enable row level security;

alter table support_satisfaction force row level security;

create policy support_satisfaction_visible on support_satisfaction using (current_setting('agora.staff', true) = 'on' or exists (select from support_tickets t where t.id = ticket_id));

alter table support_escalations enable row level security;

alter table support_escalations force row level security;

create policy support_escalations_visible on support_escalations using (current_setting('agora.staff', true) = 'on' or false);

alter table support_macros enable row level security;

alter table support_macros force row level security;

create policy support_macros_visible on support_macros using (current_setting('agora.staff', true) = 'on' or false);

alter table support_articles enable row level security;

alter table support_articles force row level security;

create policy support_articles_visible on support_articles using (current_setting('agora.staff', true) = 'on' or (audience = 'public' and published));

create function agora_clock_is_told() returns trigger language plpgsql as $$
declare wanted text[] := array_remove(array[
  case when old.paused_at is null and new.paused_at is not null then 'clock_paused' end,
  case when old.paused_at is not null and new.paused_at is null then 'clock_resumed' end,
  case when old.solved_at is null and new.solved_at is not null then 'clock_stopped' end,
  case when old.solved_at is not null and new.solved_at is null then 'clock_restarted' end], null);
begin
  if cardinality(wanted) = 0 or not wanted <@ array(
    select kind from support_ticket_events where ticket_id = new.id and number > old.events and number <= new.events
  ) then
    raise exception 'the clock of ticket % moved without a word', new.number
      using errcode = 'check_violation', constraint = 'support_tickets_clock_told';
  end if;
  return null;
end $$;

create constraint trigger support_tickets_clock_told after update on support_tickets
deferrable initially deferred for each row when (old.paused_at is distinct from new.paused_at
or old.solved_at is distinct from new.solved_at or old.resolution_due_at <> new.resolution_due_at
or old.first_response_due_at <> new.first_response_due_at) execute function agora_clock_is_told();

insert into support_sla_policies (priority, first_response_minutes, resolution_minutes, updated_at) values
  ('urgent', 30, 240, now()),
  ('high', 120, 1440, now()),
  ('normal', 480, 4320, now()),
  ('low', 1440, 10080, now());

grant select, insert, update, delete on support_articles,
  support_macros,
  support_sla_policies,
  support_tickets,
  support_ticket_messages,
  support_ticket_events,
  support_escalations,
  support_satisfaction to agora_app;

grant usage, select on sequence support_ticket_number_seq to agora_app;

revoke update, delete, truncate on support_ticket_events from agora_app;
