CREATE TABLE inventory_alerts (
	id UUID NOT NULL, 
	level_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	opened_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	closed_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT pk_inventory_alerts PRIMARY KEY (id), 
	CONSTRAINT fk_inventory_alerts_level_id FOREIGN KEY(level_id) REFERENCES inventory_levels (id), 
	CONSTRAINT fk_inventory_alerts_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE TABLE inventory_reorder_points (
	level_id UUID NOT NULL, 
	merchant_id UUID NOT NULL, 
	point BIGINT NOT NULL, 
	quantity BIGINT NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT pk_inventory_reorder_points PRIMARY KEY (level_id), 
	CONSTRAINT ck_inventory_reorder_points_signs CHECK (point >= 0 and quantity > 0), 
	CONSTRAINT fk_inventory_reorder_points_level_id FOREIGN KEY(level_id) REFERENCES inventory_levels (id), 
	CONSTRAINT fk_inventory_reorder_points_merchant_id FOREIGN KEY(merchant_id) REFERENCES merchants (id)
);

CREATE INDEX ix_inventory_alerts_level_id ON inventory_alerts (level_id);

CREATE INDEX ix_inventory_alerts_merchant_id ON inventory_alerts (merchant_id);

CREATE UNIQUE INDEX uq_inventory_alerts_open ON inventory_alerts (level_id) WHERE closed_at is null;

CREATE INDEX ix_inventory_reorder_points_merchant_id ON inventory_reorder_points (merchant_id);

alter table inventory_reorder_points enable row level security;

alter table inventory_reorder_points force row level security;

create policy inventory_reorder_points_visible on inventory_reorder_points using (current_setting('agora.staff', true) = 'on' or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

alter table inventory_alerts enable row level security;

alter table inventory_alerts force row level security;

create policy inventory_alerts_visible on inventory_alerts using (current_setting('agora.staff', true) = 'on' or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]));

grant select, insert, update, delete on
  inventory_alerts,
  inventory_reorder_points to agora_app;
