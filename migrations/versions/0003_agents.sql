CREATE TABLE agent_switches (
	agent TEXT NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	limits JSONB NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_by TEXT NOT NULL, 
	CONSTRAINT pk_agent_switches PRIMARY KEY (agent)
);

CREATE TABLE agent_usage (
	agent TEXT NOT NULL, 
	on_day DATE NOT NULL, 
	runs BIGINT DEFAULT '0' NOT NULL, 
	model_calls BIGINT DEFAULT '0' NOT NULL, 
	tool_calls BIGINT DEFAULT '0' NOT NULL, 
	failures BIGINT DEFAULT '0' NOT NULL, 
	tokens_in BIGINT DEFAULT '0' NOT NULL, 
	tokens_out BIGINT DEFAULT '0' NOT NULL, 
	cost_micro BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_agent_usage PRIMARY KEY (agent, on_day), 
	CONSTRAINT ck_agent_usage_signs CHECK (runs >= 0 and tool_calls >= 0 and cost_micro >= 0)
);

CREATE TABLE agent_runs (
	id UUID NOT NULL, 
	agent TEXT NOT NULL, 
	entry TEXT NOT NULL, 
	trigger TEXT NOT NULL, 
	cause UUID NOT NULL, 
	thread_id UUID, 
	ask TEXT, 
	answer TEXT, 
	due_at TIMESTAMP WITH TIME ZONE, 
	attempts BIGINT DEFAULT '0' NOT NULL, 
	subject TEXT NOT NULL, 
	customer_id UUID, 
	status TEXT NOT NULL, 
	outcome TEXT, 
	model TEXT, 
	prompt TEXT, 
	trace TEXT NOT NULL, 
	started_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	ended_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT pk_agent_runs PRIMARY KEY (id), 
	CONSTRAINT ck_agent_runs_status CHECK (status in ('queued', 'running', 'done', 'failed')), 
	CONSTRAINT ck_agent_runs_trigger CHECK (trigger in ('chat', 'event', 'command', 'query')), 
	CONSTRAINT uq_agent_runs_cause_entry UNIQUE (cause, entry), 
	CONSTRAINT fk_agent_runs_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id)
);

CREATE TABLE chat_threads (
	id UUID NOT NULL, 
	subject TEXT NOT NULL, 
	customer_id UUID, 
	role TEXT NOT NULL, 
	status TEXT NOT NULL, 
	turn_id UUID, 
	busy_until TIMESTAMP WITH TIME ZONE, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_chat_threads PRIMARY KEY (id), 
	CONSTRAINT ck_chat_threads_status CHECK (status in ('open', 'handed_over', 'closed')), 
	CONSTRAINT fk_chat_threads_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id)
);

CREATE TABLE agent_model_calls (
	run_id UUID NOT NULL, 
	number BIGINT NOT NULL, 
	agent TEXT NOT NULL, 
	model TEXT NOT NULL, 
	answer JSONB NOT NULL, 
	tokens_in BIGINT NOT NULL, 
	tokens_out BIGINT NOT NULL, 
	cost_micro BIGINT NOT NULL, 
	latency_ms BIGINT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_agent_model_calls PRIMARY KEY (run_id, number), 
	CONSTRAINT fk_agent_model_calls_run_id FOREIGN KEY(run_id) REFERENCES agent_runs (id)
);

CREATE TABLE agent_tool_calls (
	id UUID NOT NULL, 
	run_id UUID NOT NULL, 
	call_id TEXT NOT NULL, 
	agent TEXT NOT NULL, 
	tool TEXT NOT NULL, 
	effect TEXT NOT NULL, 
	arguments JSONB NOT NULL, 
	status TEXT NOT NULL, 
	code TEXT, 
	result JSONB NOT NULL, 
	subject TEXT NOT NULL, 
	latency_ms BIGINT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_agent_tool_calls PRIMARY KEY (id), 
	CONSTRAINT uq_agent_tool_calls_run_id_call_id UNIQUE (run_id, call_id), 
	CONSTRAINT ck_agent_tool_calls_status CHECK (status in ('done', 'refused', 'failed', 'confirmation')), 
	CONSTRAINT ck_agent_tool_calls_effect CHECK (effect in ('read', 'write', 'propose')), 
	CONSTRAINT fk_agent_tool_calls_run_id FOREIGN KEY(run_id) REFERENCES agent_runs (id)
);

CREATE TABLE chat_confirmations (
	id UUID NOT NULL, 
	thread_id UUID NOT NULL, 
	subject TEXT NOT NULL, 
	agent TEXT NOT NULL, 
	tool TEXT NOT NULL, 
	arguments JSONB NOT NULL, 
	action TEXT NOT NULL, 
	summary TEXT NOT NULL, 
	digest BYTEA NOT NULL, 
	status TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	used_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT pk_chat_confirmations PRIMARY KEY (id), 
	CONSTRAINT ck_chat_confirmations_status CHECK (status in ('pending', 'accepted', 'used', 'declined', 'replaced')), 
	CONSTRAINT ck_chat_confirmations_used CHECK ((status = 'used') = (used_at is not null)), 
	CONSTRAINT fk_chat_confirmations_thread_id FOREIGN KEY(thread_id) REFERENCES chat_threads (id)
);

CREATE TABLE chat_messages (
	id UUID NOT NULL, 
	thread_id UUID NOT NULL, 
	answers UUID, 
	author TEXT NOT NULL, 
	agent TEXT, 
	text TEXT NOT NULL, 
	notice TEXT, 
	options JSONB NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_chat_messages PRIMARY KEY (id), 
	CONSTRAINT ck_chat_messages_author CHECK (author in ('person', 'agent', 'staff')), 
	CONSTRAINT fk_chat_messages_thread_id FOREIGN KEY(thread_id) REFERENCES chat_threads (id)
);

CREATE TABLE chat_blocked (
	message_id UUID NOT NULL, 
	reason TEXT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_chat_blocked PRIMARY KEY (message_id), 
	CONSTRAINT fk_chat_blocked_message_id FOREIGN KEY(message_id) REFERENCES chat_messages (id)
);

CREATE TABLE chat_feedback (
	message_id UUID NOT NULL, 
	score BIGINT NOT NULL, 
	note TEXT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_chat_feedback PRIMARY KEY (message_id), 
	CONSTRAINT ck_chat_feedback_score CHECK (score in (-1, 1)), 
	CONSTRAINT fk_chat_feedback_message_id FOREIGN KEY(message_id) REFERENCES chat_messages (id)
);

CREATE TABLE chat_handoffs (
	thread_id UUID NOT NULL, 
	ticket_id UUID NOT NULL, 
	reason TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_chat_handoffs PRIMARY KEY (thread_id), 
	CONSTRAINT fk_chat_handoffs_thread_id FOREIGN KEY(thread_id) REFERENCES chat_threads (id), 
	CONSTRAINT fk_chat_handoffs_ticket_id FOREIGN KEY(ticket_id) REFERENCES support_tickets (id)
);

CREATE INDEX ix_agent_runs_agent ON agent_runs (agent, id);

CREATE INDEX ix_agent_runs_customer_id ON agent_runs (customer_id);

CREATE INDEX ix_agent_runs_due ON agent_runs (due_at) WHERE status = 'queued';

CREATE INDEX ix_agent_runs_thread_id ON agent_runs (thread_id);

CREATE INDEX ix_chat_threads_customer_id ON chat_threads (customer_id);

CREATE INDEX ix_chat_threads_subject ON chat_threads (subject);

CREATE INDEX ix_agent_tool_calls_tool ON agent_tool_calls (tool);

CREATE INDEX ix_chat_confirmations_thread_id ON chat_confirmations (thread_id);

CREATE UNIQUE INDEX uq_chat_confirmations_pending ON chat_confirmations (thread_id) WHERE status = 'pending';

CREATE INDEX ix_chat_messages_answers ON chat_messages (answers);

CREATE INDEX ix_chat_messages_thread_id ON chat_messages (thread_id);

CREATE INDEX ix_chat_handoffs_ticket_id ON chat_handoffs (ticket_id);

alter table chat_threads enable row level security;

alter table chat_threads force row level security;

create policy chat_threads_visible on chat_threads using (current_setting('agora.staff', true) = 'on' or subject = current_setting('agora.subject', true));

alter table chat_messages enable row level security;

alter table chat_messages force row level security;

create policy chat_messages_visible on chat_messages using (current_setting('agora.staff', true) = 'on' or exists (select from chat_threads t where t.id = thread_id));

alter table chat_confirmations enable row level security;

alter table chat_confirmations force row level security;

create policy chat_confirmations_visible on chat_confirmations using (current_setting('agora.staff', true) = 'on' or subject = current_setting('agora.subject', true));

alter table chat_handoffs enable row level security;

alter table chat_handoffs force row level security;

create policy chat_handoffs_visible on chat_handoffs using (current_setting('agora.staff', true) = 'on' or exists (select from chat_threads t where t.id = thread_id));

alter table chat_feedback enable row level security;

alter table chat_feedback force row level security;

create policy chat_feedback_visible on chat_feedback using (current_setting('agora.staff', true) = 'on' or exists (select from chat_messages m where m.id = message_id));

alter table chat_blocked enable row level security;

alter table chat_blocked force row level security;

create policy chat_blocked_visible on chat_blocked using (current_setting('agora.staff', true) = 'on' or exists (select from chat_messages m where m.id = message_id));

alter table agent_runs enable row level security;

alter table agent_runs force row level security;

create policy agent_runs_visible on agent_runs using (current_setting('agora.staff', true) = 'on' or subject = current_setting('agora.subject', true));

alter table agent_model_calls enable row level security;

alter table agent_model_calls force row level security;

create policy agent_model_calls_visible on agent_model_calls using (current_setting('agora.staff', true) = 'on' or exists (select from agent_runs r where r.id = run_id));

alter table agent_tool_calls enable row level security;

alter table agent_tool_calls force row level security;

create policy agent_tool_calls_visible on agent_tool_calls using (current_setting('agora.staff', true) = 'on' or subject = current_setting('agora.subject', true));

grant select, insert, update, delete on
  agent_switches,
  agent_usage,
  agent_runs,
  chat_threads,
  agent_model_calls,
  agent_tool_calls,
  chat_confirmations,
  chat_messages,
  chat_blocked,
  chat_feedback,
  chat_handoffs to agora_app;
