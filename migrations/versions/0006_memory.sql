ALTER TABLE chat_threads ADD COLUMN pruned_at TIMESTAMP WITH TIME ZONE;

CREATE TABLE recall_changes (
	collection TEXT NOT NULL, 
	document_id UUID NOT NULL, 
	revision BIGINT NOT NULL, 
	barred BOOLEAN DEFAULT 'false' NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_recall_changes PRIMARY KEY (collection, document_id), 
	CONSTRAINT ck_recall_changes_collection CHECK (collection in ('articles', 'products', 'tickets')), 
	CONSTRAINT uq_recall_changes_revision UNIQUE (revision)
);

CREATE TABLE chat_facts (
	id UUID NOT NULL, 
	customer_id UUID, 
	merchant_id UUID, 
	key TEXT NOT NULL, 
	text TEXT NOT NULL, 
	thread_id UUID, 
	message_id UUID, 
	act TEXT, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_chat_facts PRIMARY KEY (id), 
	CONSTRAINT ck_chat_facts_owner CHECK (num_nonnulls(customer_id, merchant_id) = 1), 
	CONSTRAINT ck_chat_facts_key CHECK (key ~ '^[a-z0-9]+(-[a-z0-9]+)*$'), 
	CONSTRAINT ck_chat_facts_text CHECK (length(text) between 1 and 300), 
	CONSTRAINT ck_chat_facts_lifetime CHECK (expires_at > created_at), 
	CONSTRAINT fk_chat_facts_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id), 
	CONSTRAINT fk_chat_facts_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE INDEX ix_chat_facts_expires_at ON chat_facts (expires_at);

CREATE UNIQUE INDEX uq_chat_facts_customer_id_key ON chat_facts (customer_id, key) WHERE customer_id is not null;

CREATE UNIQUE INDEX uq_chat_facts_merchant_id_key ON chat_facts (merchant_id, key) WHERE merchant_id is not null;

CREATE INDEX ix_chat_threads_updated_at ON chat_threads (updated_at);

alter table chat_facts enable row level security;

alter table chat_facts force row level security;

create policy chat_facts_visible on chat_facts using (current_setting('agora.staff', true) = 'on' or customer_id = nullif(current_setting('agora.customer', true), '')::uuid or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

create sequence recall_revision_seq;

alter table recall_changes enable row level security;

alter table recall_changes force row level security;

create policy recall_changes_visible on recall_changes using (current_setting('agora.staff', true) = 'on' or false);

grant select, insert, update, delete on chat_facts, recall_changes to agora_app;

grant usage, select on sequence recall_revision_seq to agora_app;

select set_config('agora.staff', 'on', true);

insert into recall_changes (collection, document_id, revision, at)
select d.collection, d.id, nextval('recall_revision_seq'), now() from (
  select 'articles' as collection, id from support_articles where published
  union all select 'products', id from products
  union all select 'tickets', id from support_tickets where status in ('solved', 'closed')
) d order by d.id;
