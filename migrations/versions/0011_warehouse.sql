alter table warehouse_picking_lines add column packed bigint default '0' not null;

alter table warehouse_picking_lines add constraint ck_warehouse_picking_lines_packed check (packed between 0 and picked);;

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

CREATE INDEX ix_warehouse_packages_merchant_id ON warehouse_packages (merchant_id);

CREATE INDEX ix_warehouse_packages_order_id ON warehouse_packages (order_id);

CREATE INDEX ix_warehouse_package_lines_order_line_id ON warehouse_package_lines (order_line_id);

CREATE INDEX ix_warehouse_package_lines_package_id_order_id ON warehouse_package_lines (package_id, order_id);

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

grant select, insert, update, delete on
  warehouse_packages,
  warehouse_package_lines to agora_app;
