"""Work in the warehouse: what has to be picked for whom."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from commerce.warehouse import floor, papers
from kernel.tables import OWN_MERCHANT, Base, laws, one_of, visible

OTHERS = (floor.Warehouse, papers.Wave)
"""Where its other tables stand: importing this module declares them all."""


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
    """Units of one order line to take; never more than were ordered. `packed` is kept by the lines of packages alone."""

    __tablename__ = "warehouse_picking_lines"
    __table_args__ = (
        CheckConstraint("picked between 0 and quantity", name="picked"),
        CheckConstraint("packed between 0 and picked", name="packed"),
    )
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("order_lines.id"), primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("warehouse_tasks.order_id"), index=True)
    variant_id: Mapped[UUID] = mapped_column(ForeignKey("product_variants.id"), index=True)
    sku: Mapped[str]
    quantity: Mapped[int]
    picked: Mapped[int]
    packed: Mapped[int] = mapped_column(server_default="0")


class Package(Base):
    """A box with units of one order, measured in grams and millimetres. It can be undone until it is sealed."""

    __tablename__ = "warehouse_packages"
    __table_args__ = (
        one_of("status", "open", "sealed", "sent", "cancelled"),
        CheckConstraint("weight_g > 0 and length_mm > 0 and width_mm > 0 and height_mm > 0", name="measures"),
        CheckConstraint("(status = 'sent') = (sent_at is not null)", name="sent_at"),
        UniqueConstraint("id", "order_id"),
        Index("ix_warehouse_packages_order_id", "order_id"),
        Index("ix_warehouse_packages_merchant_id", "merchant_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("warehouse_tasks.order_id"))
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"))
    status: Mapped[str]
    weight_g: Mapped[int]
    length_mm: Mapped[int]
    width_mm: Mapped[int]
    height_mm: Mapped[int]
    actor: Mapped[str]
    packed_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class PackageLine(Base):
    """Units of an order line in a package; gone when the package is cancelled."""

    __tablename__ = "warehouse_package_lines"
    __table_args__ = (
        ForeignKeyConstraint(["package_id", "order_id"], ["warehouse_packages.id", "warehouse_packages.order_id"]),
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_warehouse_package_lines_package_id_order_id", "package_id", "order_id"),
    )
    package_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_line_id: Mapped[UUID] = mapped_column(
        ForeignKey("warehouse_picking_lines.order_line_id"), primary_key=True, index=True
    )
    order_id: Mapped[UUID]
    quantity: Mapped[int]


IN_VISIBLE_PACKAGE = "exists (select from warehouse_packages p where p.id = package_id)"

laws(
    "warehouse",
    *visible("warehouse_tasks", OWN_MERCHANT),
    *visible(
        "warehouse_picking_lines",
        "exists (select from warehouse_tasks t where t.order_id = warehouse_picking_lines.order_id)",
    ),
    *visible("warehouse_packages", OWN_MERCHANT),
    *visible("warehouse_package_lines", IN_VISIBLE_PACKAGE),
    # A package holds picked units of its own order that are in no other package, and none that left without one.
    """create function agora_packed_once() returns trigger language plpgsql as $$
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
end $$""",
    """create trigger warehouse_package_lines_packed before insert or update or delete on warehouse_package_lines
for each row execute function agora_packed_once()""",
)
