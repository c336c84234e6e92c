"""Stock: what lies where, what of it is promised, and every movement that made it so."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import OWN_MERCHANT, Base, append_only, laws, one_of, partitioned, visible


class Location(Base):
    """A place that holds stock of one merchant. A lower `priority` ships first. What lies in a `binned` one only the warehouse moves."""

    __tablename__ = "inventory_locations"
    __table_args__ = (UniqueConstraint("merchant_id", "code"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"))
    code: Mapped[str]
    name: Mapped[str]
    country: Mapped[str]
    priority: Mapped[int]
    active: Mapped[bool]
    binned: Mapped[bool] = mapped_column(server_default="false")


class Level(Base):
    """Units of a variant at a location. The no-oversell law is the CHECK `promised`.

    `short` are promised units that turned out not to be there; `binned` is the location's, by a trigger."""

    __tablename__ = "inventory_levels"
    __table_args__ = (
        UniqueConstraint("variant_id", "location_id"),
        UniqueConstraint("id", "location_id"),
        CheckConstraint(
            "reserved >= 0 and allocated >= 0 and backorder_limit >= 0 and safety_stock >= 0 and short >= 0",
            name="signs",
        ),
        CheckConstraint("reserved + allocated <= on_hand + backorder_limit + short", name="promised"),
        Index("ix_inventory_levels_location_id", "location_id"),
        {"postgresql_with": {"fillfactor": "70"}},
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    variant_id: Mapped[UUID] = mapped_column(ForeignKey("product_variants.id"))
    location_id: Mapped[UUID] = mapped_column(ForeignKey("inventory_locations.id"))
    on_hand: Mapped[int]
    reserved: Mapped[int]
    allocated: Mapped[int]
    backorder_limit: Mapped[int]
    safety_stock: Mapped[int]
    short: Mapped[int] = mapped_column(server_default="0")
    binned: Mapped[bool] = mapped_column(server_default="false")


class Movement(Base):
    """One change of one level, append-only: the sums of the deltas are the level."""

    __tablename__ = "inventory_movements"
    __table_args__ = (
        Index("ix_inventory_movements_level_id", "level_id"),
        Index("ix_inventory_movements_reference_id", "reference_id"),
        one_of("kind", "receive", "adjust", "hold", "release", "allocate", "sell", "return", "transfer"),
        partitioned("inventory_movements"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    level_id: Mapped[UUID] = mapped_column(ForeignKey("inventory_levels.id"))
    kind: Mapped[str]
    on_hand: Mapped[int]
    reserved: Mapped[int]
    allocated: Mapped[int]
    reference_id: Mapped[UUID | None]
    at: Mapped[datetime]


class Reservation(Base):
    """Units promised to one order group: held until `expires_at`, then allocated, sold or released."""

    __tablename__ = "inventory_reservations"
    __table_args__ = (
        UniqueConstraint("reference_id", "level_id"),
        CheckConstraint("quantity > 0", name="quantity"),
        one_of("status", "held", "allocated", "released", "sold"),
        Index("ix_inventory_reservations_level_id", "level_id"),
        Index("ix_inventory_reservations_expiring", "expires_at", postgresql_where="status = 'held'"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    reference_id: Mapped[UUID]
    level_id: Mapped[UUID] = mapped_column(ForeignKey("inventory_levels.id"))
    variant_id: Mapped[UUID] = mapped_column(ForeignKey("product_variants.id"), index=True)
    quantity: Mapped[int]
    status: Mapped[str]
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Adjustment(Base):
    """A person's correction of a level, with its reason."""

    __tablename__ = "inventory_adjustments"
    __table_args__ = (CheckConstraint("quantity <> 0", name="quantity"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    level_id: Mapped[UUID] = mapped_column(ForeignKey("inventory_levels.id"), index=True)
    quantity: Mapped[int]
    reason: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime]


class ReorderPoint(Base):
    """From how few sellable units on a level is to be filled up, and by how many."""

    __tablename__ = "inventory_reorder_points"
    __table_args__ = (CheckConstraint("point >= 0 and quantity > 0", name="signs"),)
    level_id: Mapped[UUID] = mapped_column(ForeignKey("inventory_levels.id"), primary_key=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"), index=True)
    point: Mapped[int]
    quantity: Mapped[int]
    updated_at: Mapped[datetime]


class Alert(Base):
    """A level at or below its reorder point: one open alert per level, closed when there is enough again."""

    __tablename__ = "inventory_alerts"
    __table_args__ = (
        Index("uq_inventory_alerts_open", "level_id", unique=True, postgresql_where="closed_at is null"),
        Index("ix_inventory_alerts_level_id", "level_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    level_id: Mapped[UUID] = mapped_column(ForeignKey("inventory_levels.id"))
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"), index=True)
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


append_only("inventory_movements")
append_only("inventory_adjustments")
laws(
    "inventory",
    # A level is binned when its location is: nobody else can say so, and neither can change without the other.
    """create function agora_level_binned() returns trigger language plpgsql as $$
begin
  select binned into new.binned from inventory_locations where id = new.location_id for share;
  return new;
end $$""",
    """create trigger inventory_levels_binned before insert or update of binned, location_id on inventory_levels
for each row execute function agora_level_binned()""",
    """create function agora_location_binned() returns trigger language plpgsql as $$
begin
  update inventory_levels set binned = new.binned where location_id = new.id;
  return null;
end $$""",
    """create trigger inventory_locations_binned after update of binned on inventory_locations
for each row when (old.binned is distinct from new.binned) execute function agora_location_binned()""",
    *visible("inventory_reorder_points", OWN_MERCHANT),
    *visible("inventory_alerts", OWN_MERCHANT),
)
