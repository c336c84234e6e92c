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
	CONSTRAINT ck_warehouse_moves_quantity CHECK (quantity > 0 and (from_bin is not null or to_bin is not null)), 
	CONSTRAINT fk_warehouse_moves_level_id FOREIGN KEY(level_id) REFERENCES inventory_levels (id), 
	CONSTRAINT fk_warehouse_moves_from_bin FOREIGN KEY(from_bin) REFERENCES warehouse_bins (id), 
	CONSTRAINT fk_warehouse_moves_to_bin FOREIGN KEY(to_bin) REFERENCES warehouse_bins (id)
)
 PARTITION BY RANGE (id);

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

CREATE INDEX ix_warehouses_merchant_id ON warehouses (merchant_id);

CREATE INDEX ix_warehouse_zones_merchant_id ON warehouse_zones (merchant_id);

CREATE INDEX ix_warehouse_bins_merchant_id ON warehouse_bins (merchant_id);

CREATE INDEX ix_warehouse_bins_order_id ON warehouse_bins (order_id);

CREATE INDEX ix_warehouse_bins_zone_id_location_id ON warehouse_bins (zone_id, location_id);

CREATE UNIQUE INDEX uq_warehouse_bins_tote ON warehouse_bins (location_id, order_id) WHERE order_id is not null;

CREATE INDEX ix_warehouse_packages_merchant_id ON warehouse_packages (merchant_id);

CREATE INDEX ix_warehouse_packages_order_id ON warehouse_packages (order_id);

CREATE INDEX ix_warehouse_bin_stock_bin_id_location_id ON warehouse_bin_stock (bin_id, location_id);

CREATE INDEX ix_warehouse_bin_stock_level_id_location_id ON warehouse_bin_stock (level_id, location_id);

CREATE INDEX ix_warehouse_moves_from_bin ON warehouse_moves (from_bin);

CREATE INDEX ix_warehouse_moves_level_id ON warehouse_moves (level_id);

CREATE INDEX ix_warehouse_moves_to_bin ON warehouse_moves (to_bin);

CREATE INDEX ix_warehouse_package_lines_order_line_id ON warehouse_package_lines (order_line_id);

CREATE INDEX ix_warehouse_package_lines_package_id_order_id ON warehouse_package_lines (package_id, order_id);

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
  warehouse_zones,
  warehouse_bins,
  warehouse_packages,
  warehouse_bin_stock,
  warehouse_moves,
  warehouse_package_lines to agora_app;

revoke update, delete, truncate on warehouse_moves from agora_app;
