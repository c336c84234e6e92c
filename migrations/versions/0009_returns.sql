CREATE TABLE return_reasons (
	code TEXT NOT NULL, 
	text TEXT NOT NULL, 
	fault BOOLEAN NOT NULL, 
	active BOOLEAN NOT NULL, 
	CONSTRAINT pk_return_reasons PRIMARY KEY (code)
);

CREATE TABLE refund_policies (
	channel_id UUID NOT NULL, 
	auto_minor BIGINT NOT NULL, 
	customer_auto_minor BIGINT NOT NULL, 
	second_minor BIGINT NOT NULL, 
	approval_hours BIGINT NOT NULL, 
	destinations JSONB NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_refund_policies PRIMARY KEY (channel_id), 
	CONSTRAINT ck_refund_policies_limits CHECK (auto_minor >= 0 and customer_auto_minor >= 0), 
	CONSTRAINT ck_refund_policies_second CHECK (second_minor >= greatest(auto_minor, customer_auto_minor)), 
	CONSTRAINT ck_refund_policies_approval_hours CHECK (approval_hours > 0), 
	CONSTRAINT fk_refund_policies_channel_id FOREIGN KEY(channel_id) REFERENCES channels (id)
);

CREATE TABLE return_policies (
	id UUID NOT NULL, 
	channel_id UUID, 
	category_id UUID, 
	window_days BIGINT NOT NULL, 
	grey_days BIGINT NOT NULL, 
	fault_days BIGINT NOT NULL, 
	final_sale BOOLEAN NOT NULL, 
	conditions JSONB NOT NULL, 
	review_minor BIGINT NOT NULL, 
	abuse_from BIGINT NOT NULL, 
	one_per_order BOOLEAN NOT NULL, 
	destinations JSONB NOT NULL, 
	refund_shipping BOOLEAN NOT NULL, 
	free_label BOOLEAN NOT NULL, 
	send_days BIGINT NOT NULL, 
	grey_hours BIGINT NOT NULL, 
	grey_default TEXT NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_return_policies PRIMARY KEY (id), 
	CONSTRAINT uq_return_policies_channel_id_category_id UNIQUE NULLS NOT DISTINCT (channel_id, category_id), 
	CONSTRAINT ck_return_policies_days CHECK (window_days >= 0 and grey_days >= 0 and fault_days >= window_days), 
	CONSTRAINT ck_return_policies_limits CHECK (send_days > 0 and grey_hours > 0 and review_minor >= 0 and abuse_from >= 0), 
	CONSTRAINT ck_return_policies_grey_default CHECK (grey_default in ('accept', 'reject')), 
	CONSTRAINT fk_return_policies_channel_id FOREIGN KEY(channel_id) REFERENCES channels (id), 
	CONSTRAINT fk_return_policies_category_id FOREIGN KEY(category_id) REFERENCES product_categories (id)
);

CREATE TABLE order_delivery_tracking (
	order_id UUID NOT NULL, 
	shipped_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	delivered_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT pk_order_delivery_tracking PRIMARY KEY (order_id), 
	CONSTRAINT ck_order_delivery_tracking_order_of_events CHECK (delivered_at >= shipped_at), 
	CONSTRAINT fk_order_delivery_tracking_order_id FOREIGN KEY(order_id) REFERENCES orders (id)
);

CREATE TABLE refunds (
	id UUID NOT NULL, 
	order_id UUID NOT NULL, 
	group_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	customer_id UUID, 
	guest_key BYTEA, 
	intent_id UUID NOT NULL, 
	cause TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	status TEXT NOT NULL, 
	destination TEXT NOT NULL, 
	gift_card_id UUID, 
	currency TEXT NOT NULL, 
	amount BIGINT NOT NULL, 
	goods BIGINT NOT NULL, 
	discount BIGINT NOT NULL, 
	tax BIGINT NOT NULL, 
	needed BIGINT NOT NULL, 
	requested_by TEXT NOT NULL, 
	failure TEXT, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_refunds PRIMARY KEY (id), 
	CONSTRAINT ck_refunds_status CHECK (status in ('waiting_approval', 'approved', 'sending', 'pending', 'succeeded', 'failed', 'rejected')), 
	CONSTRAINT ck_refunds_destination CHECK (destination in ('original', 'gift_card', 'store_credit')), 
	CONSTRAINT ck_refunds_amount CHECK (amount > 0 and goods >= discount and discount >= 0 and tax >= 0), 
	CONSTRAINT ck_refunds_needed CHECK (needed between 0 and 2), 
	CONSTRAINT ck_refunds_gift_card CHECK ((destination = 'original') or gift_card_id is not null), 
	CONSTRAINT uq_refunds_order_id_cause UNIQUE (order_id, cause), 
	CONSTRAINT fk_refunds_order_id FOREIGN KEY(order_id) REFERENCES orders (id), 
	CONSTRAINT fk_refunds_group_id FOREIGN KEY(group_id) REFERENCES order_groups (id), 
	CONSTRAINT fk_refunds_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id), 
	CONSTRAINT fk_refunds_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id), 
	CONSTRAINT fk_refunds_intent_id FOREIGN KEY(intent_id) REFERENCES payment_intents (id), 
	CONSTRAINT fk_refunds_gift_card_id FOREIGN KEY(gift_card_id) REFERENCES payment_gift_cards (id)
);

CREATE TABLE shipments (
	id UUID NOT NULL, 
	order_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	carrier TEXT NOT NULL, 
	tracking TEXT NOT NULL, 
	status TEXT NOT NULL, 
	dispatched_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	delivered_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT pk_shipments PRIMARY KEY (id), 
	CONSTRAINT ck_shipments_status CHECK (status in ('dispatched', 'delivered')), 
	CONSTRAINT ck_shipments_delivered CHECK ((status = 'delivered') = (delivered_at is not null)), 
	CONSTRAINT ck_shipments_order_of_events CHECK (delivered_at >= dispatched_at), 
	CONSTRAINT fk_shipments_order_id FOREIGN KEY(order_id) REFERENCES orders (id), 
	CONSTRAINT fk_shipments_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE TABLE refund_approvals (
	refund_id UUID NOT NULL, 
	subject TEXT NOT NULL, 
	accept BOOLEAN NOT NULL, 
	note TEXT, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_refund_approvals PRIMARY KEY (refund_id, subject), 
	CONSTRAINT fk_refund_approvals_refund_id FOREIGN KEY(refund_id) REFERENCES refunds (id)
);

CREATE TABLE refund_attempts (
	id UUID NOT NULL, 
	refund_id UUID NOT NULL, 
	key TEXT NOT NULL, 
	amount BIGINT NOT NULL, 
	status TEXT NOT NULL, 
	failure TEXT, 
	gateway_reference TEXT, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_refund_attempts PRIMARY KEY (id), 
	CONSTRAINT ck_refund_attempts_status CHECK (status in ('intent', 'pending', 'succeeded', 'declined')), 
	CONSTRAINT uq_refund_attempts_key UNIQUE (key), 
	CONSTRAINT fk_refund_attempts_refund_id FOREIGN KEY(refund_id) REFERENCES refunds (id)
);

CREATE TABLE refund_lines (
	id UUID NOT NULL, 
	refund_id UUID NOT NULL, 
	order_line_id UUID, 
	quantity BIGINT NOT NULL, 
	goods BIGINT NOT NULL, 
	discount BIGINT NOT NULL, 
	tax BIGINT NOT NULL, 
	amount BIGINT NOT NULL, 
	CONSTRAINT pk_refund_lines PRIMARY KEY (id), 
	CONSTRAINT uq_refund_lines_refund_id_order_line_id UNIQUE NULLS NOT DISTINCT (refund_id, order_line_id), 
	CONSTRAINT ck_refund_lines_something CHECK (quantity >= 0 and amount >= 0 and (quantity > 0 or amount > 0)), 
	CONSTRAINT ck_refund_lines_signs CHECK (goods >= discount and discount >= 0 and tax >= 0), 
	CONSTRAINT fk_refund_lines_refund_id FOREIGN KEY(refund_id) REFERENCES refunds (id), 
	CONSTRAINT fk_refund_lines_order_line_id FOREIGN KEY(order_line_id) REFERENCES order_lines (id)
);

CREATE TABLE return_claims (
	id UUID NOT NULL, 
	order_id UUID NOT NULL, 
	order_line_id UUID NOT NULL, 
	group_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	customer_id UUID, 
	guest_key BYTEA, 
	kind TEXT NOT NULL, 
	quantity BIGINT NOT NULL, 
	text TEXT NOT NULL, 
	status TEXT NOT NULL, 
	refund_id UUID, 
	note TEXT, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_return_claims PRIMARY KEY (id), 
	CONSTRAINT ck_return_claims_kind CHECK (kind in ('missing', 'wrong', 'broken')), 
	CONSTRAINT ck_return_claims_status CHECK (status in ('open', 'accepted', 'rejected')), 
	CONSTRAINT ck_return_claims_quantity CHECK (quantity > 0), 
	CONSTRAINT ck_return_claims_refund CHECK ((status = 'accepted') = (refund_id is not null)), 
	CONSTRAINT fk_return_claims_order_id FOREIGN KEY(order_id) REFERENCES orders (id), 
	CONSTRAINT fk_return_claims_order_line_id FOREIGN KEY(order_line_id) REFERENCES order_lines (id), 
	CONSTRAINT fk_return_claims_group_id FOREIGN KEY(group_id) REFERENCES order_groups (id), 
	CONSTRAINT fk_return_claims_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id), 
	CONSTRAINT fk_return_claims_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id), 
	CONSTRAINT fk_return_claims_refund_id FOREIGN KEY(refund_id) REFERENCES refunds (id)
);

CREATE TABLE return_requests (
	id UUID NOT NULL, 
	order_id UUID NOT NULL, 
	group_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	customer_id UUID, 
	guest_key BYTEA, 
	resolution TEXT NOT NULL, 
	status TEXT NOT NULL, 
	destination TEXT NOT NULL, 
	gift_card_id UUID, 
	method_id UUID, 
	replacement_id UUID, 
	refund_id UUID, 
	currency TEXT NOT NULL, 
	difference BIGINT NOT NULL, 
	verdict TEXT NOT NULL, 
	explanation TEXT NOT NULL, 
	score BIGINT NOT NULL, 
	exclusive BOOLEAN NOT NULL, 
	requested_by TEXT NOT NULL, 
	note TEXT, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_return_requests PRIMARY KEY (id), 
	CONSTRAINT ck_return_requests_status CHECK (status in ('requested', 'authorised', 'rejected', 'in_transit', 'partly_received', 'received', 'inspected', 'completed', 'cancelled')), 
	CONSTRAINT ck_return_requests_resolution CHECK (resolution in ('refund', 'exchange')), 
	CONSTRAINT ck_return_requests_verdict CHECK (verdict in ('authorised', 'grey')), 
	CONSTRAINT ck_return_requests_destination CHECK (destination in ('original', 'gift_card', 'store_credit')), 
	CONSTRAINT ck_return_requests_score CHECK (score between 0 and 100), 
	CONSTRAINT ck_return_requests_exchange CHECK ((resolution = 'exchange') = (replacement_id is not null)), 
	CONSTRAINT fk_return_requests_order_id FOREIGN KEY(order_id) REFERENCES orders (id), 
	CONSTRAINT fk_return_requests_group_id FOREIGN KEY(group_id) REFERENCES order_groups (id), 
	CONSTRAINT fk_return_requests_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id), 
	CONSTRAINT fk_return_requests_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id), 
	CONSTRAINT fk_return_requests_gift_card_id FOREIGN KEY(gift_card_id) REFERENCES payment_gift_cards (id), 
	CONSTRAINT fk_return_requests_method_id FOREIGN KEY(method_id) REFERENCES payment_methods (id), 
	CONSTRAINT uq_return_requests_replacement_id UNIQUE (replacement_id), 
	CONSTRAINT fk_return_requests_refund_id FOREIGN KEY(refund_id) REFERENCES refunds (id)
);

CREATE TABLE shipment_lines (
	shipment_id UUID NOT NULL, 
	order_line_id UUID NOT NULL, 
	quantity BIGINT NOT NULL, 
	CONSTRAINT pk_shipment_lines PRIMARY KEY (shipment_id, order_line_id), 
	CONSTRAINT ck_shipment_lines_quantity CHECK (quantity > 0), 
	CONSTRAINT fk_shipment_lines_shipment_id FOREIGN KEY(shipment_id) REFERENCES shipments (id), 
	CONSTRAINT fk_shipment_lines_order_line_id FOREIGN KEY(order_line_id) REFERENCES order_lines (id)
);

CREATE TABLE tracking_events (
	id UUID NOT NULL, 
	shipment_id UUID NOT NULL, 
	kind TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_tracking_events PRIMARY KEY (id), 
	CONSTRAINT ck_tracking_events_kind CHECK (kind in ('dispatched', 'delivered')), 
	CONSTRAINT fk_tracking_events_shipment_id FOREIGN KEY(shipment_id) REFERENCES shipments (id)
);

CREATE TABLE return_labels (
	return_id UUID NOT NULL, 
	carrier TEXT NOT NULL, 
	tracking TEXT NOT NULL, 
	free BOOLEAN NOT NULL, 
	send_until TIMESTAMP WITH TIME ZONE NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_return_labels PRIMARY KEY (return_id), 
	CONSTRAINT fk_return_labels_return_id FOREIGN KEY(return_id) REFERENCES return_requests (id), 
	CONSTRAINT uq_return_labels_tracking UNIQUE (tracking)
);

CREATE TABLE return_lines (
	id UUID NOT NULL, 
	return_id UUID NOT NULL, 
	order_line_id UUID NOT NULL, 
	variant_id UUID NOT NULL, 
	reason TEXT NOT NULL, 
	condition TEXT NOT NULL, 
	quantity BIGINT NOT NULL, 
	received BIGINT DEFAULT '0' NOT NULL, 
	inspected BIGINT DEFAULT '0' NOT NULL, 
	passed BIGINT DEFAULT '0' NOT NULL, 
	refunded BIGINT DEFAULT '0' NOT NULL, 
	exchanged BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_return_lines PRIMARY KEY (id), 
	CONSTRAINT uq_return_lines_return_id_order_line_id UNIQUE (return_id, order_line_id), 
	CONSTRAINT ck_return_lines_condition CHECK (condition in ('unopened', 'opened', 'used', 'damaged')), 
	CONSTRAINT ck_return_lines_quantity CHECK (quantity > 0), 
	CONSTRAINT ck_return_lines_received CHECK (received between 0 and quantity and inspected between 0 and received), 
	CONSTRAINT ck_return_lines_once CHECK (passed between 0 and inspected and refunded >= 0 and exchanged >= 0 and refunded + exchanged <= passed), 
	CONSTRAINT fk_return_lines_return_id FOREIGN KEY(return_id) REFERENCES return_requests (id), 
	CONSTRAINT fk_return_lines_order_line_id FOREIGN KEY(order_line_id) REFERENCES order_lines (id), 
	CONSTRAINT fk_return_lines_variant_id FOREIGN KEY(variant_id) REFERENCES product_variants (id), 
	CONSTRAINT fk_return_lines_reason FOREIGN KEY(reason) REFERENCES return_reasons (code)
);

CREATE TABLE return_exchanges (
	return_line_id UUID NOT NULL, 
	variant_id UUID NOT NULL, 
	unit_minor BIGINT NOT NULL, 
	difference BIGINT NOT NULL, 
	CONSTRAINT pk_return_exchanges PRIMARY KEY (return_line_id), 
	CONSTRAINT ck_return_exchanges_unit_minor CHECK (unit_minor >= 0), 
	CONSTRAINT fk_return_exchanges_return_line_id FOREIGN KEY(return_line_id) REFERENCES return_lines (id), 
	CONSTRAINT fk_return_exchanges_variant_id FOREIGN KEY(variant_id) REFERENCES product_variants (id)
);

CREATE TABLE return_inspections (
	id UUID NOT NULL, 
	return_line_id UUID NOT NULL, 
	quantity BIGINT NOT NULL, 
	condition TEXT NOT NULL, 
	passed BOOLEAN NOT NULL, 
	disposition TEXT NOT NULL, 
	note TEXT, 
	inspector TEXT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_return_inspections PRIMARY KEY (id), 
	CONSTRAINT ck_return_inspections_quantity CHECK (quantity > 0), 
	CONSTRAINT ck_return_inspections_condition CHECK (condition in ('unopened', 'opened', 'used', 'damaged')), 
	CONSTRAINT ck_return_inspections_disposition CHECK (disposition in ('restock', 'refurbish', 'write_off', 'send_back')), 
	CONSTRAINT ck_return_inspections_send_back CHECK (disposition <> 'send_back' or not passed), 
	CONSTRAINT fk_return_inspections_return_line_id FOREIGN KEY(return_line_id) REFERENCES return_lines (id)
);

CREATE TABLE return_dispositions (
	inspection_id UUID NOT NULL, 
	return_line_id UUID NOT NULL, 
	kind TEXT NOT NULL, 
	quantity BIGINT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_return_dispositions PRIMARY KEY (inspection_id), 
	CONSTRAINT fk_return_dispositions_inspection_id FOREIGN KEY(inspection_id) REFERENCES return_inspections (id), 
	CONSTRAINT fk_return_dispositions_return_line_id FOREIGN KEY(return_line_id) REFERENCES return_lines (id)
);

CREATE INDEX ix_return_policies_category_id ON return_policies (category_id);

CREATE INDEX ix_refunds_customer_id ON refunds (customer_id);

CREATE INDEX ix_refunds_gift_card_id ON refunds (gift_card_id);

CREATE INDEX ix_refunds_group_id ON refunds (group_id);

CREATE INDEX ix_refunds_guest_key ON refunds (guest_key) WHERE guest_key is not null;

CREATE INDEX ix_refunds_intent_id ON refunds (intent_id);

CREATE INDEX ix_refunds_merchant_id ON refunds (merchant_id);

CREATE INDEX ix_refunds_order_id ON refunds (order_id);

CREATE INDEX ix_shipments_merchant_id ON shipments (merchant_id);

CREATE INDEX ix_shipments_order_id ON shipments (order_id);

CREATE INDEX ix_refund_attempts_refund_id ON refund_attempts (refund_id);

CREATE INDEX ix_refund_lines_order_line_id ON refund_lines (order_line_id);

CREATE INDEX ix_return_claims_customer_id ON return_claims (customer_id);

CREATE INDEX ix_return_claims_group_id ON return_claims (group_id);

CREATE INDEX ix_return_claims_merchant_id ON return_claims (merchant_id);

CREATE INDEX ix_return_claims_order_id ON return_claims (order_id);

CREATE INDEX ix_return_claims_order_line_id ON return_claims (order_line_id);

CREATE INDEX ix_return_claims_refund_id ON return_claims (refund_id);

CREATE INDEX ix_return_requests_customer_id ON return_requests (customer_id);

CREATE INDEX ix_return_requests_gift_card_id ON return_requests (gift_card_id);

CREATE INDEX ix_return_requests_group_id ON return_requests (group_id);

CREATE INDEX ix_return_requests_merchant_id ON return_requests (merchant_id);

CREATE INDEX ix_return_requests_method_id ON return_requests (method_id);

CREATE INDEX ix_return_requests_order_id ON return_requests (order_id);

CREATE INDEX ix_return_requests_refund_id ON return_requests (refund_id);

CREATE UNIQUE INDEX uq_return_requests_one_per_order ON return_requests (order_id) WHERE exclusive and status not in ('rejected', 'cancelled');

CREATE INDEX ix_shipment_lines_order_line_id ON shipment_lines (order_line_id);

CREATE INDEX ix_tracking_events_shipment_id ON tracking_events (shipment_id);

CREATE INDEX ix_return_lines_order_line_id ON return_lines (order_line_id);

CREATE INDEX ix_return_lines_reason ON return_lines (reason);

CREATE INDEX ix_return_lines_variant_id ON return_lines (variant_id);

CREATE INDEX ix_return_exchanges_variant_id ON return_exchanges (variant_id);

CREATE INDEX ix_return_inspections_return_line_id ON return_inspections (return_line_id);

CREATE INDEX ix_return_dispositions_return_line_id ON return_dispositions (return_line_id);

alter table shipments enable row level security;

alter table shipments force row level security;

create policy shipments_visible on shipments using (current_setting('agora.staff', true) = 'on' or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]) or exists (select from orders o where o.id = order_id));

alter table shipment_lines enable row level security;

alter table shipment_lines force row level security;

create policy shipment_lines_visible on shipment_lines using (current_setting('agora.staff', true) = 'on' or exists (select from shipments s where s.id = shipment_id));

create policy shipment_lines_insert on shipment_lines for insert with check (true);

alter table tracking_events enable row level security;

alter table tracking_events force row level security;

create policy tracking_events_visible on tracking_events using (current_setting('agora.staff', true) = 'on' or exists (select from shipments s where s.id = shipment_id));

create policy tracking_events_insert on tracking_events for insert with check (true);

alter table refunds enable row level security;

alter table refunds force row level security;

create policy refunds_visible on refunds using (current_setting('agora.staff', true) = 'on' or customer_id = nullif(current_setting('agora.customer', true), '')::uuid or guest_key = decode(nullif(current_setting('agora.guest', true), ''), 'hex') or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table refund_lines enable row level security;

alter table refund_lines force row level security;

create policy refund_lines_visible on refund_lines using (current_setting('agora.staff', true) = 'on' or exists (select from refunds r where r.id = refund_id));

create policy refund_lines_insert on refund_lines for insert with check (true);

alter table refund_approvals enable row level security;

alter table refund_approvals force row level security;

create policy refund_approvals_visible on refund_approvals using (current_setting('agora.staff', true) = 'on' or exists (select from refunds r where r.id = refund_id));

create policy refund_approvals_insert on refund_approvals for insert with check (true);

alter table refund_attempts enable row level security;

alter table refund_attempts force row level security;

create policy refund_attempts_visible on refund_attempts using (current_setting('agora.staff', true) = 'on' or exists (select from refunds r where r.id = refund_id));

create policy refund_attempts_insert on refund_attempts for insert with check (true);

create function agora_refund_within_paid() returns trigger language plpgsql as $$
declare o orders; p payment_intents; given bigint; open bigint; line record;
begin
  if new.status in ('failed', 'rejected') then return null; end if;
  if tg_op = 'UPDATE' and old.status not in ('failed', 'rejected') and old.amount = new.amount then return null; end if;
  select * into o from orders where id = new.order_id for update;
  select * into p from payment_intents where id = new.intent_id;
  select coalesce(sum(amount), 0) into given from refunds
    where order_id = new.order_id and status not in ('failed', 'rejected');
  select coalesce(sum(amount), 0) into open from refunds
    where intent_id = new.intent_id and status not in ('failed', 'rejected', 'succeeded');
  if given > o.total or open > p.captured - p.refunded or p.reference_id <> new.group_id then
    raise exception 'refunds of order % exceed what was captured', o.number
      using errcode = 'check_violation', constraint = 'refunds_within_captured';
  end if;
  for line in
    select coalesce(b.subtotal - b.discount + case when o.tax_included then 0 else b.tax end, o.total - (
             select sum(g.subtotal - g.discount + case when o.tax_included then 0 else g.tax end)
             from order_lines g where g.order_id = o.id)) as paid,
           coalesce(b.quantity, 1) as units, sum(l.amount) as amount, sum(l.quantity) as quantity
    from refunds r join refund_lines l on l.refund_id = r.id left join order_lines b on b.id = l.order_line_id
    where r.order_id = o.id and r.status not in ('failed', 'rejected')
    group by b.id, b.subtotal, b.discount, b.tax, b.quantity
  loop
    if line.amount > line.paid or line.quantity > line.units then
      raise exception 'refunds of a line of order % exceed what was paid for it', o.number
        using errcode = 'check_violation', constraint = 'refunds_within_captured';
    end if;
  end loop;
  return null;
end $$;

create constraint trigger refunds_within_captured after insert or update of status, amount on refunds
for each row execute function agora_refund_within_paid();

create function agora_refund_adds_up() returns trigger language plpgsql as $$
declare r refunds; t bigint; foreign_lines bigint;
begin
  select * into r from refunds where id = coalesce((to_jsonb(new) ->> 'refund_id')::uuid, new.id);
  select coalesce(sum(l.amount), 0), count(*) filter (where b.order_id <> r.order_id) into t, foreign_lines
    from refund_lines l left join order_lines b on b.id = l.order_line_id where l.refund_id = r.id;
  if t <> r.amount or foreign_lines > 0 then
    raise exception 'refund % does not add up: % and lines %', r.id, r.amount, t
      using errcode = 'check_violation', constraint = 'refunds_add_up';
  end if;
  return null;
end $$;

create constraint trigger refunds_add_up after insert or update of amount on refunds
for each row execute function agora_refund_adds_up();

create constraint trigger refund_lines_add_up after insert on refund_lines
for each row execute function agora_refund_adds_up();

create function agora_refund_is_approved() returns trigger language plpgsql as $$
declare agreed bigint; refused bigint;
begin
  if new.status not in ('approved', 'sending', 'pending', 'succeeded') then return null; end if;
  select count(*) filter (where accept and subject <> new.requested_by), count(*) filter (where not accept)
    into agreed, refused from refund_approvals where refund_id = new.id;
  if agreed < new.needed or refused > 0 then
    raise exception 'refund % is not approved', new.id
      using errcode = 'check_violation', constraint = 'refunds_approved';
  end if;
  return null;
end $$;

create constraint trigger refunds_approved after insert or update of status, needed on refunds
for each row execute function agora_refund_is_approved();

insert into return_reasons (code, text, fault, active) values
  ('not_wanted', 'I do not want it any more', false, true),
  ('wrong_size', 'It does not fit', false, true),
  ('not_as_described', 'It is not as described', true, true),
  ('defective', 'It is defective', true, true),
  ('damaged', 'It arrived damaged', true, true),
  ('wrong_item', 'It is not what I ordered', true, true),
  ('late', 'It came too late', true, true);

alter table return_requests enable row level security;

alter table return_requests force row level security;

create policy return_requests_visible on return_requests using (current_setting('agora.staff', true) = 'on' or customer_id = nullif(current_setting('agora.customer', true), '')::uuid or guest_key = decode(nullif(current_setting('agora.guest', true), ''), 'hex') or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table return_claims enable row level security;

alter table return_claims force row level security;

create policy return_claims_visible on return_claims using (current_setting('agora.staff', true) = 'on' or customer_id = nullif(current_setting('agora.customer', true), '')::uuid or guest_key = decode(nullif(current_setting('agora.guest', true), ''), 'hex') or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table return_lines enable row level security;

alter table return_lines force row level security;

create policy return_lines_visible on return_lines using (current_setting('agora.staff', true) = 'on' or exists (select from return_requests r where r.id = return_id));

create policy return_lines_insert on return_lines for insert with check (true);

alter table return_labels enable row level security;

alter table return_labels force row level security;

create policy return_labels_visible on return_labels using (current_setting('agora.staff', true) = 'on' or exists (select from return_requests r where r.id = return_id));

create policy return_labels_insert on return_labels for insert with check (true);

alter table return_exchanges enable row level security;

alter table return_exchanges force row level security;

create policy return_exchanges_visible on return_exchanges using (current_setting('agora.staff', true) = 'on' or exists (select from return_lines l where l.id = return_line_id));

create policy return_exchanges_insert on return_exchanges for insert with check (true);

alter table return_inspections enable row level security;

alter table return_inspections force row level security;

create policy return_inspections_visible on return_inspections using (current_setting('agora.staff', true) = 'on' or exists (select from return_lines l where l.id = return_line_id));

create policy return_inspections_insert on return_inspections for insert with check (true);

alter table return_dispositions enable row level security;

alter table return_dispositions force row level security;

create policy return_dispositions_visible on return_dispositions using (current_setting('agora.staff', true) = 'on' or exists (select from return_lines l where l.id = return_line_id));

create policy return_dispositions_insert on return_dispositions for insert with check (true);

create function agora_return_within_delivered() returns trigger language plpgsql as $$
declare b order_lines; delivered boolean; units bigint; claimed bigint;
begin
  select * into b from order_lines where id = new.order_line_id for update;
  select status in ('delivered', 'completed') into delivered from orders where id = b.order_id;
  select coalesce(sum(case when r.status = 'completed' then l.received else l.quantity end), 0) into units
    from return_lines l join return_requests r on r.id = l.return_id
    where l.order_line_id = b.id and r.status not in ('rejected', 'cancelled');
  select coalesce(sum(quantity), 0) into claimed from return_claims
    where order_line_id = b.id and status <> 'rejected';
  if not coalesce(delivered, false) or units + claimed > b.shipped then
    raise exception 'more units of order line % come back than were delivered', b.id
      using errcode = 'check_violation', constraint = 'returns_within_delivered';
  end if;
  return null;
end $$;

create constraint trigger returns_within_delivered after insert or update of quantity on return_lines
for each row execute function agora_return_within_delivered();

create constraint trigger claims_within_delivered after insert or update of quantity on return_claims
for each row execute function agora_return_within_delivered();

create function agora_refunded_or_exchanged() returns trigger language plpgsql as $$
declare bought bigint; refunded bigint; swapped bigint;
begin
  select quantity into bought from order_lines where id = new.order_line_id for update;
  select coalesce(sum(l.quantity), 0) into refunded from refund_lines l join refunds r on r.id = l.refund_id
    where l.order_line_id = new.order_line_id and r.status not in ('failed', 'rejected');
  select coalesce(sum(exchanged), 0) into swapped from return_lines where order_line_id = new.order_line_id;
  if refunded + swapped > bought then
    raise exception 'units of order line % would be both exchanged and refunded', new.order_line_id
      using errcode = 'check_violation', constraint = 'refunded_or_exchanged';
  end if;
  return null;
end $$;

create constraint trigger refunded_or_exchanged after insert on refund_lines
for each row when (new.order_line_id is not null) execute function agora_refunded_or_exchanged();

create function agora_revived_or_exchanged() returns trigger language plpgsql as $$
begin
  if exists (select from refund_lines f join order_lines b on b.id = f.order_line_id
    where f.refund_id = new.id and b.quantity <
      (select coalesce(sum(l.quantity), 0) from refund_lines l join refunds r on r.id = l.refund_id
       where l.order_line_id = b.id and r.status not in ('failed', 'rejected'))
      + (select coalesce(sum(exchanged), 0) from return_lines where order_line_id = b.id)) then
    raise exception 'units of refund % were exchanged', new.id
      using errcode = 'check_violation', constraint = 'refunded_or_exchanged';
  end if;
  return null;
end $$;

create constraint trigger revived_or_exchanged after update of status on refunds
for each row when (old.status = 'failed' and new.status <> 'failed') execute function agora_revived_or_exchanged();

create constraint trigger exchanged_or_refunded after update of exchanged on return_lines
for each row when (new.exchanged > 0) execute function agora_refunded_or_exchanged();

alter table order_delivery_tracking enable row level security;

alter table order_delivery_tracking force row level security;

create policy order_delivery_tracking_visible on order_delivery_tracking using (current_setting('agora.staff', true) = 'on' or exists (select from orders o where o.id = order_id));

grant select, insert, update, delete on
  return_reasons,
  refund_policies,
  return_policies,
  order_delivery_tracking,
  refunds,
  shipments,
  refund_approvals,
  refund_attempts,
  refund_lines,
  return_claims,
  return_requests,
  shipment_lines,
  tracking_events,
  return_labels,
  return_lines,
  return_exchanges,
  return_inspections,
  return_dispositions to agora_app;

revoke update, delete, truncate on shipment_lines from agora_app;

revoke update, delete, truncate on tracking_events from agora_app;

revoke update, delete, truncate on refund_lines from agora_app;

revoke update, delete, truncate on refund_approvals from agora_app;

revoke update, delete, truncate on return_inspections from agora_app;

revoke update, delete, truncate on return_dispositions from agora_app;
