"""Work in the warehouse: what has to be picked for whom."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import OWN_MERCHANT, Base, laws, one_of, visible


class PickTask(Base):
    """One order to pick; there is one task per order."""

    __tablename__ = "warehouse_tasks"
    __table_args__ = (
        one_of("status", "open", "held", "done", "cancelled"),
        Index("ix_warehouse_tasks_merchant_id", "merchant_id"),
    )
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    group_id: Mapped[UUID] = mapped_column(ForeignKey("order_groups.id"), index=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"))
    status: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class PickLine(Base):
    """Units of one order line to take; never more than were ordered."""

    __tablename__ = "warehouse_picking_lines"
    __table_args__ = (CheckConstraint("picked between 0 and quantity", name="picked"),)
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("order_lines.id"), primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("warehouse_tasks.order_id"), index=True)
    variant_id: Mapped[UUID] = mapped_column(ForeignKey("product_variants.id"), index=True)
    sku: Mapped[str]
    quantity: Mapped[int]
    picked: Mapped[int]


laws(
    "warehouse",
    *visible("warehouse_tasks", OWN_MERCHANT),
    *visible(
        "warehouse_picking_lines",
        "exists (select from warehouse_tasks t where t.order_id = warehouse_picking_lines.order_id)",
    ),
)
