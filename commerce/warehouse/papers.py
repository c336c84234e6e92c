"""Papers of the floor: what is expected and came, what is to be put away, what was counted, what is on its way between
places, and who worked how long."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import OWN_MERCHANT, Base, append_only, laws, one_of, visible


class ReceivingOrder(Base):
    """Goods that are announced for a place, under the number their sender gave them."""

    __tablename__ = "warehouse_receiving_orders"
    __table_args__ = (
        one_of("status", "open", "closed"),
        CheckConstraint("(status = 'closed') = (closed_at is not null)", name="closed_at"),
        UniqueConstraint("merchant_id", "reference"),
        Index("ix_warehouse_receiving_orders_location_id", "location_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    location_id: Mapped[UUID] = mapped_column(ForeignKey("warehouses.location_id"))
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"))
    reference: Mapped[str]
    status: Mapped[str]
    opened_by: Mapped[str]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class ReceivingLine(Base):
    """Units of a variant that were expected, and that came: more, fewer, or unexpected ones (`expected` 0)."""

    __tablename__ = "warehouse_receiving_lines"
    __table_args__ = (CheckConstraint("expected >= 0 and received >= 0", name="signs"),)
    receiving_id: Mapped[UUID] = mapped_column(ForeignKey("warehouse_receiving_orders.id"), primary_key=True)
    variant_id: Mapped[UUID] = mapped_column(ForeignKey("product_variants.id"), primary_key=True, index=True)
    expected: Mapped[int]
    received: Mapped[int]


class PutawayTask(Base):
    """Units that lie at a dock (or came back, or were picked in vain) and belong into a shelf."""

    __tablename__ = "warehouse_putaway_tasks"
    __table_args__ = (
        one_of("status", "open", "done", "cancelled"),
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_warehouse_putaway_tasks_open", "location_id", postgresql_where="status = 'open'"),
        Index("ix_warehouse_putaway_tasks_location_id", "location_id"),
        Index("ix_warehouse_putaway_tasks_merchant_id", "merchant_id"),
        Index("ix_warehouse_putaway_tasks_level_id", "level_id"),
        Index("ix_warehouse_putaway_tasks_from_bin", "from_bin"),
        Index("ix_warehouse_putaway_tasks_to_bin", "to_bin"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    location_id: Mapped[UUID] = mapped_column(ForeignKey("warehouses.location_id"))
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"))
    level_id: Mapped[UUID] = mapped_column(ForeignKey("inventory_levels.id"))
    from_bin: Mapped[UUID] = mapped_column(ForeignKey("warehouse_bins.id"))
    to_bin: Mapped[UUID] = mapped_column(ForeignKey("warehouse_bins.id"))
    quantity: Mapped[int]
    status: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Count(Base):
    """What lies in some bins, counted. A large variance waits for a person other than the one who counted."""

    __tablename__ = "warehouse_cycle_counts"
    __table_args__ = (
        one_of("kind", "cycle", "short_pick", "adjust"),
        one_of("status", "open", "waiting", "applied", "rejected"),
        CheckConstraint("decided_by <> entered_by", name="second_person"),
        CheckConstraint("(status = 'open') = (entered_by is null)", name="entered_by"),
        Index("ix_warehouse_cycle_counts_location_id", "location_id"),
        Index("ix_warehouse_cycle_counts_merchant_id", "merchant_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    location_id: Mapped[UUID] = mapped_column(ForeignKey("warehouses.location_id"))
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"))
    kind: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str]
    opened_by: Mapped[str]
    opened_at: Mapped[datetime]
    entered_by: Mapped[str | None]
    entered_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]


class CountLine(Base):
    """Units of a level in a bin; `expected` is what the books said when `counted` was entered."""

    __tablename__ = "warehouse_cycle_count_lines"
    __table_args__ = (
        CheckConstraint("expected >= 0 and counted >= 0", name="signs"),
        CheckConstraint("(expected is null) = (counted is null)", name="entered"),
    )
    count_id: Mapped[UUID] = mapped_column(ForeignKey("warehouse_cycle_counts.id"), primary_key=True)
    bin_id: Mapped[UUID] = mapped_column(ForeignKey("warehouse_bins.id"), primary_key=True, index=True)
    level_id: Mapped[UUID] = mapped_column(ForeignKey("inventory_levels.id"), primary_key=True, index=True)
    expected: Mapped[int | None]
    counted: Mapped[int | None]


class Transfer(Base):
    """Units on their way from one place of a merchant to another. What did not arrive is the difference."""

    __tablename__ = "warehouse_transfers"
    __table_args__ = (
        one_of("status", "sent", "received"),
        CheckConstraint("quantity > 0 and received between 0 and quantity", name="units"),
        CheckConstraint("(status = 'received') = (received is not null)", name="received"),
        CheckConstraint("from_location <> to_location", name="places"),
        Index("ix_warehouse_transfers_merchant_id", "merchant_id"),
        Index("ix_warehouse_transfers_variant_id", "variant_id"),
        Index("ix_warehouse_transfers_from_location", "from_location"),
        Index("ix_warehouse_transfers_to_location", "to_location"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"))
    variant_id: Mapped[UUID] = mapped_column(ForeignKey("product_variants.id"))
    from_location: Mapped[UUID] = mapped_column(ForeignKey("inventory_locations.id"))
    to_location: Mapped[UUID] = mapped_column(ForeignKey("inventory_locations.id"))
    quantity: Mapped[int]
    received: Mapped[int | None]
    status: Mapped[str]
    sent_by: Mapped[str]
    sent_at: Mapped[datetime]
    received_by: Mapped[str | None]
    received_at: Mapped[datetime | None]


class Labor(Base):
    """A finished piece of work: who did how many lines and units of what in which time."""

    __tablename__ = "warehouse_labor"
    __table_args__ = (
        one_of("kind", "pick", "count"),
        CheckConstraint("lines >= 0 and units >= 0 and ended_at >= started_at", name="signs"),
        UniqueConstraint("reference_id", "actor"),
        Index("ix_warehouse_labor_location_id", "location_id", "ended_at"),
        Index("ix_warehouse_labor_merchant_id", "merchant_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    location_id: Mapped[UUID] = mapped_column(ForeignKey("warehouses.location_id"))
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"))
    actor: Mapped[str]
    kind: Mapped[str]
    reference_id: Mapped[UUID]
    lines: Mapped[int]
    units: Mapped[int]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]


class Wave(Base):
    """Orders of one place that are picked in one round; `length` is the way it was planned for."""

    __tablename__ = "warehouse_waves"
    __table_args__ = (
        one_of("status", "open", "started", "done", "cancelled"),
        CheckConstraint("(status in ('started', 'done')) = (picker is not null)", name="picker"),
        CheckConstraint("length >= 0 and done_at >= started_at", name="signs"),
        Index("ix_warehouse_waves_location_id", "location_id"),
        Index("ix_warehouse_waves_merchant_id", "merchant_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    location_id: Mapped[UUID] = mapped_column(ForeignKey("warehouses.location_id"))
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"))
    status: Mapped[str]
    length: Mapped[int]
    picker: Mapped[str | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]


class Stop(Base):
    """A stop of a wave's round: units of an order line to take out of a bin. An order is in one unfinished wave at a time."""

    __tablename__ = "warehouse_picking_lists"
    __table_args__ = (
        one_of("status", "open", "picked", "short"),
        CheckConstraint("quantity > 0 and picked between 0 and quantity", name="picked"),
        CheckConstraint("status <> 'picked' or picked = quantity", name="whole"),
        Index(
            "uq_warehouse_picking_lists_open",
            "order_line_id",
            "bin_id",
            unique=True,
            postgresql_where="status = 'open'",
        ),
        Index("ix_warehouse_picking_lists_order_line_id", "order_line_id"),
        Index("ix_warehouse_picking_lists_order_id", "order_id"),
        Index("ix_warehouse_picking_lists_bin_id", "bin_id"),
        Index("ix_warehouse_picking_lists_level_id", "level_id"),
    )
    wave_id: Mapped[UUID] = mapped_column(ForeignKey("warehouse_waves.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    bin_id: Mapped[UUID] = mapped_column(ForeignKey("warehouse_bins.id"))
    level_id: Mapped[UUID] = mapped_column(ForeignKey("inventory_levels.id"))
    order_id: Mapped[UUID] = mapped_column(ForeignKey("warehouse_tasks.order_id"))
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("warehouse_picking_lines.order_line_id"))
    quantity: Mapped[int]
    picked: Mapped[int]
    status: Mapped[str]


class ShortPick(Base):
    """A bin had fewer units than wanted, and what became of the missing ones: other bins of the place have them, another
    place was promised, or they wait as a backorder."""

    __tablename__ = "warehouse_short_picks"
    __table_args__ = (
        CheckConstraint("elsewhere >= 0 and relocated >= 0 and backordered >= 0 and found >= 0", name="signs"),
        CheckConstraint("wanted > found and elsewhere + relocated + backordered > 0", name="missing"),
        Index("ix_warehouse_short_picks_order_id", "order_id"),
        Index("ix_warehouse_short_picks_order_line_id", "order_line_id"),
        Index("ix_warehouse_short_picks_bin_id", "bin_id"),
        Index("ix_warehouse_short_picks_level_id", "level_id"),
        Index("ix_warehouse_short_picks_merchant_id", "merchant_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("warehouse_tasks.order_id"))
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("warehouse_picking_lines.order_line_id"))
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"))
    bin_id: Mapped[UUID] = mapped_column(ForeignKey("warehouse_bins.id"))
    level_id: Mapped[UUID] = mapped_column(ForeignKey("inventory_levels.id"))
    wanted: Mapped[int]
    found: Mapped[int]
    elsewhere: Mapped[int]
    relocated: Mapped[int]
    backordered: Mapped[int]
    actor: Mapped[str]
    at: Mapped[datetime]


append_only("warehouse_labor")
append_only("warehouse_short_picks")
laws(
    "warehouse",
    *visible("warehouse_receiving_orders", OWN_MERCHANT),
    *visible(
        "warehouse_receiving_lines", "exists (select from warehouse_receiving_orders r where r.id = receiving_id)"
    ),
    *visible("warehouse_putaway_tasks", OWN_MERCHANT),
    *visible("warehouse_cycle_counts", OWN_MERCHANT),
    *visible("warehouse_cycle_count_lines", "exists (select from warehouse_cycle_counts c where c.id = count_id)"),
    *visible("warehouse_transfers", OWN_MERCHANT),
    *visible("warehouse_labor", OWN_MERCHANT),
    *visible("warehouse_waves", OWN_MERCHANT),
    *visible("warehouse_picking_lists", "exists (select from warehouse_waves w where w.id = wave_id)"),
    *visible("warehouse_short_picks", OWN_MERCHANT),
)
