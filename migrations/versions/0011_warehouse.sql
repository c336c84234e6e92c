alter table warehouse_picking_lines add column packed bigint default '0' not null;

alter table warehouse_picking_lines add constraint ck_warehouse_picking_lines_packed check (packed between 0 and picked);

alter table inventory_locations add column binned boolean default 'false' not null;

alter table inventory_levels add column short bigint default '0' not null;

alter table inventory_levels add column binned boolean default 'false' not null;

alter table inventory_levels drop constraint ck_inventory_levels_signs;

alter table inventory_levels add constraint ck_inventory_levels_signs check (reserved >= 0 and allocated >= 0 and backorder_limit >= 0 and safety_stock >= 0 and short >= 0);

alter table inventory_levels drop constraint ck_inventory_levels_promised;

alter table inventory_levels add constraint ck_inventory_levels_promised check (reserved + allocated <= on_hand + backorder_limit + short);

alter table inventory_levels add constraint uq_inventory_levels_id_location_id unique (id, location_id);

alter table inventory_movements drop constraint ck_inventory_movements_kind;

alter table inventory_movements add constraint ck_inventory_movements_kind check (kind in ('receive', 'adjust', 'hold', 'release', 'allocate', 'sell', 'return', 'transfer'));;

CREATE TABLE warehouses (
	location_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	variance_most BIGINT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_warehouses PRIMARY KEY (location_id), 
	CONSTRAINT ck_warehouses_variance_most CHECK (variance_most >= 0), 
	CONSTRAINT fk_warehouses_location_id FOREIGN KEY(location_id) REFERENCES inventory_locations (id), 
	CONSTRAINT fk_warehouses_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE TABLE warehouse_cycle_counts (
	id UUID NOT NULL, 
	location_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	kind TEXT NOT NULL, 
	status TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	opened_by TEXT NOT NULL, 
	opened_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	entered_by TEXT, 
	entered_at TIMESTAMP WITH TIME ZONE, 
	decided_by TEXT, 
	decided_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT pk_warehouse_cycle_counts PRIMARY KEY (id), 
	CONSTRAINT ck_warehouse_cycle_counts_kind CHECK (kind in ('cycle', 'short_pick', 'adjust')), 
	CONSTRAINT ck_warehouse_cycle_counts_status CHECK (status in ('open', 'waiting', 'applied', 'rejected')), 
	CONSTRAINT ck_warehouse_cycle_counts_second_person CHECK (decided_by <> entered_by), 
	CONSTRAINT ck_warehouse_cycle_counts_entered_by CHECK ((status = 'open') = (entered_by is null)), 
	CONSTRAINT fk_warehouse_cycle_counts_location_id FOREIGN KEY(location_id) REFERENCES warehouses (location_id), 
	CONSTRAINT fk_warehouse_cycle_counts_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE TABLE warehouse_labor (
	id UUID NOT NULL, 
	location_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	actor TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	reference_id UUID NOT NULL, 
	lines BIGINT NOT NULL, 
	units BIGINT NOT NULL, 
	started_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	ended_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_warehouse_labor PRIMARY KEY (id), 
	CONSTRAINT ck_warehouse_labor_kind CHECK (kind in ('pick', 'count')), 
	CONSTRAINT ck_warehouse_labor_signs CHECK (lines >= 0 and units >= 0 and ended_at >= started_at), 
	CONSTRAINT uq_warehouse_labor_reference_id_actor UNIQUE (reference_id, actor), 
	CONSTRAINT fk_warehouse_labor_location_id FOREIGN KEY(location_id) REFERENCES warehouses (location_id), 
	CONSTRAINT fk_warehouse_labor_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE TABLE warehouse_receiving_orders (
	id UUID NOT NULL, 
	location_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	reference TEXT NOT NULL, 
	status TEXT NOT NULL, 
	opened_by TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	closed_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT pk_warehouse_receiving_orders PRIMARY KEY (id), 
	CONSTRAINT ck_warehouse_receiving_orders_status CHECK (status in ('open', 'closed')), 
	CONSTRAINT ck_warehouse_receiving_orders_closed_at CHECK ((status = 'closed') = (closed_at is not null)), 
	CONSTRAINT uq_warehouse_receiving_orders_merchant_id_reference UNIQUE (merchant_id, reference), 
	CONSTRAINT fk_warehouse_receiving_orders_location_id FOREIGN KEY(location_id) REFERENCES warehouses (location_id), 
	CONSTRAINT fk_warehouse_receiving_orders_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE TABLE warehouse_transfers (
	id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	variant_id UUID NOT NULL, 
	from_location UUID NOT NULL, 
	to_location UUID NOT NULL, 
	quantity BIGINT NOT NULL, 
	received BIGINT, 
	status TEXT NOT NULL, 
	sent_by TEXT NOT NULL, 
	sent_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	received_by TEXT, 
	received_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT pk_warehouse_transfers PRIMARY KEY (id), 
	CONSTRAINT ck_warehouse_transfers_status CHECK (status in ('sent', 'received')), 
	CONSTRAINT ck_warehouse_transfers_units CHECK (quantity > 0 and received between 0 and quantity), 
	CONSTRAINT ck_warehouse_transfers_received CHECK ((status = 'received') = (received is not null)), 
	CONSTRAINT ck_warehouse_transfers_places CHECK (from_location <> to_location), 
	CONSTRAINT fk_warehouse_transfers_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id), 
	CONSTRAINT fk_warehouse_transfers_variant_id FOREIGN KEY(variant_id) REFERENCES product_variants (id), 
	CONSTRAINT fk_warehouse_transfers_from_location FOREIGN KEY(from_location) REFERENCES inventory_locations (id), 
	CONSTRAINT fk_warehouse_transfers_to_location FOREIGN KEY(to_location) REFERENCES inventory_locations (id)
);

CREATE TABLE warehouse_waves (
	id UUID NOT NULL, 
	location_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	status TEXT NOT NULL, 
	length BIGINT NOT NULL, 
	picker TEXT, 
	created_by TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	started_at TIMESTAMP WITH TIME ZONE, 
	done_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT pk_warehouse_waves PRIMARY KEY (id), 
	CONSTRAINT ck_warehouse_waves_status CHECK (status in ('open', 'started', 'done', 'cancelled')), 
	CONSTRAINT ck_warehouse_waves_picker CHECK ((status in ('started', 'done')) = (picker is not null)), 
	CONSTRAINT ck_warehouse_waves_signs CHECK (length >= 0 and done_at >= started_at), 
	CONSTRAINT fk_warehouse_waves_location_id FOREIGN KEY(location_id) REFERENCES warehouses (location_id), 
	CONSTRAINT fk_warehouse_waves_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE TABLE warehouse_zones (
	id UUID NOT NULL, 
	location_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	code TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	CONSTRAINT pk_warehouse_zones PRIMARY KEY (id), 
	CONSTRAINT ck_warehouse_zones_kind CHECK (kind in ('shelf', 'dock', 'returns', 'staging')), 
	CONSTRAINT uq_warehouse_zones_location_id_code UNIQUE (location_id, code), 
	CONSTRAINT uq_warehouse_zones_id_location_id UNIQUE (id, location_id), 
	CONSTRAINT fk_warehouse_zones_location_id FOREIGN KEY(location_id) REFERENCES warehouses (location_id), 
	CONSTRAINT fk_warehouse_zones_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE TABLE warehouse_bins (
	id UUID NOT NULL, 
	zone_id UUID NOT NULL, 
	location_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	order_id UUID, 
	code TEXT NOT NULL, 
	aisle BIGINT NOT NULL, 
	bay BIGINT NOT NULL, 
	level BIGINT NOT NULL, 
	active BOOLEAN NOT NULL, 
	CONSTRAINT pk_warehouse_bins PRIMARY KEY (id), 
	CONSTRAINT fk_warehouse_bins_zone_id_location_id FOREIGN KEY(zone_id, location_id) REFERENCES warehouse_zones (id, location_id), 
	CONSTRAINT ck_warehouse_bins_position CHECK (aisle >= 0 and bay >= 0 and level >= 0), 
	CONSTRAINT uq_warehouse_bins_location_id_code UNIQUE (location_id, code), 
	CONSTRAINT uq_warehouse_bins_id_location_id UNIQUE (id, location_id), 
	CONSTRAINT fk_warehouse_bins_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id), 
	CONSTRAINT fk_warehouse_bins_order_id FOREIGN KEY(order_id) REFERENCES warehouse_tasks (order_id)
);

CREATE TABLE warehouse_packages (
	id UUID NOT NULL, 
	order_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	status TEXT NOT NULL, 
	weight_g BIGINT NOT NULL, 
	length_mm BIGINT NOT NULL, 
	width_mm BIGINT NOT NULL, 
	height_mm BIGINT NOT NULL, 
	actor TEXT NOT NULL, 
	packed_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	sent_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT pk_warehouse_packages PRIMARY KEY (id), 
	CONSTRAINT ck_warehouse_packages_status CHECK (status in ('open', 'sealed', 'sent', 'cancelled')), 
	CONSTRAINT ck_warehouse_packages_measures CHECK (weight_g > 0 and length_mm > 0 and width_mm > 0 and height_mm > 0), 
	CONSTRAINT ck_warehouse_packages_sent_at CHECK ((status = 'sent') = (sent_at is not null)), 
	CONSTRAINT uq_warehouse_packages_id_order_id UNIQUE (id, order_id), 
	CONSTRAINT fk_warehouse_packages_order_id FOREIGN KEY(order_id) REFERENCES warehouse_tasks (order_id), 
	CONSTRAINT fk_warehouse_packages_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE TABLE warehouse_receiving_lines (
	receiving_id UUID NOT NULL, 
	variant_id UUID NOT NULL, 
	expected BIGINT NOT NULL, 
	received BIGINT NOT NULL, 
	CONSTRAINT pk_warehouse_receiving_lines PRIMARY KEY (receiving_id, variant_id), 
	CONSTRAINT ck_warehouse_receiving_lines_signs CHECK (expected >= 0 and received >= 0), 
	CONSTRAINT fk_warehouse_receiving_lines_receiving_id FOREIGN KEY(receiving_id) REFERENCES warehouse_receiving_orders (id), 
	CONSTRAINT fk_warehouse_receiving_lines_variant_id FOREIGN KEY(variant_id) REFERENCES product_variants (id)
);

CREATE TABLE warehouse_bin_stock (
	bin_id UUID NOT NULL, 
	level_id UUID NOT NULL, 
	location_id UUID NOT NULL, 
	quantity BIGINT NOT NULL, 
	CONSTRAINT pk_warehouse_bin_stock PRIMARY KEY (bin_id, level_id), 
	CONSTRAINT fk_warehouse_bin_stock_bin_id_location_id FOREIGN KEY(bin_id, location_id) REFERENCES warehouse_bins (id, location_id), 
	CONSTRAINT fk_warehouse_bin_stock_level_id_location_id FOREIGN KEY(level_id, location_id) REFERENCES inventory_levels (id, location_id), 
	CONSTRAINT ck_warehouse_bin_stock_quantity CHECK (quantity >= 0)
);

CREATE TABLE warehouse_cycle_count_lines (
	count_id UUID NOT NULL, 
	bin_id UUID NOT NULL, 
	level_id UUID NOT NULL, 
	expected BIGINT, 
	counted BIGINT, 
	CONSTRAINT pk_warehouse_cycle_count_lines PRIMARY KEY (count_id, bin_id, level_id), 
	CONSTRAINT ck_warehouse_cycle_count_lines_signs CHECK (expected >= 0 and counted >= 0), 
	CONSTRAINT ck_warehouse_cycle_count_lines_entered CHECK ((expected is null) = (counted is null)), 
	CONSTRAINT fk_warehouse_cycle_count_lines_count_id FOREIGN KEY(count_id) REFERENCES warehouse_cycle_counts (id), 
	CONSTRAINT fk_warehouse_cycle_count_lines_bin_id FOREIGN KEY(bin_id) REFERENCES warehouse_bins (id), 
	CONSTRAINT fk_warehouse_cycle_count_lines_level_id FOREIGN KEY(level_id) REFERENCES inventory_levels (id)
);

CREATE TABLE warehouse_moves (
	id UUID NOT NULL, 
	level_id UUID NOT NULL, 
	from_bin UUID, 
	to_bin UUID, 
	quantity BIGINT NOT NULL, 
	kind TEXT NOT NULL, 
	reference_id UUID, 
	actor TEXT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_warehouse_moves PRIMARY KEY (id), 
	CONSTRAINT ck_warehouse_moves_kind CHECK (kind in ('open', 'receive', 'put_away', 'move', 'pick', 'ship', 'return', 'count', 'transfer')), 
	CONSTRAINT ck_warehouse_moves_quantity CHECK (quantity > 0 and from_bin is distinct from to_bin), 
	CONSTRAINT fk_warehouse_moves_level_id FOREIGN KEY(level_id) REFERENCES inventory_levels (id), 
	CONSTRAINT fk_warehouse_moves_from_bin FOREIGN KEY(from_bin) REFERENCES warehouse_bins (id), 
	CONSTRAINT fk_warehouse_moves_to_bin FOREIGN KEY(to_bin) REFERENCES warehouse_bins (id)
)
 PARTITION BY RANGE (id);

CREATE TABLE warehouse_putaway_tasks (
	id UUID NOT NULL, 
	location_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	level_id UUID NOT NULL, 
	from_bin UUID NOT NULL, 
	to_bin UUID NOT NULL, 
	quantity BIGINT NOT NULL, 
	status TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_warehouse_putaway_tasks PRIMARY KEY (id), 
	CONSTRAINT ck_warehouse_putaway_tasks_status CHECK (status in ('open', 'done', 'cancelled')), 
	CONSTRAINT ck_warehouse_putaway_tasks_quantity CHECK (quantity > 0), 
	CONSTRAINT fk_warehouse_putaway_tasks_location_id FOREIGN KEY(location_id) REFERENCES warehouses (location_id), 
	CONSTRAINT fk_warehouse_putaway_tasks_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id), 
	CONSTRAINT fk_warehouse_putaway_tasks_level_id FOREIGN KEY(level_id) REFERENCES inventory_levels (id), 
	CONSTRAINT fk_warehouse_putaway_tasks_from_bin FOREIGN KEY(from_bin) REFERENCES warehouse_bins (id), 
	CONSTRAINT fk_warehouse_putaway_tasks_to_bin FOREIGN KEY(to_bin) REFERENCES warehouse_bins (id)
);

CREATE TABLE warehouse_package_lines (
	package_id UUID NOT NULL, 
	order_line_id UUID NOT NULL, 
	order_id UUID NOT NULL, 
	quantity BIGINT NOT NULL, 
	CONSTRAINT pk_warehouse_package_lines PRIMARY KEY (package_id, order_line_id), 
	CONSTRAINT fk_warehouse_package_lines_package_id_order_id FOREIGN KEY(package_id, order_id) REFERENCES warehouse_packages (id, order_id), 
	CONSTRAINT ck_warehouse_package_lines_quantity CHECK (quantity > 0), 
	CONSTRAINT fk_warehouse_package_lines_order_line_id FOREIGN KEY(order_line_id) REFERENCES warehouse_picking_lines (order_line_id)
);

CREATE TABLE warehouse_picking_lists (
	wave_id UUID NOT NULL, 
	position BIGINT NOT NULL, 
	bin_id UUID NOT NULL, 
	level_id UUID NOT NULL, 
	order_id UUID NOT NULL, 
	order_line_id UUID NOT NULL, 
	quantity BIGINT NOT NULL, 
	picked BIGINT NOT NULL, 
	status TEXT NOT NULL, 
	CONSTRAINT pk_warehouse_picking_lists PRIMARY KEY (wave_id, position), 
	CONSTRAINT ck_warehouse_picking_lists_status CHECK (status in ('open', 'picked', 'short')), 
	CONSTRAINT ck_warehouse_picking_lists_picked CHECK (quantity > 0 and picked between 0 and quantity), 
	CONSTRAINT ck_warehouse_picking_lists_whole CHECK (status <> 'picked' or picked = quantity), 
	CONSTRAINT fk_warehouse_picking_lists_wave_id FOREIGN KEY(wave_id) REFERENCES warehouse_waves (id), 
	CONSTRAINT fk_warehouse_picking_lists_bin_id FOREIGN KEY(bin_id) REFERENCES warehouse_bins (id), 
	CONSTRAINT fk_warehouse_picking_lists_level_id FOREIGN KEY(level_id) REFERENCES inventory_levels (id), 
	CONSTRAINT fk_warehouse_picking_lists_order_id FOREIGN KEY(order_id) REFERENCES warehouse_tasks (order_id), 
	CONSTRAINT fk_warehouse_picking_lists_order_line_id FOREIGN KEY(order_line_id) REFERENCES warehouse_picking_lines (order_line_id)
);

CREATE TABLE warehouse_short_picks (
	id UUID NOT NULL, 
	order_id UUID NOT NULL, 
	order_line_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	bin_id UUID NOT NULL, 
	level_id UUID NOT NULL, 
	wanted BIGINT NOT NULL, 
	found BIGINT NOT NULL, 
	elsewhere BIGINT NOT NULL, 
	relocated BIGINT NOT NULL, 
	backordered BIGINT NOT NULL, 
	actor TEXT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_warehouse_short_picks PRIMARY KEY (id), 
	CONSTRAINT ck_warehouse_short_picks_signs CHECK (elsewhere >= 0 and relocated >= 0 and backordered >= 0 and found >= 0), 
	CONSTRAINT ck_warehouse_short_picks_missing CHECK (wanted > found and elsewhere + relocated + backordered > 0), 
	CONSTRAINT fk_warehouse_short_picks_order_id FOREIGN KEY(order_id) REFERENCES warehouse_tasks (order_id), 
	CONSTRAINT fk_warehouse_short_picks_order_line_id FOREIGN KEY(order_line_id) REFERENCES warehouse_picking_lines (order_line_id), 
	CONSTRAINT fk_warehouse_short_picks_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id), 
	CONSTRAINT fk_warehouse_short_picks_bin_id FOREIGN KEY(bin_id) REFERENCES warehouse_bins (id), 
	CONSTRAINT fk_warehouse_short_picks_level_id FOREIGN KEY(level_id) REFERENCES inventory_levels (id)
);

CREATE INDEX ix_warehouses_merchant_id ON warehouses (merchant_id);

CREATE INDEX ix_warehouse_cycle_counts_location_id ON warehouse_cycle_counts (location_id);

CREATE INDEX ix_warehouse_cycle_counts_merchant_id ON warehouse_cycle_counts (merchant_id);

CREATE INDEX ix_warehouse_labor_location_id ON warehouse_labor (location_id, ended_at);

CREATE INDEX ix_warehouse_labor_merchant_id ON warehouse_labor (merchant_id);

CREATE INDEX ix_warehouse_receiving_orders_location_id ON warehouse_receiving_orders (location_id);

CREATE INDEX ix_warehouse_transfers_from_location ON warehouse_transfers (from_location);

CREATE INDEX ix_warehouse_transfers_merchant_id ON warehouse_transfers (merchant_id);

CREATE INDEX ix_warehouse_transfers_to_location ON warehouse_transfers (to_location);

CREATE INDEX ix_warehouse_transfers_variant_id ON warehouse_transfers (variant_id);

CREATE INDEX ix_warehouse_waves_location_id ON warehouse_waves (location_id);

CREATE INDEX ix_warehouse_waves_merchant_id ON warehouse_waves (merchant_id);

CREATE INDEX ix_warehouse_zones_merchant_id ON warehouse_zones (merchant_id);

CREATE INDEX ix_warehouse_bins_merchant_id ON warehouse_bins (merchant_id);

CREATE INDEX ix_warehouse_bins_order_id ON warehouse_bins (order_id);

CREATE INDEX ix_warehouse_bins_zone_id_location_id ON warehouse_bins (zone_id, location_id);

CREATE UNIQUE INDEX uq_warehouse_bins_tote ON warehouse_bins (location_id, order_id) WHERE order_id is not null;

CREATE INDEX ix_warehouse_packages_merchant_id ON warehouse_packages (merchant_id);

CREATE INDEX ix_warehouse_packages_order_id ON warehouse_packages (order_id);

CREATE INDEX ix_warehouse_receiving_lines_variant_id ON warehouse_receiving_lines (variant_id);

CREATE INDEX ix_warehouse_bin_stock_bin_id_location_id ON warehouse_bin_stock (bin_id, location_id);

CREATE INDEX ix_warehouse_bin_stock_level_id_location_id ON warehouse_bin_stock (level_id, location_id);

CREATE INDEX ix_warehouse_cycle_count_lines_bin_id ON warehouse_cycle_count_lines (bin_id);

CREATE INDEX ix_warehouse_cycle_count_lines_level_id ON warehouse_cycle_count_lines (level_id);

CREATE INDEX ix_warehouse_moves_from_bin ON warehouse_moves (from_bin);

CREATE INDEX ix_warehouse_moves_level_id ON warehouse_moves (level_id);

CREATE INDEX ix_warehouse_moves_to_bin ON warehouse_moves (to_bin);

CREATE INDEX ix_warehouse_putaway_tasks_from_bin ON warehouse_putaway_tasks (from_bin);

CREATE INDEX ix_warehouse_putaway_tasks_level_id ON warehouse_putaway_tasks (level_id);

CREATE INDEX ix_warehouse_putaway_tasks_location_id ON warehouse_putaway_tasks (location_id);

CREATE INDEX ix_warehouse_putaway_tasks_merchant_id ON warehouse_putaway_tasks (merchant_id);

CREATE INDEX ix_warehouse_putaway_tasks_open ON warehouse_putaway_tasks (location_id) WHERE status = 'open';

CREATE INDEX ix_warehouse_putaway_tasks_to_bin ON warehouse_putaway_tasks (to_bin);

CREATE INDEX ix_warehouse_package_lines_order_line_id ON warehouse_package_lines (order_line_id);

CREATE INDEX ix_warehouse_package_lines_package_id_order_id ON warehouse_package_lines (package_id, order_id);

CREATE INDEX ix_warehouse_picking_lists_bin_id ON warehouse_picking_lists (bin_id);

CREATE INDEX ix_warehouse_picking_lists_level_id ON warehouse_picking_lists (level_id);

CREATE INDEX ix_warehouse_picking_lists_order_id ON warehouse_picking_lists (order_id);

CREATE INDEX ix_warehouse_picking_lists_order_line_id ON warehouse_picking_lists (order_line_id);

CREATE UNIQUE INDEX uq_warehouse_picking_lists_open ON warehouse_picking_lists (order_line_id, bin_id) WHERE status = 'open';

CREATE INDEX ix_warehouse_short_picks_bin_id ON warehouse_short_picks (bin_id);

CREATE INDEX ix_warehouse_short_picks_level_id ON warehouse_short_picks (level_id);

CREATE INDEX ix_warehouse_short_picks_merchant_id ON warehouse_short_picks (merchant_id);

CREATE INDEX ix_warehouse_short_picks_order_id ON warehouse_short_picks (order_id);

CREATE INDEX ix_warehouse_short_picks_order_line_id ON warehouse_short_picks (order_line_id);

create function agora_level_binned() returns trigger language plpgsql as $$
begin
  select binned into new.binned from inventory_locations where id = new.location_id for share;
  return new;
end $$;

create trigger inventory_levels_binned before insert or update of binned, location_id on inventory_levels
for each row execute function agora_level_binned();

create function agora_location_binned() returns trigger language plpgsql as $$
begin
  update inventory_levels set binned = new.binned where location_id = new.id;
  return null;
end $$;

create trigger inventory_locations_binned after update of binned on inventory_locations
for each row when (old.binned is distinct from new.binned) execute function agora_location_binned();

alter table warehouses enable row level security;

alter table warehouses force row level security;

create policy warehouses_visible on warehouses using (current_setting('agora.staff', true) = 'on' or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table warehouse_zones enable row level security;

alter table warehouse_zones force row level security;

create policy warehouse_zones_visible on warehouse_zones using (current_setting('agora.staff', true) = 'on' or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table warehouse_bins enable row level security;

alter table warehouse_bins force row level security;

create policy warehouse_bins_visible on warehouse_bins using (current_setting('agora.staff', true) = 'on' or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table warehouse_bin_stock enable row level security;

alter table warehouse_bin_stock force row level security;

create policy warehouse_bin_stock_visible on warehouse_bin_stock using (current_setting('agora.staff', true) = 'on' or exists (select from warehouse_bins b where b.id = bin_id));

alter table warehouse_moves enable row level security;

alter table warehouse_moves force row level security;

create policy warehouse_moves_visible on warehouse_moves using (current_setting('agora.staff', true) = 'on' or exists (select from warehouse_bins b where b.id in (from_bin, to_bin)));

create function agora_bins_are_the_level() returns trigger language plpgsql as $$
declare touched uuid[];
begin
  if tg_table_name = 'inventory_levels' then touched := array[new.id];
  elsif tg_op = 'INSERT' then touched := array[new.level_id];
  elsif tg_op = 'DELETE' then touched := array[old.level_id];
  else touched := array[old.level_id, new.level_id];
  end if;
  if exists (
    select from inventory_levels l where l.id = any(touched)
      and coalesce((select sum(s.quantity) from warehouse_bin_stock s where s.level_id = l.id), 0)
          <> case when l.binned then l.on_hand else 0 end) then
    raise exception 'the bins of level % are not what it holds', touched[1]
      using errcode = 'check_violation', constraint = 'bins_are_the_level';
  end if;
  return null;
end $$;

create constraint trigger bins_are_the_level after insert or update or delete on warehouse_bin_stock
deferrable initially deferred for each row execute function agora_bins_are_the_level();

create constraint trigger level_is_its_bins after update of on_hand, binned on inventory_levels
deferrable initially deferred for each row when (old.binned or new.binned) execute function agora_bins_are_the_level();

create constraint trigger level_begins_with_its_bins after insert on inventory_levels
deferrable initially deferred for each row when (new.binned) execute function agora_bins_are_the_level();

alter table warehouse_receiving_orders enable row level security;

alter table warehouse_receiving_orders force row level security;

create policy warehouse_receiving_orders_visible on warehouse_receiving_orders using (current_setting('agora.staff', true) = 'on' or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table warehouse_receiving_lines enable row level security;

alter table warehouse_receiving_lines force row level security;

create policy warehouse_receiving_lines_visible on warehouse_receiving_lines using (current_setting('agora.staff', true) = 'on' or exists (select from warehouse_receiving_orders r where r.id = receiving_id));

alter table warehouse_putaway_tasks enable row level security;

alter table warehouse_putaway_tasks force row level security;

create policy warehouse_putaway_tasks_visible on warehouse_putaway_tasks using (current_setting('agora.staff', true) = 'on' or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table warehouse_cycle_counts enable row level security;

alter table warehouse_cycle_counts force row level security;

create policy warehouse_cycle_counts_visible on warehouse_cycle_counts using (current_setting('agora.staff', true) = 'on' or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table warehouse_cycle_count_lines enable row level security;

alter table warehouse_cycle_count_lines force row level security;

create policy warehouse_cycle_count_lines_visible on warehouse_cycle_count_lines using (current_setting('agora.staff', true) = 'on' or exists (select from warehouse_cycle_counts c where c.id = count_id));

alter table warehouse_transfers enable row level security;

alter table warehouse_transfers force row level security;

create policy warehouse_transfers_visible on warehouse_transfers using (current_setting('agora.staff', true) = 'on' or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table warehouse_labor enable row level security;

alter table warehouse_labor force row level security;

create policy warehouse_labor_visible on warehouse_labor using (current_setting('agora.staff', true) = 'on' or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table warehouse_waves enable row level security;

alter table warehouse_waves force row level security;

create policy warehouse_waves_visible on warehouse_waves using (current_setting('agora.staff', true) = 'on' or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table warehouse_picking_lists enable row level security;

alter table warehouse_picking_lists force row level security;

create policy warehouse_picking_lists_visible on warehouse_picking_lists using (current_setting('agora.staff', true) = 'on' or exists (select from warehouse_waves w where w.id = wave_id));

alter table warehouse_short_picks enable row level security;

alter table warehouse_short_picks force row level security;

create policy warehouse_short_picks_visible on warehouse_short_picks using (current_setting('agora.staff', true) = 'on' or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table warehouse_packages enable row level security;

alter table warehouse_packages force row level security;

create policy warehouse_packages_visible on warehouse_packages using (current_setting('agora.staff', true) = 'on' or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table warehouse_package_lines enable row level security;

alter table warehouse_package_lines force row level security;

create policy warehouse_package_lines_visible on warehouse_package_lines using (current_setting('agora.staff', true) = 'on' or exists (select from warehouse_packages p where p.id = package_id));

create function agora_packed_once() returns trigger language plpgsql as $$
declare gone bigint; sent bigint;
begin
  if tg_op in ('UPDATE', 'DELETE') then
    update warehouse_picking_lines set packed = packed - old.quantity where order_line_id = old.order_line_id;
    if tg_op = 'DELETE' then return old; end if;
  end if;
  update warehouse_picking_lines set packed = packed + new.quantity
    where order_line_id = new.order_line_id and order_id = new.order_id;
  if not found then
    raise exception 'line % is not of the order of package %', new.order_line_id, new.package_id
      using errcode = 'check_violation', constraint = 'package_of_one_order';
  end if;
  select shipped into gone from order_lines where id = new.order_line_id for share;
  select coalesce(sum(l.quantity), 0) into sent from warehouse_package_lines l
    join warehouse_packages p on p.id = l.package_id
    where l.order_line_id = new.order_line_id and p.status = 'sent';
  if (select packed > picked - greatest(gone - sent, 0) from warehouse_picking_lines
      where order_line_id = new.order_line_id) then
    raise exception 'units of line % have left already', new.order_line_id
      using errcode = 'check_violation', constraint = 'package_of_units_there';
  end if;
  return new;
end $$;

create trigger warehouse_package_lines_packed before insert or update or delete on warehouse_package_lines
for each row execute function agora_packed_once();

select agora_make_partitions((current_date - interval '1 month')::date, 4);

grant select, insert, update, delete on
  warehouses,
  warehouse_cycle_counts,
  warehouse_labor,
  warehouse_receiving_orders,
  warehouse_transfers,
  warehouse_waves,
  warehouse_zones,
  warehouse_bins,
  warehouse_packages,
  warehouse_receiving_lines,
  warehouse_bin_stock,
  warehouse_cycle_count_lines,
  warehouse_moves,
  warehouse_putaway_tasks,
  warehouse_package_lines,
  warehouse_picking_lists,
  warehouse_short_picks to agora_app;

revoke update, delete, truncate on warehouse_moves from agora_app;

revoke update, delete, truncate on warehouse_labor from agora_app;

revoke update, delete, truncate on warehouse_short_picks from agora_app;
