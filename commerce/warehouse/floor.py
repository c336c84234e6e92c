"""The floor: zones and bins of the locations that have them, what lies in them, and every move that put it there."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import OWN_MERCHANT, Base, append_only, laws, one_of, partitioned, visible


class Warehouse(Base):
    """A location with bins. A count that is off by more than `variance_most` units waits for a second person."""

    __tablename__ = "warehouses"
    __table_args__ = (CheckConstraint("variance_most >= 0", name="variance_most"),)
    location_id: Mapped[UUID] = mapped_column(ForeignKey("inventory_locations.id"), primary_key=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"), index=True)
    variance_most: Mapped[int]
    created_at: Mapped[datetime]


class Zone(Base):
    """Bins of one use: `shelf` to pick from, `dock` for what came in, `returns` for what came back, `staging` for what was
    picked and has not left."""

    __tablename__ = "warehouse_zones"
    __table_args__ = (
        one_of("kind", "shelf", "dock", "returns", "staging"),
        UniqueConstraint("location_id", "code"),
        UniqueConstraint("id", "location_id"),
        Index("ix_warehouse_zones_merchant_id", "merchant_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    location_id: Mapped[UUID] = mapped_column(ForeignKey("warehouses.location_id"))
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"))
    code: Mapped[str]
    kind: Mapped[str]


class Bin(Base):
    """A place for units: where it stands is `aisle`, `bay` (both along the way), `level` (up). One with an order is that
    order's tote: what was picked for it lies there until it leaves."""

    __tablename__ = "warehouse_bins"
    __table_args__ = (
        ForeignKeyConstraint(["zone_id", "location_id"], ["warehouse_zones.id", "warehouse_zones.location_id"]),
        CheckConstraint("aisle >= 0 and bay >= 0 and level >= 0", name="position"),
        UniqueConstraint("location_id", "code"),
        UniqueConstraint("id", "location_id"),
        Index(
            "uq_warehouse_bins_tote", "location_id", "order_id", unique=True, postgresql_where="order_id is not null"
        ),
        Index("ix_warehouse_bins_zone_id_location_id", "zone_id", "location_id"),
        Index("ix_warehouse_bins_order_id", "order_id"),
        Index("ix_warehouse_bins_merchant_id", "merchant_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    zone_id: Mapped[UUID]
    location_id: Mapped[UUID]
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"))
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("warehouse_tasks.order_id"))
    code: Mapped[str]
    aisle: Mapped[int]
    bay: Mapped[int]
    level: Mapped[int]
    active: Mapped[bool]


class BinStock(Base):
    """Units of a level in a bin of the same location. All bins of a level together are the level: `agora_bins_are_the_level`."""

    __tablename__ = "warehouse_bin_stock"
    __table_args__ = (
        ForeignKeyConstraint(["bin_id", "location_id"], ["warehouse_bins.id", "warehouse_bins.location_id"]),
        ForeignKeyConstraint(["level_id", "location_id"], ["inventory_levels.id", "inventory_levels.location_id"]),
        CheckConstraint("quantity >= 0", name="quantity"),
        Index("ix_warehouse_bin_stock_level_id_location_id", "level_id", "location_id"),
        Index("ix_warehouse_bin_stock_bin_id_location_id", "bin_id", "location_id"),
    )
    bin_id: Mapped[UUID] = mapped_column(primary_key=True)
    level_id: Mapped[UUID] = mapped_column(primary_key=True)
    location_id: Mapped[UUID]
    quantity: Mapped[int]


class Move(Base):
    """Units that went from one bin to another, append-only; null is outside. Moves add up to what lies in each bin."""

    __tablename__ = "warehouse_moves"
    __table_args__ = (
        one_of("kind", "open", "receive", "put_away", "move", "pick", "ship", "return", "count", "transfer"),
        CheckConstraint("quantity > 0 and from_bin is distinct from to_bin", name="quantity"),
        Index("ix_warehouse_moves_level_id", "level_id"),
        Index("ix_warehouse_moves_from_bin", "from_bin"),
        Index("ix_warehouse_moves_to_bin", "to_bin"),
        partitioned("warehouse_moves"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    level_id: Mapped[UUID] = mapped_column(ForeignKey("inventory_levels.id"))
    from_bin: Mapped[UUID | None] = mapped_column(ForeignKey("warehouse_bins.id"))
    to_bin: Mapped[UUID | None] = mapped_column(ForeignKey("warehouse_bins.id"))
    quantity: Mapped[int]
    kind: Mapped[str]
    reference_id: Mapped[UUID | None]
    actor: Mapped[str]
    at: Mapped[datetime]


IN_VISIBLE_BIN = "exists (select from warehouse_bins b where b.id = bin_id)"
IN_VISIBLE_BINS = "exists (select from warehouse_bins b where b.id in (from_bin, to_bin))"

append_only("warehouse_moves")
laws(
    "warehouse",
    *visible("warehouses", OWN_MERCHANT),
    *visible("warehouse_zones", OWN_MERCHANT),
    *visible("warehouse_bins", OWN_MERCHANT),
    *visible("warehouse_bin_stock", IN_VISIBLE_BIN),
    *visible("warehouse_moves", IN_VISIBLE_BINS),
    # The bins of a level hold what the level says, at the end of every transaction that touched either. Each changes them by
    # the same units, and who changes the level holds its lock until then: so two at once cannot hide from each other.
    """create function agora_bins_are_the_level() returns trigger language plpgsql as $$
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
end $$""",
    """create constraint trigger bins_are_the_level after insert or update or delete on warehouse_bin_stock
deferrable initially deferred for each row execute function agora_bins_are_the_level()""",
    """create constraint trigger level_is_its_bins after update of on_hand, binned on inventory_levels
deferrable initially deferred for each row when (old.binned or new.binned) execute function agora_bins_are_the_level()""",
    """create constraint trigger level_begins_with_its_bins after insert on inventory_levels
deferrable initially deferred for each row when (new.binned) execute function agora_bins_are_the_level()""",
)
