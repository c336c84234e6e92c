create extension if not exists pg_trgm;

do $$ begin
  if not exists (select from pg_roles where rolname = 'agora_app') then create role agora_app nologin; end if;
end $$;

do $$ begin
  if not pg_has_role('agora_app', 'member') then grant agora_app to current_user; end if;
end $$;

create function agora_month_key(at date) returns uuid language sql immutable as $$
  select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

create function agora_make_partitions(first date, months int) returns int
language plpgsql security definer set search_path = public as $$
declare parent text; month date; made int := 0; child text;
begin
  for parent in select c.relname from pg_partitioned_table p join pg_class c on c.oid = p.partrelid loop
    for i in 0 .. months - 1 loop
      month := (date_trunc('month', first) + make_interval(months => i))::date;
      child := format('%s_p%s', parent, to_char(month, 'YYYYMM'));
      if to_regclass(child) is null then
        execute format('create table %I partition of %I for values from (%L) to (%L)', child, parent,
                       agora_month_key(month), agora_month_key((month + interval '1 month')::date));
        made := made + 1;
      end if;
    end loop;
    if to_regclass(parent || '_default') is null then
      execute format('create table %I partition of %I default', parent || '_default', parent);
    end if;
  end loop;
  return made;
end $$;

CREATE TABLE audit_log (
	number BIGINT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	actor TEXT NOT NULL, 
	act TEXT, 
	action TEXT NOT NULL, 
	object TEXT NOT NULL, 
	facts JSONB NOT NULL, 
	previous BYTEA NOT NULL, 
	hash BYTEA NOT NULL, 
	CONSTRAINT pk_audit_log PRIMARY KEY (number), 
	CONSTRAINT uq_audit_log_hash UNIQUE (hash)
);

CREATE TABLE channels (
	id UUID NOT NULL, 
	code TEXT NOT NULL, 
	name TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	country TEXT NOT NULL, 
	tax_included BOOLEAN NOT NULL, 
	active BOOLEAN NOT NULL, 
	policy JSONB NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_channels PRIMARY KEY (id), 
	CONSTRAINT ck_channels_currency CHECK (currency ~ '^[A-Z]{3}$'), 
	CONSTRAINT uq_channels_code UNIQUE (code)
);

CREATE TABLE customers (
	id UUID NOT NULL, 
	email TEXT NOT NULL, 
	name TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_customers PRIMARY KEY (id), 
	CONSTRAINT ck_customers_email CHECK (email = lower(email)), 
	CONSTRAINT uq_customers_email UNIQUE (email)
);

CREATE TABLE dead_letters (
	id UUID NOT NULL, 
	consumer TEXT NOT NULL, 
	event_id UUID NOT NULL, 
	key UUID NOT NULL, 
	sequence BIGINT NOT NULL, 
	type TEXT NOT NULL, 
	message JSONB NOT NULL, 
	cause TEXT NOT NULL, 
	attempts BIGINT NOT NULL, 
	status TEXT NOT NULL, 
	retry_at TIMESTAMP WITH TIME ZONE, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_dead_letters PRIMARY KEY (id), 
	CONSTRAINT uq_dead_letters_consumer_event_id UNIQUE (consumer, event_id), 
	CONSTRAINT ck_dead_letters_status CHECK (status in ('parked', 'dead', 'replayed', 'dismissed'))
);

CREATE TABLE email_messages (
	id UUID NOT NULL, 
	cause TEXT NOT NULL, 
	recipient TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	text TEXT NOT NULL, 
	status TEXT NOT NULL, 
	attempts BIGINT NOT NULL, 
	due_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	error TEXT, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	sent_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT pk_email_messages PRIMARY KEY (id), 
	CONSTRAINT uq_email_messages_cause_recipient UNIQUE (cause, recipient), 
	CONSTRAINT ck_email_messages_status CHECK (status in ('queued', 'sent', 'failed'))
);

CREATE TABLE gateway_idempotency_keys (
	subject TEXT NOT NULL, 
	route TEXT NOT NULL, 
	key VARCHAR(200) NOT NULL, 
	request_hash BYTEA NOT NULL, 
	resource UUID, 
	status BIGINT, 
	body BYTEA, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_gateway_idempotency_keys PRIMARY KEY (subject, route, key)
);

CREATE TABLE gateway_usage (
	subject TEXT NOT NULL, 
	window_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	requests BIGINT NOT NULL, 
	CONSTRAINT pk_gateway_usage PRIMARY KEY (subject, window_at)
);

CREATE TABLE inbox_events (
	consumer TEXT NOT NULL, 
	event_id UUID NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_inbox_events PRIMARY KEY (consumer, event_id)
);

CREATE TABLE ledger_accounts (
	id UUID NOT NULL, 
	kind TEXT NOT NULL, 
	owner_id UUID, 
	currency TEXT NOT NULL, 
	CONSTRAINT pk_ledger_accounts PRIMARY KEY (id), 
	CONSTRAINT ck_ledger_accounts_kind CHECK (kind in ('gateway', 'sales', 'gift_card', 'issued')), 
	CONSTRAINT uq_ledger_accounts_kind_owner_id_currency UNIQUE NULLS NOT DISTINCT (kind, owner_id, currency), 
	CONSTRAINT uq_ledger_accounts_id_currency UNIQUE (id, currency)
);

CREATE TABLE merchants (
	id UUID NOT NULL, 
	slug TEXT NOT NULL, 
	name TEXT NOT NULL, 
	legal_name TEXT NOT NULL, 
	description TEXT NOT NULL, 
	support_email TEXT NOT NULL, 
	status TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_merchants PRIMARY KEY (id), 
	CONSTRAINT ck_merchants_status CHECK (status in ('applied', 'active', 'suspended', 'terminated')), 
	CONSTRAINT ck_merchants_slug CHECK (slug ~ '^[a-z0-9][a-z0-9-]*$'), 
	CONSTRAINT uq_merchants_slug UNIQUE (slug)
);

CREATE TABLE outbox_events (
	id UUID NOT NULL, 
	position BIGINT, 
	topic TEXT NOT NULL, 
	key UUID NOT NULL, 
	sequence BIGINT NOT NULL, 
	type TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	payload JSONB NOT NULL, 
	headers JSONB NOT NULL, 
	occurred_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_outbox_events PRIMARY KEY (id)
)
 PARTITION BY RANGE (id);

CREATE TABLE outbox_sequences (
	key UUID NOT NULL, 
	last BIGINT NOT NULL, 
	CONSTRAINT pk_outbox_sequences PRIMARY KEY (key)
);

CREATE TABLE payment_gift_cards (
	id UUID NOT NULL, 
	code_hash BYTEA NOT NULL, 
	currency TEXT NOT NULL, 
	balance BIGINT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_payment_gift_cards PRIMARY KEY (id), 
	CONSTRAINT ck_payment_gift_cards_balance CHECK (balance >= 0), 
	CONSTRAINT uq_payment_gift_cards_code_hash UNIQUE (code_hash)
);

CREATE TABLE payment_webhook_events (
	gateway TEXT NOT NULL, 
	event_id TEXT NOT NULL, 
	type TEXT NOT NULL, 
	gateway_reference TEXT NOT NULL, 
	body JSONB NOT NULL, 
	received_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_payment_webhook_events PRIMARY KEY (gateway, event_id)
);

CREATE TABLE product_brands (
	id UUID NOT NULL, 
	name TEXT NOT NULL, 
	CONSTRAINT pk_product_brands PRIMARY KEY (id), 
	CONSTRAINT uq_product_brands_name UNIQUE (name)
);

CREATE TABLE product_categories (
	id UUID NOT NULL, 
	slug TEXT NOT NULL, 
	name TEXT NOT NULL, 
	parent_id UUID, 
	CONSTRAINT pk_product_categories PRIMARY KEY (id), 
	CONSTRAINT uq_product_categories_slug UNIQUE (slug), 
	CONSTRAINT fk_product_categories_parent_id FOREIGN KEY(parent_id) REFERENCES product_categories (id)
);

CREATE TABLE promotions (
	id UUID NOT NULL, 
	name TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	value BIGINT NOT NULL, 
	currency TEXT NOT NULL, 
	minimum_minor BIGINT NOT NULL, 
	priority BIGINT NOT NULL, 
	starts_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	ends_at TIMESTAMP WITH TIME ZONE, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_promotions PRIMARY KEY (id), 
	CONSTRAINT ck_promotions_kind CHECK (kind in ('percent', 'fixed', 'shipping')), 
	CONSTRAINT ck_promotions_value CHECK (value >= 0 and (kind <> 'percent' or value <= 100)), 
	CONSTRAINT ck_promotions_window CHECK (ends_at is null or ends_at > starts_at)
);

CREATE TABLE roles (
	name TEXT NOT NULL, 
	CONSTRAINT pk_roles PRIMARY KEY (name)
);

CREATE TABLE saga_instances (
	id UUID NOT NULL, 
	kind TEXT NOT NULL, 
	definition BIGINT NOT NULL, 
	subject_id UUID NOT NULL, 
	status TEXT NOT NULL, 
	step BIGINT NOT NULL, 
	data JSONB NOT NULL, 
	error TEXT, 
	cause TEXT, 
	attempts BIGINT DEFAULT '0' NOT NULL, 
	version BIGINT DEFAULT '1' NOT NULL, 
	owner UUID, 
	due_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	deadline_at TIMESTAMP WITH TIME ZONE, 
	trace TEXT DEFAULT '' NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_saga_instances PRIMARY KEY (id), 
	CONSTRAINT ck_saga_instances_status CHECK (status in ('running', 'waiting', 'compensating', 'completed', 'compensated', 'stuck'))
);

CREATE TABLE schedules (
	name TEXT NOT NULL, 
	every_seconds BIGINT NOT NULL, 
	next_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	last_at TIMESTAMP WITH TIME ZONE, 
	last_error TEXT, 
	CONSTRAINT pk_schedules PRIMARY KEY (name)
);

CREATE TABLE shipping_methods (
	id UUID NOT NULL, 
	code TEXT NOT NULL, 
	name TEXT NOT NULL, 
	min_days BIGINT NOT NULL, 
	max_days BIGINT NOT NULL, 
	CONSTRAINT pk_shipping_methods PRIMARY KEY (id), 
	CONSTRAINT ck_shipping_methods_days CHECK (min_days >= 0 and max_days >= min_days), 
	CONSTRAINT uq_shipping_methods_code UNIQUE (code)
);

CREATE TABLE sign_in_attempts (
	account BYTEA NOT NULL, 
	window_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	failures BIGINT NOT NULL, 
	CONSTRAINT pk_sign_in_attempts PRIMARY KEY (account, window_at)
);

CREATE TABLE simulator_charges (
	reference TEXT NOT NULL, 
	key TEXT NOT NULL, 
	token TEXT NOT NULL, 
	amount BIGINT NOT NULL, 
	currency TEXT NOT NULL, 
	status TEXT NOT NULL, 
	failure TEXT, 
	asked BIGINT NOT NULL, 
	description TEXT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_simulator_charges PRIMARY KEY (reference), 
	CONSTRAINT ck_simulator_charges_status CHECK (status in ('authorised', 'declined', 'requires_action')), 
	CONSTRAINT uq_simulator_charges_key UNIQUE (key)
);

CREATE TABLE tax_rates (
	id UUID NOT NULL, 
	country TEXT NOT NULL, 
	tax_class TEXT NOT NULL, 
	rate NUMERIC(6, 4) NOT NULL, 
	valid_from TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_tax_rates PRIMARY KEY (id), 
	CONSTRAINT uq_tax_rates_country_tax_class_valid_from UNIQUE (country, tax_class, valid_from), 
	CONSTRAINT ck_tax_rates_rate CHECK (rate >= 0 and rate < 1)
);

CREATE TABLE transport_cursors (
	consumer TEXT NOT NULL, 
	position BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_transport_cursors PRIMARY KEY (consumer)
);

CREATE TABLE carts (
	id UUID NOT NULL, 
	channel_id UUID NOT NULL, 
	customer_id UUID, 
	guest_key BYTEA, 
	email TEXT, 
	status TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_carts PRIMARY KEY (id), 
	CONSTRAINT ck_carts_status CHECK (status in ('open', 'ordered')), 
	CONSTRAINT ck_carts_owner CHECK (customer_id is not null or guest_key is not null), 
	CONSTRAINT fk_carts_channel_id FOREIGN KEY(channel_id) REFERENCES channels (id), 
	CONSTRAINT fk_carts_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id)
);

CREATE TABLE customer_addresses (
	id UUID NOT NULL, 
	customer_id UUID NOT NULL, 
	name TEXT NOT NULL, 
	line1 TEXT NOT NULL, 
	line2 TEXT NOT NULL, 
	city TEXT NOT NULL, 
	region TEXT NOT NULL, 
	postal_code TEXT NOT NULL, 
	country TEXT NOT NULL, 
	is_default BOOLEAN NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_customer_addresses PRIMARY KEY (id), 
	CONSTRAINT fk_customer_addresses_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id)
);

CREATE TABLE inventory_locations (
	id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	code TEXT NOT NULL, 
	name TEXT NOT NULL, 
	country TEXT NOT NULL, 
	priority BIGINT NOT NULL, 
	active BOOLEAN NOT NULL, 
	CONSTRAINT pk_inventory_locations PRIMARY KEY (id), 
	CONSTRAINT uq_inventory_locations_merchant_id_code UNIQUE (merchant_id, code), 
	CONSTRAINT fk_inventory_locations_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE TABLE ledger_entries (
	id UUID NOT NULL, 
	cause TEXT NOT NULL, 
	reference_id UUID NOT NULL, 
	debit_id UUID NOT NULL, 
	credit_id UUID NOT NULL, 
	amount BIGINT NOT NULL, 
	currency TEXT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_ledger_entries PRIMARY KEY (id), 
	CONSTRAINT uq_ledger_entries_cause_debit_id_credit_id UNIQUE (cause, debit_id, credit_id), 
	CONSTRAINT ck_ledger_entries_amount CHECK (amount > 0), 
	CONSTRAINT ck_ledger_entries_two_accounts CHECK (debit_id <> credit_id), 
	CONSTRAINT fk_ledger_entries_debit FOREIGN KEY(debit_id, currency) REFERENCES ledger_accounts (id, currency), 
	CONSTRAINT fk_ledger_entries_credit FOREIGN KEY(credit_id, currency) REFERENCES ledger_accounts (id, currency)
);

CREATE TABLE notifications (
	id UUID NOT NULL, 
	cause TEXT NOT NULL, 
	customer_id UUID, 
	merchant_id UUID, 
	kind TEXT NOT NULL, 
	title TEXT NOT NULL, 
	text TEXT NOT NULL, 
	read_at TIMESTAMP WITH TIME ZONE, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_notifications PRIMARY KEY (id), 
	CONSTRAINT ck_notifications_reader CHECK ((customer_id is null) <> (merchant_id is null)), 
	CONSTRAINT uq_notifications_cause_customer_id_merchant_id UNIQUE NULLS NOT DISTINCT (cause, customer_id, merchant_id), 
	CONSTRAINT fk_notifications_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id), 
	CONSTRAINT fk_notifications_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE TABLE order_groups (
	id UUID NOT NULL, 
	channel_id UUID NOT NULL, 
	customer_id UUID, 
	guest_key BYTEA, 
	email TEXT NOT NULL, 
	status TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	total BIGINT NOT NULL, 
	shipping_method TEXT NOT NULL, 
	failure TEXT, 
	placed_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_order_groups PRIMARY KEY (id), 
	CONSTRAINT ck_order_groups_status CHECK (status in ('pending', 'confirmed', 'cancelled')), 
	CONSTRAINT ck_order_groups_owner CHECK (customer_id is not null or guest_key is not null), 
	CONSTRAINT fk_order_groups_channel_id FOREIGN KEY(channel_id) REFERENCES channels (id), 
	CONSTRAINT fk_order_groups_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id)
)
 WITH (fillfactor = 80);

CREATE TABLE payment_methods (
	id UUID NOT NULL, 
	customer_id UUID NOT NULL, 
	kind TEXT NOT NULL, 
	brand TEXT, 
	last4 TEXT, 
	token TEXT, 
	gift_card_id UUID, 
	active BOOLEAN NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_payment_methods PRIMARY KEY (id), 
	CONSTRAINT ck_payment_methods_kind CHECK (kind in ('card', 'gift_card')), 
	CONSTRAINT ck_payment_methods_last4 CHECK (last4 is null or last4 ~ '^[0-9]{4}$'), 
	CONSTRAINT ck_payment_methods_token CHECK ((kind = 'card') = (token is not null)), 
	CONSTRAINT ck_payment_methods_gift_card CHECK ((kind = 'gift_card') = (gift_card_id is not null)), 
	CONSTRAINT ck_payment_methods_no_card_number CHECK (token !~ '[0-9]{12,}'), 
	CONSTRAINT fk_payment_methods_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id), 
	CONSTRAINT fk_payment_methods_gift_card_id FOREIGN KEY(gift_card_id) REFERENCES payment_gift_cards (id)
);

CREATE TABLE price_lists (
	id UUID NOT NULL, 
	channel_id UUID NOT NULL, 
	code TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	starts_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	ends_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT pk_price_lists PRIMARY KEY (id), 
	CONSTRAINT uq_price_lists_channel_id_code UNIQUE (channel_id, code), 
	CONSTRAINT ck_price_lists_window CHECK (ends_at is null or ends_at > starts_at), 
	CONSTRAINT fk_price_lists_channel_id FOREIGN KEY(channel_id) REFERENCES channels (id)
);

CREATE TABLE products (
	id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	category_id UUID NOT NULL, 
	brand_id UUID, 
	slug TEXT NOT NULL, 
	name TEXT NOT NULL, 
	description TEXT NOT NULL, 
	tax_class TEXT NOT NULL, 
	specifications JSONB NOT NULL, 
	tags JSONB NOT NULL, 
	suspended BOOLEAN DEFAULT 'false' NOT NULL, 
	words TSVECTOR GENERATED ALWAYS AS (setweight(to_tsvector('english'::regconfig, name), 'A') || setweight(to_tsvector('english'::regconfig, tags::text), 'B') || setweight(to_tsvector('english'::regconfig, description), 'C')) STORED NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_products PRIMARY KEY (id), 
	CONSTRAINT fk_products_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id), 
	CONSTRAINT fk_products_category_id FOREIGN KEY(category_id) REFERENCES product_categories (id), 
	CONSTRAINT fk_products_brand_id FOREIGN KEY(brand_id) REFERENCES product_brands (id), 
	CONSTRAINT uq_products_slug UNIQUE (slug)
);

CREATE TABLE promotion_coupons (
	id UUID NOT NULL, 
	promotion_id UUID NOT NULL, 
	code TEXT NOT NULL, 
	usage_limit BIGINT, 
	once_per_customer BOOLEAN NOT NULL, 
	used BIGINT NOT NULL, 
	CONSTRAINT pk_promotion_coupons PRIMARY KEY (id), 
	CONSTRAINT ck_promotion_coupons_code CHECK (code = upper(code)), 
	CONSTRAINT ck_promotion_coupons_used CHECK (used >= 0 and (usage_limit is null or used <= usage_limit)), 
	CONSTRAINT fk_promotion_coupons_promotion_id FOREIGN KEY(promotion_id) REFERENCES promotions (id), 
	CONSTRAINT uq_promotion_coupons_code UNIQUE (code)
);

CREATE TABLE role_permissions (
	role TEXT NOT NULL, 
	permission TEXT NOT NULL, 
	CONSTRAINT pk_role_permissions PRIMARY KEY (role, permission), 
	CONSTRAINT fk_role_permissions_role FOREIGN KEY(role) REFERENCES roles (name)
);

CREATE TABLE saga_steps (
	saga_id UUID NOT NULL, 
	name TEXT NOT NULL, 
	phase TEXT NOT NULL, 
	status TEXT NOT NULL, 
	key TEXT NOT NULL, 
	request JSONB, 
	result JSONB, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_saga_steps PRIMARY KEY (saga_id, name, phase), 
	CONSTRAINT ck_saga_steps_phase CHECK (phase in ('do', 'undo')), 
	CONSTRAINT ck_saga_steps_status CHECK (status in ('intent', 'done', 'failed', 'skipped')), 
	CONSTRAINT fk_saga_steps_saga_id FOREIGN KEY(saga_id) REFERENCES saga_instances (id) ON DELETE CASCADE
);

CREATE TABLE shipping_rates (
	id UUID NOT NULL, 
	method_id UUID NOT NULL, 
	country TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	up_to_g BIGINT NOT NULL, 
	minor BIGINT NOT NULL, 
	free_from_minor BIGINT, 
	CONSTRAINT pk_shipping_rates PRIMARY KEY (id), 
	CONSTRAINT uq_shipping_rates_method_id_country_currency_up_to_g UNIQUE (method_id, country, currency, up_to_g), 
	CONSTRAINT ck_shipping_rates_minor CHECK (minor >= 0 and up_to_g > 0), 
	CONSTRAINT fk_shipping_rates_method_id FOREIGN KEY(method_id) REFERENCES shipping_methods (id)
);

CREATE TABLE simulator_operations (
	key TEXT NOT NULL, 
	reference TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	amount BIGINT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_simulator_operations PRIMARY KEY (key), 
	CONSTRAINT fk_simulator_operations_reference FOREIGN KEY(reference) REFERENCES simulator_charges (reference)
);

CREATE TABLE simulator_webhooks (
	id UUID NOT NULL, 
	event_id TEXT NOT NULL, 
	type TEXT NOT NULL, 
	reference TEXT NOT NULL, 
	due_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	sent_at TIMESTAMP WITH TIME ZONE, 
	attempts BIGINT NOT NULL, 
	CONSTRAINT pk_simulator_webhooks PRIMARY KEY (id), 
	CONSTRAINT fk_simulator_webhooks_reference FOREIGN KEY(reference) REFERENCES simulator_charges (reference)
);

CREATE TABLE users (
	id UUID NOT NULL, 
	email TEXT NOT NULL, 
	password_hash TEXT NOT NULL, 
	name TEXT NOT NULL, 
	status TEXT NOT NULL, 
	customer_id UUID, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY (id), 
	CONSTRAINT ck_users_status CHECK (status in ('active', 'locked')), 
	CONSTRAINT ck_users_email CHECK (email = lower(email)), 
	CONSTRAINT uq_users_email UNIQUE (email), 
	CONSTRAINT fk_users_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id)
);

CREATE TABLE cart_adjustments (
	cart_id UUID NOT NULL, 
	code TEXT NOT NULL, 
	CONSTRAINT pk_cart_adjustments PRIMARY KEY (cart_id, code), 
	CONSTRAINT fk_cart_adjustments_cart_id FOREIGN KEY(cart_id) REFERENCES carts (id)
);

CREATE TABLE checkout_sessions (
	group_id UUID NOT NULL, 
	cart_id UUID NOT NULL, 
	started_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	failed_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT pk_checkout_sessions PRIMARY KEY (group_id), 
	CONSTRAINT fk_checkout_sessions_group_id FOREIGN KEY(group_id) REFERENCES order_groups (id), 
	CONSTRAINT fk_checkout_sessions_cart_id FOREIGN KEY(cart_id) REFERENCES carts (id)
);

CREATE TABLE order_addresses (
	group_id UUID NOT NULL, 
	name TEXT NOT NULL, 
	line1 TEXT NOT NULL, 
	line2 TEXT NOT NULL, 
	city TEXT NOT NULL, 
	region TEXT NOT NULL, 
	postal_code TEXT NOT NULL, 
	country TEXT NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_order_addresses PRIMARY KEY (group_id), 
	CONSTRAINT fk_order_addresses_group_id FOREIGN KEY(group_id) REFERENCES order_groups (id)
);

CREATE TABLE orders (
	id UUID NOT NULL, 
	number TEXT NOT NULL, 
	group_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	customer_id UUID, 
	guest_key BYTEA, 
	status TEXT NOT NULL, 
	payment_status TEXT NOT NULL, 
	fulfillment_status TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	tax_included BOOLEAN NOT NULL, 
	subtotal BIGINT NOT NULL, 
	discount BIGINT NOT NULL, 
	shipping BIGINT NOT NULL, 
	tax BIGINT NOT NULL, 
	total BIGINT NOT NULL, 
	placed_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_orders PRIMARY KEY (id), 
	CONSTRAINT ck_orders_status CHECK (status in ('placed', 'confirmed', 'processing', 'partially_shipped', 'shipped', 'delivered', 'completed', 'cancelling', 'cancelled')), 
	CONSTRAINT ck_orders_payment_status CHECK (payment_status in ('pending', 'authorised', 'paid', 'partially_refunded', 'refunded', 'voided', 'failed')), 
	CONSTRAINT ck_orders_fulfillment_status CHECK (fulfillment_status in ('unfulfilled', 'picking', 'packed', 'partially_shipped', 'shipped', 'delivered')), 
	CONSTRAINT ck_orders_total CHECK (total = subtotal - discount + shipping + case when tax_included then 0 else tax end), 
	CONSTRAINT ck_orders_signs CHECK (subtotal >= 0 and discount between 0 and subtotal and shipping >= 0 and tax >= 0), 
	CONSTRAINT fk_orders_group_id FOREIGN KEY(group_id) REFERENCES order_groups (id), 
	CONSTRAINT fk_orders_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id), 
	CONSTRAINT fk_orders_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id)
)
 PARTITION BY RANGE (id);

CREATE TABLE payment_intents (
	id UUID NOT NULL, 
	reference_id UUID NOT NULL, 
	customer_id UUID, 
	guest_key BYTEA, 
	kind TEXT NOT NULL, 
	method_id UUID, 
	gift_card_id UUID, 
	token TEXT, 
	currency TEXT NOT NULL, 
	amount BIGINT NOT NULL, 
	authorised BIGINT NOT NULL, 
	captured BIGINT NOT NULL, 
	refunded BIGINT NOT NULL, 
	status TEXT NOT NULL, 
	gateway_reference TEXT, 
	next_action_url TEXT, 
	failure TEXT, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_payment_intents PRIMARY KEY (id), 
	CONSTRAINT uq_payment_intents_reference_id UNIQUE (reference_id), 
	CONSTRAINT ck_payment_intents_amount CHECK (amount >= 0), 
	CONSTRAINT ck_payment_intents_captured CHECK (captured <= authorised and authorised <= amount), 
	CONSTRAINT ck_payment_intents_refunded CHECK (refunded >= 0 and refunded <= captured), 
	CONSTRAINT ck_payment_intents_kind CHECK (kind in ('card', 'gift_card', 'free')), 
	CONSTRAINT ck_payment_intents_status CHECK (status in ('processing', 'requires_action', 'authorised', 'captured', 'failed', 'voided', 'refunded')), 
	CONSTRAINT fk_payment_intents_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id), 
	CONSTRAINT fk_payment_intents_method_id FOREIGN KEY(method_id) REFERENCES payment_methods (id), 
	CONSTRAINT fk_payment_intents_gift_card_id FOREIGN KEY(gift_card_id) REFERENCES payment_gift_cards (id)
)
 WITH (fillfactor = 70);

CREATE TABLE product_channel_listings (
	product_id UUID NOT NULL, 
	channel_id UUID NOT NULL, 
	published_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	unpublished_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT pk_product_channel_listings PRIMARY KEY (product_id, channel_id), 
	CONSTRAINT fk_product_channel_listings_product_id FOREIGN KEY(product_id) REFERENCES products (id), 
	CONSTRAINT fk_product_channel_listings_channel_id FOREIGN KEY(channel_id) REFERENCES channels (id)
);

CREATE TABLE product_media (
	id UUID NOT NULL, 
	product_id UUID NOT NULL, 
	kind TEXT NOT NULL, 
	url TEXT NOT NULL, 
	alt TEXT NOT NULL, 
	position BIGINT NOT NULL, 
	CONSTRAINT pk_product_media PRIMARY KEY (id), 
	CONSTRAINT ck_product_media_kind CHECK (kind in ('image')), 
	CONSTRAINT fk_product_media_product_id FOREIGN KEY(product_id) REFERENCES products (id)
);

CREATE TABLE product_variants (
	id UUID NOT NULL, 
	product_id UUID NOT NULL, 
	sku TEXT NOT NULL, 
	options JSONB NOT NULL, 
	weight_g BIGINT NOT NULL, 
	gtin TEXT, 
	active BOOLEAN NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_product_variants PRIMARY KEY (id), 
	CONSTRAINT ck_product_variants_weight CHECK (weight_g >= 0), 
	CONSTRAINT ck_product_variants_gtin CHECK (gtin is null or gtin ~ '^[0-9]{8,14}$'), 
	CONSTRAINT fk_product_variants_product_id FOREIGN KEY(product_id) REFERENCES products (id), 
	CONSTRAINT uq_product_variants_sku UNIQUE (sku)
);

CREATE TABLE promotion_redemptions (
	id UUID NOT NULL, 
	coupon_id UUID NOT NULL, 
	group_id UUID NOT NULL, 
	customer_slot TEXT NOT NULL, 
	amount BIGINT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_promotion_redemptions PRIMARY KEY (id), 
	CONSTRAINT uq_promotion_redemptions_group_id_coupon_id UNIQUE (group_id, coupon_id), 
	CONSTRAINT uq_promotion_redemptions_coupon_id_customer_slot UNIQUE (coupon_id, customer_slot), 
	CONSTRAINT fk_promotion_redemptions_coupon_id FOREIGN KEY(coupon_id) REFERENCES promotion_coupons (id)
);

CREATE TABLE refresh_tokens (
	id UUID NOT NULL, 
	family_id UUID NOT NULL, 
	user_id UUID NOT NULL, 
	token_hash BYTEA NOT NULL, 
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	used_at TIMESTAMP WITH TIME ZONE, 
	revoked_at TIMESTAMP WITH TIME ZONE, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_refresh_tokens PRIMARY KEY (id), 
	CONSTRAINT fk_refresh_tokens_user_id FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT uq_refresh_tokens_token_hash UNIQUE (token_hash)
);

CREATE TABLE user_roles (
	id UUID NOT NULL, 
	user_id UUID NOT NULL, 
	role TEXT NOT NULL, 
	merchant_id UUID, 
	CONSTRAINT pk_user_roles PRIMARY KEY (id), 
	CONSTRAINT ck_user_roles_membership CHECK ((role = 'merchant') = (merchant_id is not null)), 
	CONSTRAINT fk_user_roles_user_id FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT fk_user_roles_role FOREIGN KEY(role) REFERENCES roles (name), 
	CONSTRAINT fk_user_roles_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE TABLE cart_lines (
	id UUID NOT NULL, 
	cart_id UUID NOT NULL, 
	variant_id UUID NOT NULL, 
	quantity BIGINT NOT NULL, 
	CONSTRAINT pk_cart_lines PRIMARY KEY (id), 
	CONSTRAINT uq_cart_lines_cart_id_variant_id UNIQUE (cart_id, variant_id), 
	CONSTRAINT ck_cart_lines_quantity CHECK (quantity between 1 and 9999), 
	CONSTRAINT fk_cart_lines_cart_id FOREIGN KEY(cart_id) REFERENCES carts (id), 
	CONSTRAINT fk_cart_lines_variant_id FOREIGN KEY(variant_id) REFERENCES product_variants (id)
);

CREATE TABLE inventory_levels (
	id UUID NOT NULL, 
	variant_id UUID NOT NULL, 
	location_id UUID NOT NULL, 
	on_hand BIGINT NOT NULL, 
	reserved BIGINT NOT NULL, 
	allocated BIGINT NOT NULL, 
	backorder_limit BIGINT NOT NULL, 
	safety_stock BIGINT NOT NULL, 
	CONSTRAINT pk_inventory_levels PRIMARY KEY (id), 
	CONSTRAINT uq_inventory_levels_variant_id_location_id UNIQUE (variant_id, location_id), 
	CONSTRAINT ck_inventory_levels_signs CHECK (reserved >= 0 and allocated >= 0 and backorder_limit >= 0 and safety_stock >= 0), 
	CONSTRAINT ck_inventory_levels_promised CHECK (reserved + allocated <= on_hand + backorder_limit), 
	CONSTRAINT fk_inventory_levels_variant_id FOREIGN KEY(variant_id) REFERENCES product_variants (id), 
	CONSTRAINT fk_inventory_levels_location_id FOREIGN KEY(location_id) REFERENCES inventory_locations (id)
)
 WITH (fillfactor = 70);

CREATE TABLE order_cancellations (
	order_id UUID NOT NULL, 
	reason TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	status TEXT NOT NULL, 
	requested_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_order_cancellations PRIMARY KEY (order_id), 
	CONSTRAINT ck_order_cancellations_status CHECK (status in ('requested', 'done')), 
	CONSTRAINT fk_order_cancellations_order_id FOREIGN KEY(order_id) REFERENCES orders (id)
);

CREATE TABLE order_lines (
	id UUID NOT NULL, 
	order_id UUID NOT NULL, 
	variant_id UUID NOT NULL, 
	product_id UUID NOT NULL, 
	sku TEXT NOT NULL, 
	name TEXT NOT NULL, 
	options JSONB NOT NULL, 
	quantity BIGINT NOT NULL, 
	unit_minor BIGINT NOT NULL, 
	subtotal BIGINT NOT NULL, 
	discount BIGINT NOT NULL, 
	tax_rate NUMERIC(6, 4) NOT NULL, 
	tax BIGINT NOT NULL, 
	shipped BIGINT DEFAULT '0' NOT NULL, 
	cancelled BIGINT DEFAULT '0' NOT NULL, 
	returned BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_order_lines PRIMARY KEY (id), 
	CONSTRAINT ck_order_lines_quantity CHECK (quantity > 0), 
	CONSTRAINT ck_order_lines_subtotal CHECK (subtotal = quantity * unit_minor), 
	CONSTRAINT ck_order_lines_discount CHECK (discount between 0 and subtotal), 
	CONSTRAINT ck_order_lines_quantities CHECK (shipped >= 0 and cancelled >= 0 and returned between 0 and shipped and shipped + cancelled <= quantity), 
	CONSTRAINT fk_order_lines_order_id FOREIGN KEY(order_id) REFERENCES orders (id), 
	CONSTRAINT fk_order_lines_variant_id FOREIGN KEY(variant_id) REFERENCES product_variants (id), 
	CONSTRAINT fk_order_lines_product_id FOREIGN KEY(product_id) REFERENCES products (id)
);

CREATE TABLE order_timeline_events (
	id UUID NOT NULL, 
	group_id UUID NOT NULL, 
	order_id UUID, 
	kind TEXT NOT NULL, 
	facts JSONB NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_order_timeline_events PRIMARY KEY (id), 
	CONSTRAINT fk_order_timeline_events_group_id FOREIGN KEY(group_id) REFERENCES order_groups (id), 
	CONSTRAINT fk_order_timeline_events_order_id FOREIGN KEY(order_id) REFERENCES orders (id)
)
 PARTITION BY RANGE (id);

CREATE TABLE payment_fraud_checks (
	intent_id UUID NOT NULL, 
	score BIGINT NOT NULL, 
	reasons JSONB NOT NULL, 
	decision TEXT NOT NULL, 
	decided_by TEXT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_payment_fraud_checks PRIMARY KEY (intent_id), 
	CONSTRAINT ck_payment_fraud_checks_score CHECK (score between 0 and 100), 
	CONSTRAINT ck_payment_fraud_checks_decision CHECK (decision in ('accept', 'review', 'reject')), 
	CONSTRAINT fk_payment_fraud_checks_intent_id FOREIGN KEY(intent_id) REFERENCES payment_intents (id)
);

CREATE TABLE payment_transactions (
	id UUID NOT NULL, 
	intent_id UUID NOT NULL, 
	kind TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	amount BIGINT NOT NULL, 
	currency TEXT NOT NULL, 
	key TEXT NOT NULL, 
	gateway_reference TEXT, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_payment_transactions PRIMARY KEY (id), 
	CONSTRAINT ck_payment_transactions_kind CHECK (kind in ('authorise', 'capture', 'void', 'refund')), 
	CONSTRAINT ck_payment_transactions_outcome CHECK (outcome in ('succeeded', 'declined')), 
	CONSTRAINT fk_payment_transactions_intent_id FOREIGN KEY(intent_id) REFERENCES payment_intents (id)
)
 PARTITION BY RANGE (id);

CREATE TABLE price_history (
	id UUID NOT NULL, 
	variant_id UUID NOT NULL, 
	price_list_id UUID NOT NULL, 
	min_quantity BIGINT NOT NULL, 
	minor BIGINT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_price_history PRIMARY KEY (id), 
	CONSTRAINT fk_price_history_variant_id FOREIGN KEY(variant_id) REFERENCES product_variants (id), 
	CONSTRAINT fk_price_history_price_list_id FOREIGN KEY(price_list_id) REFERENCES price_lists (id)
);

CREATE TABLE prices (
	id UUID NOT NULL, 
	variant_id UUID NOT NULL, 
	price_list_id UUID NOT NULL, 
	min_quantity BIGINT NOT NULL, 
	minor BIGINT NOT NULL, 
	compare_at_minor BIGINT, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_prices PRIMARY KEY (id), 
	CONSTRAINT uq_prices_variant_id_price_list_id_min_quantity UNIQUE (variant_id, price_list_id, min_quantity), 
	CONSTRAINT ck_prices_minor CHECK (minor >= 0), 
	CONSTRAINT ck_prices_compare_at CHECK (compare_at_minor is null or compare_at_minor > minor), 
	CONSTRAINT ck_prices_min_quantity CHECK (min_quantity >= 1), 
	CONSTRAINT fk_prices_variant_id FOREIGN KEY(variant_id) REFERENCES product_variants (id), 
	CONSTRAINT fk_prices_price_list_id FOREIGN KEY(price_list_id) REFERENCES price_lists (id)
);

CREATE TABLE warehouse_tasks (
	order_id UUID NOT NULL, 
	group_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	status TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_warehouse_tasks PRIMARY KEY (order_id), 
	CONSTRAINT ck_warehouse_tasks_status CHECK (status in ('open', 'done', 'cancelled')), 
	CONSTRAINT fk_warehouse_tasks_order_id FOREIGN KEY(order_id) REFERENCES orders (id), 
	CONSTRAINT fk_warehouse_tasks_group_id FOREIGN KEY(group_id) REFERENCES order_groups (id), 
	CONSTRAINT fk_warehouse_tasks_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE TABLE inventory_adjustments (
	id UUID NOT NULL, 
	level_id UUID NOT NULL, 
	quantity BIGINT NOT NULL, 
	reason TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_inventory_adjustments PRIMARY KEY (id), 
	CONSTRAINT ck_inventory_adjustments_quantity CHECK (quantity <> 0), 
	CONSTRAINT fk_inventory_adjustments_level_id FOREIGN KEY(level_id) REFERENCES inventory_levels (id)
);

CREATE TABLE inventory_movements (
	id UUID NOT NULL, 
	level_id UUID NOT NULL, 
	kind TEXT NOT NULL, 
	on_hand BIGINT NOT NULL, 
	reserved BIGINT NOT NULL, 
	allocated BIGINT NOT NULL, 
	reference_id UUID, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_inventory_movements PRIMARY KEY (id), 
	CONSTRAINT ck_inventory_movements_kind CHECK (kind in ('receive', 'adjust', 'hold', 'release', 'allocate', 'sell', 'return')), 
	CONSTRAINT fk_inventory_movements_level_id FOREIGN KEY(level_id) REFERENCES inventory_levels (id)
)
 PARTITION BY RANGE (id);

CREATE TABLE inventory_reservations (
	id UUID NOT NULL, 
	reference_id UUID NOT NULL, 
	level_id UUID NOT NULL, 
	variant_id UUID NOT NULL, 
	quantity BIGINT NOT NULL, 
	status TEXT NOT NULL, 
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_inventory_reservations PRIMARY KEY (id), 
	CONSTRAINT uq_inventory_reservations_reference_id_level_id UNIQUE (reference_id, level_id), 
	CONSTRAINT ck_inventory_reservations_quantity CHECK (quantity > 0), 
	CONSTRAINT ck_inventory_reservations_status CHECK (status in ('held', 'allocated', 'released', 'sold')), 
	CONSTRAINT fk_inventory_reservations_level_id FOREIGN KEY(level_id) REFERENCES inventory_levels (id), 
	CONSTRAINT fk_inventory_reservations_variant_id FOREIGN KEY(variant_id) REFERENCES product_variants (id)
);

CREATE TABLE warehouse_picking_lines (
	order_line_id UUID NOT NULL, 
	order_id UUID NOT NULL, 
	variant_id UUID NOT NULL, 
	sku TEXT NOT NULL, 
	quantity BIGINT NOT NULL, 
	picked BIGINT NOT NULL, 
	CONSTRAINT pk_warehouse_picking_lines PRIMARY KEY (order_line_id), 
	CONSTRAINT ck_warehouse_picking_lines_picked CHECK (picked between 0 and quantity), 
	CONSTRAINT fk_warehouse_picking_lines_order_line_id FOREIGN KEY(order_line_id) REFERENCES order_lines (id), 
	CONSTRAINT fk_warehouse_picking_lines_order_id FOREIGN KEY(order_id) REFERENCES warehouse_tasks (order_id), 
	CONSTRAINT fk_warehouse_picking_lines_variant_id FOREIGN KEY(variant_id) REFERENCES product_variants (id)
);

CREATE INDEX ix_audit_log_actor ON audit_log (actor);

CREATE INDEX ix_audit_log_object ON audit_log (object);

CREATE INDEX ix_dead_letters_key ON dead_letters (key);

CREATE INDEX ix_dead_letters_retry_at ON dead_letters (retry_at);

CREATE INDEX ix_email_messages_due ON email_messages (due_at) WHERE status = 'queued';

CREATE INDEX ix_gateway_idempotency_keys_created_at ON gateway_idempotency_keys (created_at);

CREATE INDEX ix_gateway_usage_window_at ON gateway_usage (window_at);

CREATE INDEX ix_inbox_events_at ON inbox_events (at);

CREATE INDEX ix_outbox_events_key ON outbox_events (key);

CREATE INDEX ix_outbox_events_position ON outbox_events (position);

CREATE INDEX ix_outbox_events_unsent ON outbox_events (id) WHERE position is null;

CREATE INDEX ix_payment_webhook_events_gateway_reference ON payment_webhook_events (gateway_reference);

CREATE INDEX ix_product_categories_parent_id ON product_categories (parent_id);

CREATE INDEX ix_saga_instances_due ON saga_instances (due_at) WHERE status in ('running', 'waiting', 'compensating');

CREATE INDEX ix_saga_instances_subject_id ON saga_instances (subject_id);

CREATE INDEX ix_carts_channel_id ON carts (channel_id);

CREATE INDEX ix_carts_customer_id ON carts (customer_id);

CREATE INDEX ix_customer_addresses_customer_id ON customer_addresses (customer_id);

CREATE UNIQUE INDEX uq_customer_addresses_default ON customer_addresses (customer_id) WHERE is_default;

CREATE INDEX ix_ledger_entries_credit_id_currency ON ledger_entries (credit_id, currency);

CREATE INDEX ix_ledger_entries_debit_id_currency ON ledger_entries (debit_id, currency);

CREATE INDEX ix_ledger_entries_reference_id ON ledger_entries (reference_id);

CREATE INDEX ix_notifications_customer_id ON notifications (customer_id);

CREATE INDEX ix_notifications_merchant_id ON notifications (merchant_id);

CREATE INDEX ix_order_groups_channel_id ON order_groups (channel_id);

CREATE INDEX ix_order_groups_customer_id ON order_groups (customer_id);

CREATE INDEX ix_payment_methods_customer_id ON payment_methods (customer_id);

CREATE INDEX ix_payment_methods_gift_card_id ON payment_methods (gift_card_id);

CREATE INDEX ix_products_brand_id ON products (brand_id);

CREATE INDEX ix_products_category_id ON products (category_id);

CREATE INDEX ix_products_merchant_id ON products (merchant_id);

CREATE INDEX ix_products_name_trgm ON products USING gin (name gin_trgm_ops);

CREATE INDEX ix_products_words ON products USING gin (words);

CREATE INDEX ix_promotion_coupons_promotion_id ON promotion_coupons (promotion_id);

CREATE INDEX ix_simulator_operations_reference ON simulator_operations (reference);

CREATE INDEX ix_simulator_webhooks_due_at ON simulator_webhooks (due_at);

CREATE INDEX ix_simulator_webhooks_reference ON simulator_webhooks (reference);

CREATE INDEX ix_users_customer_id ON users (customer_id);

CREATE INDEX ix_checkout_sessions_cart_id ON checkout_sessions (cart_id);

CREATE INDEX ix_orders_customer_id ON orders (customer_id);

CREATE INDEX ix_orders_group_id ON orders (group_id);

CREATE INDEX ix_orders_guest_key ON orders (guest_key) WHERE guest_key is not null;

CREATE INDEX ix_orders_merchant_id ON orders (merchant_id);

CREATE INDEX ix_orders_number ON orders (number);

CREATE INDEX ix_payment_intents_customer_id ON payment_intents (customer_id);

CREATE INDEX ix_payment_intents_gateway_reference ON payment_intents (gateway_reference);

CREATE INDEX ix_payment_intents_gift_card_id ON payment_intents (gift_card_id);

CREATE INDEX ix_payment_intents_method_id ON payment_intents (method_id);

CREATE INDEX ix_product_channel_listings_channel_id ON product_channel_listings (channel_id);

CREATE INDEX ix_product_media_product_id ON product_media (product_id);

CREATE UNIQUE INDEX uq_product_variants_options ON product_variants (product_id, options) WHERE active;

CREATE INDEX ix_refresh_tokens_expires_at ON refresh_tokens (expires_at);

CREATE INDEX ix_refresh_tokens_family_id ON refresh_tokens (family_id);

CREATE INDEX ix_refresh_tokens_user_id ON refresh_tokens (user_id);

CREATE INDEX ix_user_roles_merchant_id ON user_roles (merchant_id);

CREATE INDEX ix_user_roles_role ON user_roles (role);

CREATE UNIQUE INDEX uq_user_roles ON user_roles (user_id, role, merchant_id) NULLS NOT DISTINCT;

CREATE INDEX ix_cart_lines_variant_id ON cart_lines (variant_id);

CREATE INDEX ix_inventory_levels_location_id ON inventory_levels (location_id);

CREATE INDEX ix_order_lines_order_id ON order_lines (order_id);

CREATE INDEX ix_order_lines_product_id ON order_lines (product_id);

CREATE INDEX ix_order_lines_variant_id ON order_lines (variant_id);

CREATE INDEX ix_order_timeline_events_group_id ON order_timeline_events (group_id);

CREATE INDEX ix_order_timeline_events_order_id ON order_timeline_events (order_id);

CREATE INDEX ix_payment_transactions_intent_id ON payment_transactions (intent_id);

CREATE INDEX ix_price_history_price_list_id ON price_history (price_list_id);

CREATE INDEX ix_price_history_variant_id ON price_history (variant_id);

CREATE INDEX ix_prices_price_list_id ON prices (price_list_id);

CREATE INDEX ix_warehouse_tasks_group_id ON warehouse_tasks (group_id);

CREATE INDEX ix_warehouse_tasks_merchant_id ON warehouse_tasks (merchant_id);

CREATE INDEX ix_inventory_adjustments_level_id ON inventory_adjustments (level_id);

CREATE INDEX ix_inventory_movements_level_id ON inventory_movements (level_id);

CREATE INDEX ix_inventory_movements_reference_id ON inventory_movements (reference_id);

CREATE INDEX ix_inventory_reservations_expiring ON inventory_reservations (expires_at) WHERE status = 'held';

CREATE INDEX ix_inventory_reservations_level_id ON inventory_reservations (level_id);

CREATE INDEX ix_inventory_reservations_variant_id ON inventory_reservations (variant_id);

CREATE INDEX ix_warehouse_picking_lines_order_id ON warehouse_picking_lines (order_id);

CREATE INDEX ix_warehouse_picking_lines_variant_id ON warehouse_picking_lines (variant_id);

create sequence outbox_position_seq;

create sequence order_number_seq start 100001;

alter table order_groups enable row level security;

alter table order_groups force row level security;

create policy order_groups_visible on order_groups using (current_setting('agora.staff', true) = 'on' or customer_id = nullif(current_setting('agora.customer', true), '')::uuid or guest_key = decode(nullif(current_setting('agora.guest', true), ''), 'hex'));

alter table orders enable row level security;

alter table orders force row level security;

create policy orders_visible on orders using (current_setting('agora.staff', true) = 'on' or customer_id = nullif(current_setting('agora.customer', true), '')::uuid or guest_key = decode(nullif(current_setting('agora.guest', true), ''), 'hex') or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table order_lines enable row level security;

alter table order_lines force row level security;

create policy order_lines_visible on order_lines using (current_setting('agora.staff', true) = 'on' or exists (select from orders o where o.id = order_id));

create policy order_lines_insert on order_lines for insert with check (true);

alter table order_addresses enable row level security;

alter table order_addresses force row level security;

create policy order_addresses_visible on order_addresses using (current_setting('agora.staff', true) = 'on' or exists (select from order_groups g where g.id = group_id));

create policy order_addresses_insert on order_addresses for insert with check (true);

alter table order_cancellations enable row level security;

alter table order_cancellations force row level security;

create policy order_cancellations_visible on order_cancellations using (current_setting('agora.staff', true) = 'on' or exists (select from orders o where o.id = order_id));

create policy order_cancellations_insert on order_cancellations for insert with check (true);

alter table order_timeline_events enable row level security;

alter table order_timeline_events force row level security;

create policy order_timeline_events_visible on order_timeline_events using (current_setting('agora.staff', true) = 'on' or exists (select from order_groups g where g.id = group_id) or exists (select from orders o where o.id = order_id));

create function agora_order_adds_up() returns trigger language plpgsql as $$
declare s bigint; d bigint; o orders;
begin
  select * into o from orders where id = new.id;
  if not found then return null; end if;
  select coalesce(sum(subtotal), 0), coalesce(sum(discount), 0) into s, d from order_lines where order_id = new.id;
  if s <> o.subtotal or d <> o.discount then
    raise exception 'order % does not add up: % and %, lines % and %', o.number, o.subtotal, o.discount, s, d
      using errcode = 'check_violation', constraint = 'orders_add_up';
  end if;
  return null;
end $$;

create constraint trigger orders_add_up after insert or update of subtotal, discount on orders
deferrable initially deferred for each row execute function agora_order_adds_up();

create function agora_line_is_snapshot() returns trigger language plpgsql as $$
begin
  raise exception 'the price, tax and product of an order line are a snapshot'
    using errcode = 'check_violation', constraint = 'order_lines_snapshot';
end $$;

create trigger order_lines_snapshot before update of order_id, variant_id, product_id, sku, name, options, quantity,
unit_minor, subtotal, discount, tax_rate, tax on order_lines for each row execute function agora_line_is_snapshot();

create function agora_no_category_cycle() returns trigger language plpgsql as $$
begin
  if exists (
    with recursive up as (
      select new.parent_id as id union
      select c.parent_id from product_categories c join up on c.id = up.id where c.parent_id is not null
    ) select from up where id = new.id
  ) then
    raise exception 'category % would be its own ancestor', new.slug
      using errcode = 'check_violation', constraint = 'product_categories_cycle';
  end if;
  return new;
end $$;

create trigger product_categories_cycle before insert or update of parent_id on product_categories for each row when (new.parent_id is not null) execute function agora_no_category_cycle();

alter table payment_methods enable row level security;

alter table payment_methods force row level security;

create policy payment_methods_visible on payment_methods using (current_setting('agora.staff', true) = 'on' or customer_id = nullif(current_setting('agora.customer', true), '')::uuid);

alter table payment_intents enable row level security;

alter table payment_intents force row level security;

create policy payment_intents_visible on payment_intents using (current_setting('agora.staff', true) = 'on' or customer_id = nullif(current_setting('agora.customer', true), '')::uuid or guest_key = decode(nullif(current_setting('agora.guest', true), ''), 'hex'));

alter table warehouse_tasks enable row level security;

alter table warehouse_tasks force row level security;

create policy warehouse_tasks_visible on warehouse_tasks using (current_setting('agora.staff', true) = 'on' or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table warehouse_picking_lines enable row level security;

alter table warehouse_picking_lines force row level security;

create policy warehouse_picking_lines_visible on warehouse_picking_lines using (current_setting('agora.staff', true) = 'on' or exists (select from warehouse_tasks t where t.order_id = warehouse_picking_lines.order_id));

alter table customers enable row level security;

alter table customers force row level security;

create policy customers_visible on customers using (current_setting('agora.staff', true) = 'on' or id = nullif(current_setting('agora.customer', true), '')::uuid);

alter table customer_addresses enable row level security;

alter table customer_addresses force row level security;

create policy customer_addresses_visible on customer_addresses using (current_setting('agora.staff', true) = 'on' or customer_id = nullif(current_setting('agora.customer', true), '')::uuid);

create function agora_append_only() returns trigger language plpgsql as $$
begin raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege'; end $$;

create trigger audit_log_append_only before update or delete or truncate on audit_log for each statement execute function agora_append_only();

create function agora_cart_contents(cart uuid) returns jsonb language sql volatile as $$
  select jsonb_build_array(
    (select coalesce(jsonb_agg(jsonb_build_array(id, variant_id, quantity) order by id), '[]') from cart_lines where cart_id = cart),
    (select coalesce(jsonb_agg(code order by code), '[]') from cart_adjustments where cart_id = cart))
$$;

alter table carts enable row level security;

alter table carts force row level security;

create policy carts_visible on carts using (current_setting('agora.staff', true) = 'on' or customer_id = nullif(current_setting('agora.customer', true), '')::uuid or guest_key = decode(nullif(current_setting('agora.guest', true), ''), 'hex'));

alter table cart_lines enable row level security;

alter table cart_lines force row level security;

create policy cart_lines_visible on cart_lines using (current_setting('agora.staff', true) = 'on' or exists (select from carts c where c.id = cart_id));

alter table cart_adjustments enable row level security;

alter table cart_adjustments force row level security;

create policy cart_adjustments_visible on cart_adjustments using (current_setting('agora.staff', true) = 'on' or exists (select from carts c where c.id = cart_id));

alter table checkout_sessions enable row level security;

alter table checkout_sessions force row level security;

create policy checkout_sessions_visible on checkout_sessions using (current_setting('agora.staff', true) = 'on' or exists (select from order_groups g where g.id = group_id));

alter table email_messages enable row level security;

alter table email_messages force row level security;

create policy email_messages_visible on email_messages using (current_setting('agora.staff', true) = 'on' or false);

alter table notifications enable row level security;

alter table notifications force row level security;

create policy notifications_visible on notifications using (current_setting('agora.staff', true) = 'on' or customer_id = nullif(current_setting('agora.customer', true), '')::uuid or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

select agora_make_partitions((current_date - interval '1 month')::date, 4);

grant usage on schema public to agora_app;

grant select, insert, update, delete on all tables in schema public to agora_app;

grant usage, select on all sequences in schema public to agora_app;

revoke update, delete, truncate on order_timeline_events from agora_app;

revoke update, delete, truncate on price_history from agora_app;

revoke update, delete, truncate on inventory_movements from agora_app;

revoke update, delete, truncate on inventory_adjustments from agora_app;

revoke update, delete, truncate on ledger_entries from agora_app;

revoke update, delete, truncate on payment_transactions from agora_app;

revoke update, delete, truncate on audit_log from agora_app;

