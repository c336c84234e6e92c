CREATE TABLE carriers (
	id UUID NOT NULL, 
	code TEXT NOT NULL, 
	name TEXT NOT NULL, 
	adapter TEXT NOT NULL, 
	active BOOLEAN NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_carriers PRIMARY KEY (id), 
	CONSTRAINT ck_carriers_adapter CHECK (adapter in ('table', 'easypost')), 
	CONSTRAINT uq_carriers_code UNIQUE (code)
);

CREATE TABLE carrier_accounts (
	id UUID NOT NULL, 
	carrier_id UUID NOT NULL, 
	merchant_id UUID, 
	reference TEXT NOT NULL, 
	sender JSONB NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_carrier_accounts PRIMARY KEY (id), 
	CONSTRAINT uq_carrier_accounts_carrier_id_merchant_id UNIQUE NULLS NOT DISTINCT (carrier_id, merchant_id), 
	CONSTRAINT fk_carrier_accounts_carrier_id FOREIGN KEY(carrier_id) REFERENCES carriers (id), 
	CONSTRAINT fk_carrier_accounts_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE TABLE carrier_notices (
	carrier_id UUID NOT NULL, 
	event_id TEXT NOT NULL, 
	tracking TEXT NOT NULL, 
	received_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_carrier_notices PRIMARY KEY (carrier_id, event_id), 
	CONSTRAINT fk_carrier_notices_carrier_id FOREIGN KEY(carrier_id) REFERENCES carriers (id)
);

CREATE TABLE shipping_quotes (
	id UUID NOT NULL, 
	digest BYTEA NOT NULL, 
	carrier_id UUID NOT NULL, 
	merchant_id UUID, 
	service TEXT NOT NULL, 
	name TEXT NOT NULL, 
	minor BIGINT NOT NULL, 
	currency TEXT NOT NULL, 
	min_days BIGINT NOT NULL, 
	max_days BIGINT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_shipping_quotes PRIMARY KEY (id), 
	CONSTRAINT ck_shipping_quotes_offer CHECK (minor >= 0 and min_days >= 0 and max_days >= min_days), 
	CONSTRAINT ck_shipping_quotes_expiry CHECK (expires_at > created_at), 
	CONSTRAINT fk_shipping_quotes_carrier_id FOREIGN KEY(carrier_id) REFERENCES carriers (id), 
	CONSTRAINT fk_shipping_quotes_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE TABLE shipping_rules (
	id UUID NOT NULL, 
	merchant_id UUID, 
	country TEXT NOT NULL, 
	timezone TEXT NOT NULL, 
	cutoff_minute BIGINT NOT NULL, 
	handling_days BIGINT NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_shipping_rules PRIMARY KEY (id), 
	CONSTRAINT uq_shipping_rules_merchant_id UNIQUE NULLS NOT DISTINCT (merchant_id), 
	CONSTRAINT ck_shipping_rules_cutoff CHECK (cutoff_minute between 0 and 1440), 
	CONSTRAINT ck_shipping_rules_handling CHECK (handling_days between 0 and 30), 
	CONSTRAINT fk_shipping_rules_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE TABLE shipping_manifests (
	id UUID NOT NULL, 
	carrier_id UUID NOT NULL, 
	location_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	day DATE NOT NULL, 
	parcels BIGINT NOT NULL, 
	actor TEXT NOT NULL, 
	closed_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_shipping_manifests PRIMARY KEY (id), 
	CONSTRAINT uq_shipping_manifests_carrier_id_location_id_day UNIQUE (carrier_id, location_id, day), 
	CONSTRAINT ck_shipping_manifests_parcels CHECK (parcels > 0), 
	CONSTRAINT fk_shipping_manifests_carrier_id FOREIGN KEY(carrier_id) REFERENCES carriers (id), 
	CONSTRAINT fk_shipping_manifests_location_id FOREIGN KEY(location_id) REFERENCES inventory_locations (id), 
	CONSTRAINT fk_shipping_manifests_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE TABLE delivery_confirmations (
	shipment_id UUID NOT NULL, 
	source TEXT NOT NULL, 
	signed_by TEXT NOT NULL, 
	delivered_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	noted_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_delivery_confirmations PRIMARY KEY (shipment_id), 
	CONSTRAINT fk_delivery_confirmations_shipment_id FOREIGN KEY(shipment_id) REFERENCES shipments (id)
);

CREATE TABLE shipping_labels (
	id UUID NOT NULL, 
	package_id UUID NOT NULL, 
	order_id UUID NOT NULL, 
	group_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	carrier_id UUID NOT NULL, 
	service TEXT NOT NULL, 
	number TEXT NOT NULL, 
	parcel JSONB NOT NULL, 
	status TEXT NOT NULL, 
	reference TEXT, 
	tracking TEXT, 
	minor BIGINT, 
	currency TEXT, 
	pdf BYTEA, 
	zpl TEXT, 
	failure TEXT, 
	actor TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	bought_at TIMESTAMP WITH TIME ZONE, 
	voided_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT pk_shipping_labels PRIMARY KEY (id), 
	CONSTRAINT ck_shipping_labels_status CHECK (status in ('buying', 'bought', 'refused', 'voiding', 'voided')), 
	CONSTRAINT ck_shipping_labels_bought CHECK ((status in ('bought', 'voiding', 'voided')) = (bought_at is not null)), 
	CONSTRAINT ck_shipping_labels_tracking CHECK ((bought_at is null) = (tracking is null)), 
	CONSTRAINT ck_shipping_labels_voided CHECK ((status = 'voided') = (voided_at is not null)), 
	CONSTRAINT fk_shipping_labels_package_id FOREIGN KEY(package_id) REFERENCES warehouse_packages (id), 
	CONSTRAINT fk_shipping_labels_order_id FOREIGN KEY(order_id) REFERENCES orders (id), 
	CONSTRAINT fk_shipping_labels_group_id FOREIGN KEY(group_id) REFERENCES order_groups (id), 
	CONSTRAINT fk_shipping_labels_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id), 
	CONSTRAINT fk_shipping_labels_carrier_id FOREIGN KEY(carrier_id) REFERENCES carriers (id)
);

CREATE TABLE shipment_packages (
	shipment_id UUID NOT NULL, 
	package_id UUID NOT NULL, 
	label_id UUID NOT NULL, 
	CONSTRAINT pk_shipment_packages PRIMARY KEY (shipment_id), 
	CONSTRAINT fk_shipment_packages_shipment_id FOREIGN KEY(shipment_id) REFERENCES shipments (id), 
	CONSTRAINT uq_shipment_packages_package_id UNIQUE (package_id), 
	CONSTRAINT fk_shipment_packages_package_id FOREIGN KEY(package_id) REFERENCES warehouse_packages (id), 
	CONSTRAINT uq_shipment_packages_label_id UNIQUE (label_id), 
	CONSTRAINT fk_shipment_packages_label_id FOREIGN KEY(label_id) REFERENCES shipping_labels (id)
);

alter table shipments drop constraint ck_shipments_status;

alter table shipments add constraint ck_shipments_status check (status in ('dispatched', 'in_transit', 'out_for_delivery', 'delivered', 'damaged', 'lost', 'returned_to_sender'));

alter table shipments add column group_id uuid;

alter table shipments add column promised_on date;

alter table shipments add column location_id uuid;

alter table shipments add column manifest_id uuid;

alter table shipments add constraint fk_shipments_location_id foreign key(location_id) references inventory_locations (id);

alter table shipments add constraint fk_shipments_manifest_id foreign key(manifest_id) references shipping_manifests (id);

create index ix_shipments_location_id on shipments (location_id);

create index ix_shipments_manifest_id on shipments (manifest_id);

alter table shipments add column delayed_at timestamptz;

alter table shipments add column asked_at timestamptz;

select set_config('agora.staff', 'on', true);

update shipments s set group_id = o.group_id, asked_at = coalesce(s.delivered_at, s.dispatched_at) from orders o where o.id = s.order_id;

alter table shipments alter column group_id set not null;

alter table shipments alter column asked_at set not null;

alter table shipments add constraint fk_shipments_group_id foreign key(group_id) references order_groups (id);

create index ix_shipments_asked_at on shipments (asked_at) where status in ('dispatched', 'in_transit', 'out_for_delivery');

create index ix_shipments_group_id on shipments (group_id);

create index ix_shipments_open on shipments (promised_on) where status in ('dispatched', 'in_transit', 'out_for_delivery') and delayed_at is null;

create index ix_shipments_tracking on shipments (tracking);

alter table tracking_events drop constraint ck_tracking_events_kind;

alter table tracking_events add constraint ck_tracking_events_kind check (kind in ('dispatched', 'in_transit', 'out_for_delivery', 'delivered', 'exception', 'delayed', 'lost', 'damaged', 'returned_to_sender'));

alter table tracking_events add column reference text;

alter table tracking_events add column note text not null default '';

alter table tracking_events add constraint uq_tracking_events_shipment_id_reference unique (shipment_id, reference);

drop index ix_tracking_events_shipment_id;

CREATE INDEX ix_carrier_accounts_merchant_id ON carrier_accounts (merchant_id);

CREATE INDEX ix_carrier_notices_received_at ON carrier_notices (received_at);

CREATE INDEX ix_shipping_quotes_carrier_id ON shipping_quotes (carrier_id);

CREATE INDEX ix_shipping_quotes_digest_expires_at ON shipping_quotes (digest, expires_at);

CREATE INDEX ix_shipping_quotes_expires_at ON shipping_quotes (expires_at);

CREATE INDEX ix_shipping_quotes_merchant_id ON shipping_quotes (merchant_id);

CREATE INDEX ix_shipping_manifests_location_id ON shipping_manifests (location_id);

CREATE INDEX ix_shipping_manifests_merchant_id ON shipping_manifests (merchant_id);

CREATE INDEX ix_shipping_labels_carrier_id ON shipping_labels (carrier_id);

CREATE INDEX ix_shipping_labels_group_id ON shipping_labels (group_id);

CREATE INDEX ix_shipping_labels_merchant_id ON shipping_labels (merchant_id);

CREATE INDEX ix_shipping_labels_order_id ON shipping_labels (order_id);

CREATE INDEX ix_shipping_labels_packages ON shipping_labels (package_id);

CREATE UNIQUE INDEX uq_shipping_labels_package_id ON shipping_labels (package_id) WHERE status in ('buying', 'bought', 'voiding');

alter table carrier_accounts enable row level security;

alter table carrier_accounts force row level security;

create policy carrier_accounts_visible on carrier_accounts using (current_setting('agora.staff', true) = 'on' or merchant_id is null or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table shipping_quotes enable row level security;

alter table shipping_quotes force row level security;

create policy shipping_quotes_visible on shipping_quotes using (current_setting('agora.staff', true) = 'on' or merchant_id is null or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table shipping_labels enable row level security;

alter table shipping_labels force row level security;

create policy shipping_labels_visible on shipping_labels using (current_setting('agora.staff', true) = 'on' or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table shipping_manifests enable row level security;

alter table shipping_manifests force row level security;

create policy shipping_manifests_visible on shipping_manifests using (current_setting('agora.staff', true) = 'on' or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table shipment_packages enable row level security;

alter table shipment_packages force row level security;

create policy shipment_packages_visible on shipment_packages using (current_setting('agora.staff', true) = 'on' or exists (select from shipments s where s.id = shipment_id));

create policy shipment_packages_insert on shipment_packages for insert with check (true);

alter table delivery_confirmations enable row level security;

alter table delivery_confirmations force row level security;

create policy delivery_confirmations_visible on delivery_confirmations using (current_setting('agora.staff', true) = 'on' or exists (select from shipments s where s.id = shipment_id));

create policy delivery_confirmations_insert on delivery_confirmations for insert with check (true);

grant select, insert, update, delete on
  carriers,
  carrier_accounts,
  carrier_notices,
  shipping_quotes,
  shipping_rules,
  shipping_manifests,
  delivery_confirmations,
  shipping_labels,
  shipment_packages to agora_app;

revoke update, delete, truncate on delivery_confirmations from agora_app;

revoke update, delete, truncate on shipment_packages from agora_app;

revoke update, delete, truncate on shipping_manifests from agora_app;

revoke update, delete, truncate on carrier_notices from agora_app;

insert into carriers (id, code, name, adapter, active, created_at) values (uuidv7(), 'standard', 'The shop itself', 'table', true, now());
