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

CREATE INDEX ix_shipment_lines_order_line_id ON shipment_lines (order_line_id);

CREATE INDEX ix_tracking_events_shipment_id ON tracking_events (shipment_id);

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

alter table order_delivery_tracking enable row level security;

alter table order_delivery_tracking force row level security;

create policy order_delivery_tracking_visible on order_delivery_tracking using (current_setting('agora.staff', true) = 'on' or exists (select from orders o where o.id = order_id));

grant select, insert, update, delete on
  refund_policies,
  order_delivery_tracking,
  refunds,
  shipments,
  refund_approvals,
  refund_attempts,
  refund_lines,
  shipment_lines,
  tracking_events to agora_app;

revoke update, delete, truncate on shipment_lines from agora_app;

revoke update, delete, truncate on tracking_events from agora_app;

revoke update, delete, truncate on refund_lines from agora_app;

revoke update, delete, truncate on refund_approvals from agora_app;
