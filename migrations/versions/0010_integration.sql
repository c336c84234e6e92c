alter table payment_methods drop constraint ck_payment_methods_kind;

alter table payment_methods add constraint ck_payment_methods_kind check (kind in ('card', 'wallet', 'gift_card'));

alter table payment_methods drop constraint ck_payment_methods_token;

alter table payment_methods add constraint ck_payment_methods_token check ((kind <> 'gift_card') = (token is not null));

alter table customers add column first_name text;

alter table customers add column last_name text;

alter table customers add constraint ck_customers_parts check ((first_name is null) = (last_name is null));

create index ix_customers_names on customers (lower(last_name), lower(first_name));

CREATE TABLE integration_import_jobs (
	id UUID NOT NULL, 
	source TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	channel_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	status TEXT NOT NULL, 
	position BIGINT NOT NULL, 
	taken BIGINT NOT NULL, 
	known BIGINT NOT NULL, 
	refused BIGINT NOT NULL, 
	actor TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_integration_import_jobs PRIMARY KEY (id), 
	CONSTRAINT ck_integration_import_jobs_status CHECK (status in ('running', 'done')), 
	CONSTRAINT ck_integration_import_jobs_counts CHECK (position >= 0 and taken >= 0 and known >= 0 and refused >= 0), 
	CONSTRAINT fk_integration_import_jobs_channel_id FOREIGN KEY(channel_id) REFERENCES channels (id), 
	CONSTRAINT fk_integration_import_jobs_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE TABLE integration_external_references (
	source TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	external_id TEXT NOT NULL, 
	internal_id UUID NOT NULL, 
	job_id UUID NOT NULL, 
	CONSTRAINT pk_integration_external_references PRIMARY KEY (source, kind, external_id), 
	CONSTRAINT fk_integration_external_references_job_id FOREIGN KEY(job_id) REFERENCES integration_import_jobs (id)
);

CREATE TABLE integration_import_errors (
	job_id UUID NOT NULL, 
	line BIGINT NOT NULL, 
	external_id TEXT, 
	code TEXT NOT NULL, 
	message TEXT NOT NULL, 
	CONSTRAINT pk_integration_import_errors PRIMARY KEY (job_id, line), 
	CONSTRAINT fk_integration_import_errors_job_id FOREIGN KEY(job_id) REFERENCES integration_import_jobs (id)
);

CREATE INDEX ix_integration_import_jobs_channel_id ON integration_import_jobs (channel_id);

CREATE INDEX ix_integration_import_jobs_merchant_id ON integration_import_jobs (merchant_id);

CREATE UNIQUE INDEX uq_integration_import_jobs_file ON integration_import_jobs (source, digest);

CREATE INDEX ix_integration_external_references_job_id ON integration_external_references (job_id);

CREATE UNIQUE INDEX uq_integration_external_references_ours ON integration_external_references (source, kind, internal_id);

alter table integration_import_jobs enable row level security;

alter table integration_import_jobs force row level security;

create policy integration_import_jobs_visible on integration_import_jobs using (current_setting('agora.staff', true) = 'on' or false);

alter table integration_import_errors enable row level security;

alter table integration_import_errors force row level security;

create policy integration_import_errors_visible on integration_import_errors using (current_setting('agora.staff', true) = 'on' or false);

grant select, insert, update, delete on
  integration_import_jobs,
  integration_import_errors,
  integration_external_references to agora_app;
