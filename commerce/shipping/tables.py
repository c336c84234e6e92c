"""How a purchase gets to its buyer: methods and what they cost by country and weight; parcels and where they are."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import OWN_MERCHANT, Base, append_only, laws, one_of, visible


class ShippingMethod(Base):
    __tablename__ = "shipping_methods"
    __table_args__ = (CheckConstraint("min_days >= 0 and max_days >= min_days", name="days"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    min_days: Mapped[int]
    max_days: Mapped[int]


class ShippingRate(Base):
    """Price of a method in a country (`*` is everywhere else) up to a weight; free from a subtotal on."""

    __tablename__ = "shipping_rates"
    __table_args__ = (
        UniqueConstraint("method_id", "country", "currency", "up_to_g"),
        CheckConstraint("minor >= 0 and up_to_g > 0", name="minor"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    method_id: Mapped[UUID] = mapped_column(ForeignKey("shipping_methods.id"))
    country: Mapped[str]
    currency: Mapped[str]
    up_to_g: Mapped[int]
    minor: Mapped[int]
    free_from_minor: Mapped[int | None]


class Shipment(Base):
    """A parcel of one order on its way."""

    __tablename__ = "shipments"
    __table_args__ = (
        one_of("status", "dispatched", "delivered"),
        CheckConstraint("(status = 'delivered') = (delivered_at is not null)", name="delivered"),
        CheckConstraint("delivered_at >= dispatched_at", name="order_of_events"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"), index=True)
    carrier: Mapped[str]
    tracking: Mapped[str]
    status: Mapped[str]
    dispatched_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]


class ShipmentLine(Base):
    __tablename__ = "shipment_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)
    shipment_id: Mapped[UUID] = mapped_column(ForeignKey("shipments.id"), primary_key=True)
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("order_lines.id"), primary_key=True, index=True)
    quantity: Mapped[int]


class TrackingEvent(Base):
    """What became of a parcel, append-only."""

    __tablename__ = "tracking_events"
    __table_args__ = (one_of("kind", "dispatched", "delivered"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    shipment_id: Mapped[UUID] = mapped_column(ForeignKey("shipments.id"), index=True)
    kind: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime]


append_only("shipment_lines")
append_only("tracking_events")
laws(
    "shipping",
    *visible("shipments", f"{OWN_MERCHANT} or exists (select from orders o where o.id = order_id)"),
    *visible("shipment_lines", "exists (select from shipments s where s.id = shipment_id)", insert="true"),
    *visible("tracking_events", "exists (select from shipments s where s.id = shipment_id)", insert="true"),
)
