alter table simulator_charges drop constraint ck_simulator_charges_status;

alter table simulator_charges add constraint ck_simulator_charges_status check (status in ('authorised', 'declined', 'requires_action', 'credited'));

alter table warehouse_tasks drop constraint ck_warehouse_tasks_status;

alter table warehouse_tasks add constraint ck_warehouse_tasks_status check (status in ('open', 'held', 'done', 'cancelled'));

alter table payment_intents add column refunding bigint default '0' not null;

alter table payment_intents add column purpose text default 'purchase' not null;

alter table payment_intents drop constraint uq_payment_intents_reference_id;

alter table payment_intents drop constraint ck_payment_intents_refunded;

alter table payment_intents add constraint ck_payment_intents_refunded check (refunded >= 0 and refunding >= 0 and refunded + refunding <= captured);

alter table payment_intents add constraint ck_payment_intents_purpose check (purpose in ('purchase', 'items', 'payment'));

create table channel_policies (
  id uuid not null,
  channel_id uuid not null,
  policy jsonb not null,
  actor text not null,
  at timestamp with time zone not null,
  constraint pk_channel_policies primary key (id),
  constraint fk_channel_policies_channel_id foreign key(channel_id) references channels (id)
);

create table order_holds (
  id uuid not null,
  order_id uuid not null,
  reason text not null,
  actor text not null,
  placed_at timestamp with time zone not null,
  released_at timestamp with time zone,
  released_by text,
  constraint pk_order_holds primary key (id),
  constraint ck_order_holds_released check ((released_at is null) = (released_by is null)),
  constraint fk_order_holds_order_id foreign key(order_id) references orders (id)
);

create table order_modifications (
  id uuid not null,
  group_id uuid not null,
  order_id uuid not null,
  kind text not null,
  status text not null,
  reason text,
  method_id uuid,
  difference bigint not null,
  currency text not null,
  actor text not null,
  failure text,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint pk_order_modifications primary key (id),
  constraint ck_order_modifications_kind check (kind in ('items', 'payment', 'address', 'cancel_lines')),
  constraint ck_order_modifications_status check (status in ('requested', 'applied', 'failed')),
  constraint ck_order_modifications_failure check ((status = 'failed') = (failure is not null)),
  constraint fk_order_modifications_group_id foreign key(group_id) references order_groups (id),
  constraint fk_order_modifications_order_id foreign key(order_id) references orders (id),
  constraint fk_order_modifications_method_id foreign key(method_id) references payment_methods (id)
);

create table order_notes (
  id uuid not null,
  order_id uuid not null,
  text text not null,
  for_customer boolean not null,
  author text not null,
  at timestamp with time zone not null,
  constraint pk_order_notes primary key (id),
  constraint fk_order_notes_order_id foreign key(order_id) references orders (id)
);

create table order_splits (
  order_id uuid not null,
  location_id uuid not null,
  units bigint not null,
  split_at timestamp with time zone not null,
  constraint pk_order_splits primary key (order_id, location_id),
  constraint fk_order_splits_order_id foreign key(order_id) references orders (id),
  constraint fk_order_splits_location_id foreign key(location_id) references inventory_locations (id)
);

create table order_tags (
  order_id uuid not null,
  tag text not null,
  actor text not null,
  at timestamp with time zone not null,
  constraint pk_order_tags primary key (order_id, tag),
  constraint fk_order_tags_order_id foreign key(order_id) references orders (id)
);

create table payment_refunds (
  id uuid not null,
  intent_id uuid not null,
  reference_id uuid not null,
  cause text not null,
  amount bigint not null,
  currency text not null,
  method_id uuid,
  gift_card_id uuid,
  status text not null,
  gateway_reference text,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint pk_payment_refunds primary key (id),
  constraint ck_payment_refunds_amount check (amount > 0),
  constraint ck_payment_refunds_status check (status in ('promised', 'done', 'dropped')),
  constraint fk_payment_refunds_intent_id foreign key(intent_id) references payment_intents (id),
  constraint uq_payment_refunds_cause unique (cause),
  constraint fk_payment_refunds_method_id foreign key(method_id) references payment_methods (id),
  constraint fk_payment_refunds_gift_card_id foreign key(gift_card_id) references payment_gift_cards (id)
);

create table order_fulfillment_plans (
  order_line_id uuid not null,
  location_id uuid not null,
  order_id uuid not null,
  quantity bigint not null,
  shipped bigint not null,
  planned_at timestamp with time zone not null,
  constraint pk_order_fulfillment_plans primary key (order_line_id, location_id),
  constraint ck_order_fulfillment_plans_quantities check (quantity > 0 and shipped between 0 and quantity),
  constraint fk_order_fulfillment_plans_order_line_id foreign key(order_line_id) references order_lines (id),
  constraint fk_order_fulfillment_plans_location_id foreign key(location_id) references inventory_locations (id),
  constraint fk_order_fulfillment_plans_order_id foreign key(order_id) references orders (id)
);

create table order_modification_lines (
  modification_id uuid not null,
  position bigint not null,
  order_line_id uuid not null,
  quantity bigint not null,
  variant_id uuid not null,
  sku text not null,
  options jsonb not null,
  unit_minor bigint not null,
  new_variant_id uuid,
  new_sku text,
  new_options jsonb,
  new_unit_minor bigint,
  amount bigint not null,
  constraint pk_order_modification_lines primary key (modification_id, position),
  constraint ck_order_modification_lines_quantity check (quantity > 0),
  constraint ck_order_modification_lines_differs check (new_variant_id <> variant_id),
  constraint ck_order_modification_lines_replacement check ((new_variant_id is null) = (new_unit_minor is null)),
  constraint fk_order_modification_lines_modification_id foreign key(modification_id) references order_modifications (id),
  constraint fk_order_modification_lines_order_line_id foreign key(order_line_id) references order_lines (id),
  constraint fk_order_modification_lines_variant_id foreign key(variant_id) references product_variants (id),
  constraint fk_order_modification_lines_new_variant_id foreign key(new_variant_id) references product_variants (id)
);

create table order_partial_shipments (
  parcel_id uuid not null,
  order_line_id uuid not null,
  order_id uuid not null,
  location_id uuid not null,
  quantity bigint not null,
  carrier text,
  tracking_number text,
  actor text not null,
  at timestamp with time zone not null,
  constraint pk_order_partial_shipments primary key (parcel_id, order_line_id),
  constraint ck_order_partial_shipments_quantity check (quantity > 0),
  constraint fk_order_partial_shipments_order_line_id foreign key(order_line_id) references order_lines (id),
  constraint fk_order_partial_shipments_order_id foreign key(order_id) references orders (id),
  constraint fk_order_partial_shipments_location_id foreign key(location_id) references inventory_locations (id)
);

alter table order_lines add column refunded bigint default '0' not null;

alter table order_lines add column modification_id uuid;

alter table order_lines add constraint ck_order_lines_refunded check (refunded between 0 and subtotal - discount + tax);

alter table order_lines add constraint fk_order_lines_modification_id foreign key (modification_id) references order_modifications (id);

create index ix_channel_policies_channel_id on channel_policies (channel_id);

create index ix_payment_intents_reference_id on payment_intents (reference_id);

create unique index uq_payment_intents_purchase on payment_intents (reference_id) where purpose = 'purchase';

create unique index ix_order_holds_open on order_holds (order_id) where released_at is null;

create index ix_order_holds_order_id on order_holds (order_id);

create index ix_order_modifications_group_id on order_modifications (group_id);

create index ix_order_modifications_method_id on order_modifications (method_id);

create unique index ix_order_modifications_open on order_modifications (group_id) where status = 'requested';

create index ix_order_modifications_order_id on order_modifications (order_id);

create index ix_order_notes_order_id on order_notes (order_id);

create index ix_order_splits_location_id on order_splits (location_id);

create index ix_payment_refunds_gift_card_id on payment_refunds (gift_card_id);

create index ix_payment_refunds_intent_id on payment_refunds (intent_id);

create index ix_payment_refunds_method_id on payment_refunds (method_id);

create index ix_payment_refunds_reference_id on payment_refunds (reference_id);

create index ix_order_lines_modification_id on order_lines (modification_id) where modification_id is not null;

create index ix_order_fulfillment_plans_location_id on order_fulfillment_plans (location_id);

create index ix_order_fulfillment_plans_order_id on order_fulfillment_plans (order_id);

create index ix_order_modification_lines_new_variant_id on order_modification_lines (new_variant_id);

create index ix_order_modification_lines_order_line_id on order_modification_lines (order_line_id);

create index ix_order_modification_lines_variant_id on order_modification_lines (variant_id);

create index ix_order_partial_shipments_location_id on order_partial_shipments (location_id);

create index ix_order_partial_shipments_order_id on order_partial_shipments (order_id);

create index ix_order_partial_shipments_order_line_id on order_partial_shipments (order_line_id);

alter table order_modifications enable row level security;

alter table order_modifications force row level security;

create policy order_modifications_visible on order_modifications using (current_setting('agora.staff', true) = 'on' or exists (select from orders o where o.id = order_id));

alter table order_modification_lines enable row level security;

alter table order_modification_lines force row level security;

create policy order_modification_lines_visible on order_modification_lines using (current_setting('agora.staff', true) = 'on' or exists (select from order_modifications m where m.id = modification_id));

alter table order_notes enable row level security;

alter table order_notes force row level security;

create policy order_notes_visible on order_notes using (current_setting('agora.staff', true) = 'on' or (for_customer and exists (select from orders o where o.id = order_id)) or exists (select from orders o where o.id = order_id and o.merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[])));

alter table order_tags enable row level security;

alter table order_tags force row level security;

create policy order_tags_visible on order_tags using (current_setting('agora.staff', true) = 'on' or exists (select from orders o where o.id = order_id and o.merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[])));

alter table order_holds enable row level security;

alter table order_holds force row level security;

create policy order_holds_visible on order_holds using (current_setting('agora.staff', true) = 'on' or exists (select from orders o where o.id = order_id));

alter table order_fulfillment_plans enable row level security;

alter table order_fulfillment_plans force row level security;

create policy order_fulfillment_plans_visible on order_fulfillment_plans using (current_setting('agora.staff', true) = 'on' or exists (select from orders o where o.id = order_id));

alter table order_splits enable row level security;

alter table order_splits force row level security;

create policy order_splits_visible on order_splits using (current_setting('agora.staff', true) = 'on' or exists (select from orders o where o.id = order_id));

alter table order_partial_shipments enable row level security;

alter table order_partial_shipments force row level security;

create policy order_partial_shipments_visible on order_partial_shipments using (current_setting('agora.staff', true) = 'on' or exists (select from orders o where o.id = order_id));

create function agora_lines_add_up() returns trigger language plpgsql as $$
declare s bigint; d bigint; o orders;
begin
  select * into o from orders where id = new.order_id;
  select coalesce(sum(subtotal), 0), coalesce(sum(discount), 0) into s, d from order_lines where order_id = o.id;
  if s <> o.subtotal or d <> o.discount then
    raise exception 'order % does not add up: % and %, lines % and %', o.number, o.subtotal, o.discount, s, d
      using errcode = 'check_violation', constraint = 'orders_add_up';
  end if;
  return null;
end $$;

create constraint trigger order_lines_add_up after update of subtotal, discount on order_lines
deferrable initially deferred for each row execute function agora_lines_add_up();

create or replace function agora_line_is_snapshot() returns trigger language plpgsql as $$
begin
  if new.order_id = old.order_id and new.modification_id is distinct from old.modification_id and exists (
    select from order_modifications m
    where m.id = new.modification_id and m.order_id = new.order_id and m.kind = 'items' and m.status = 'requested') then
    return new;
  end if;
  raise exception 'the price, tax and product of an order line are a snapshot'
    using errcode = 'check_violation', constraint = 'order_lines_snapshot';
end $$;

alter table payment_refunds enable row level security;

alter table payment_refunds force row level security;

create policy payment_refunds_visible on payment_refunds using (current_setting('agora.staff', true) = 'on' or exists (select from payment_intents i where i.id = intent_id));

grant select, insert, update, delete on
  channel_policies,
  order_holds,
  order_modifications,
  order_notes,
  order_splits,
  order_tags,
  payment_refunds,
  order_fulfillment_plans,
  order_modification_lines,
  order_partial_shipments to agora_app;

revoke update, delete, truncate on channel_policies from agora_app;

revoke update, delete, truncate on order_modification_lines from agora_app;

revoke update, delete, truncate on order_notes from agora_app;

revoke update, delete, truncate on order_partial_shipments from agora_app;
