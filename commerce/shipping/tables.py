"""How a purchase gets to its buyer: methods and what they cost, carriers and what they offer, parcels and where they are."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import OWN_MERCHANT, Base, Json, append_only, laws, one_of, visible

OPEN_STATES = ("dispatched", "in_transit", "out_for_delivery")
"""A parcel that may still come without anybody's doing."""
SHIPMENT_STATES = (*OPEN_STATES, "delivered", "damaged", "lost", "returned_to_sender")


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


class Carrier(Base):
    """Somebody who carries parcels; `adapter` says how it is spoken to."""

    __tablename__ = "carriers"
    __table_args__ = (one_of("adapter", "table", "easypost"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    adapter: Mapped[str]
    active: Mapped[bool]
    created_at: Mapped[datetime]


class CarrierAccount(Base):
    """Who sends with a carrier, and from where: a merchant, or with null everybody who has no account of their own.
    `reference` is the account's name there; its secrets are settings, never rows."""

    __tablename__ = "carrier_accounts"
    __table_args__ = (UniqueConstraint("carrier_id", "merchant_id", postgresql_nulls_not_distinct=True),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    carrier_id: Mapped[UUID] = mapped_column(ForeignKey("carriers.id"))
    merchant_id: Mapped[UUID | None] = mapped_column(ForeignKey("merchants.id"), index=True)
    reference: Mapped[str]
    sender: Mapped[Json]
    updated_at: Mapped[datetime]


class ShippingRule(Base):
    """How a merchant handles orders until they leave (null: who set nothing): cut-off in minutes of its local day."""

    __tablename__ = "shipping_rules"
    __table_args__ = (
        UniqueConstraint("merchant_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("cutoff_minute between 0 and 1440", name="cutoff"),
        CheckConstraint("handling_days between 0 and 30", name="handling"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID | None] = mapped_column(ForeignKey("merchants.id"))
    country: Mapped[str]
    timezone: Mapped[str]
    cutoff_minute: Mapped[int]
    handling_days: Mapped[int]
    updated_at: Mapped[datetime]


class ShippingQuote(Base):
    """What a carrier offered for a parcel like this (`digest`), good until it expires: the cache of rate shopping."""

    __tablename__ = "shipping_quotes"
    __table_args__ = (
        Index("ix_shipping_quotes_digest_expires_at", "digest", "expires_at"),
        CheckConstraint("minor >= 0 and min_days >= 0 and max_days >= min_days", name="offer"),
        CheckConstraint("expires_at > created_at", name="expiry"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[bytes]
    carrier_id: Mapped[UUID] = mapped_column(ForeignKey("carriers.id"), index=True)
    merchant_id: Mapped[UUID | None] = mapped_column(ForeignKey("merchants.id"), index=True)
    service: Mapped[str]
    name: Mapped[str]
    minor: Mapped[int]
    currency: Mapped[str]
    min_days: Mapped[int]
    max_days: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Shipment(Base):
    """A parcel of one order on its way. `promised_on` is the last day it was promised for, `delayed_at` when that was
    found broken, `asked_at` when its carrier was last heard or asked."""

    __tablename__ = "shipments"
    __table_args__ = (
        one_of("status", *SHIPMENT_STATES),
        CheckConstraint("(status = 'delivered') = (delivered_at is not null)", name="delivered"),
        CheckConstraint("delivered_at >= dispatched_at", name="order_of_events"),
        Index("ix_shipments_tracking", "tracking"),
        Index("ix_shipments_open", "promised_on", postgresql_where=f"status in {OPEN_STATES} and delayed_at is null"),
        Index("ix_shipments_asked_at", "asked_at", postgresql_where=f"status in {OPEN_STATES}"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    group_id: Mapped[UUID] = mapped_column(ForeignKey("order_groups.id"), index=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"), index=True)
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("inventory_locations.id"), index=True)
    manifest_id: Mapped[UUID | None] = mapped_column(ForeignKey("shipping_manifests.id"), index=True)
    carrier: Mapped[str]
    tracking: Mapped[str]
    status: Mapped[str]
    promised_on: Mapped[date | None]
    dispatched_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    delayed_at: Mapped[datetime | None]
    asked_at: Mapped[datetime]


class ShippingLabel(Base):
    """A label of a package; the parcel that leaves with it bears its id. One that was
    refused or given back makes room for another."""

    __tablename__ = "shipping_labels"
    __table_args__ = (
        one_of("status", "buying", "bought", "refused", "voiding", "voided"),
        CheckConstraint("(status in ('bought', 'voiding', 'voided')) = (bought_at is not null)", name="bought"),
        CheckConstraint("(bought_at is null) = (tracking is null)", name="tracking"),
        CheckConstraint("(status = 'voided') = (voided_at is not null)", name="voided"),
        Index(
            "uq_shipping_labels_package_id",
            "package_id",
            unique=True,
            postgresql_where="status in ('buying', 'bought', 'voiding')",
        ),
        Index("ix_shipping_labels_packages", "package_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    package_id: Mapped[UUID] = mapped_column(ForeignKey("warehouse_packages.id"))
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    group_id: Mapped[UUID] = mapped_column(ForeignKey("order_groups.id"), index=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"), index=True)
    carrier_id: Mapped[UUID] = mapped_column(ForeignKey("carriers.id"), index=True)
    service: Mapped[str]
    number: Mapped[str]
    """The order's, as it stands on the label."""
    parcel: Mapped[Json] = mapped_column(info={"personal": True})
    status: Mapped[str]
    reference: Mapped[str | None]
    tracking: Mapped[str | None]
    minor: Mapped[int | None]
    currency: Mapped[str | None]
    pdf: Mapped[bytes | None] = mapped_column(info={"personal": True})
    zpl: Mapped[str | None] = mapped_column(info={"personal": True})
    failure: Mapped[str | None]
    actor: Mapped[str]
    created_at: Mapped[datetime]
    bought_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]


class ShipmentPackage(Base):
    """What a parcel is: one package, which leaves once, under its label."""

    __tablename__ = "shipment_packages"
    shipment_id: Mapped[UUID] = mapped_column(ForeignKey("shipments.id"), primary_key=True)
    package_id: Mapped[UUID] = mapped_column(ForeignKey("warehouse_packages.id"), unique=True)
    label_id: Mapped[UUID] = mapped_column(ForeignKey("shipping_labels.id"), unique=True)


class ShippingManifest(Base):
    """The parcels a carrier took from a location on a day, closed once."""

    __tablename__ = "shipping_manifests"
    __table_args__ = (
        UniqueConstraint("carrier_id", "location_id", "day"),
        CheckConstraint("parcels > 0", name="parcels"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    carrier_id: Mapped[UUID] = mapped_column(ForeignKey("carriers.id"))
    location_id: Mapped[UUID] = mapped_column(ForeignKey("inventory_locations.id"), index=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"), index=True)
    day: Mapped[date]
    parcels: Mapped[int]
    actor: Mapped[str]
    closed_at: Mapped[datetime]


class ShipmentLine(Base):
    __tablename__ = "shipment_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)
    shipment_id: Mapped[UUID] = mapped_column(ForeignKey("shipments.id"), primary_key=True)
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("order_lines.id"), primary_key=True, index=True)
    quantity: Mapped[int]


class TrackingEvent(Base):
    """What became of a parcel, append-only. `reference` is the carrier's name of what it saw: it counts once."""

    __tablename__ = "tracking_events"
    __table_args__ = (
        one_of(
            *("kind", "dispatched", "in_transit", "out_for_delivery", "delivered", "exception", "delayed", "lost"),
            *("damaged", "returned_to_sender"),
        ),
        UniqueConstraint("shipment_id", "reference"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    shipment_id: Mapped[UUID] = mapped_column(ForeignKey("shipments.id"))
    kind: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime]
    reference: Mapped[str | None]
    note: Mapped[str] = mapped_column(server_default="")


class CarrierNotice(Base):
    """A carrier's webhook, heard once."""

    __tablename__ = "carrier_notices"
    carrier_id: Mapped[UUID] = mapped_column(ForeignKey("carriers.id"), primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    tracking: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(index=True)


class DeliveryConfirmation(Base):
    """The proof that a parcel arrived: who told of it, and who signed for it where somebody did."""

    __tablename__ = "delivery_confirmations"
    shipment_id: Mapped[UUID] = mapped_column(ForeignKey("shipments.id"), primary_key=True)
    source: Mapped[str]
    signed_by: Mapped[str]
    delivered_at: Mapped[datetime]
    noted_at: Mapped[datetime]


IN_VISIBLE_SHIPMENT = "exists (select from shipments s where s.id = shipment_id)"
append_only("shipment_lines")
append_only("tracking_events")
append_only("delivery_confirmations")
append_only("shipment_packages")
append_only("shipping_manifests")
append_only("carrier_notices")
laws(
    "shipping",
    *visible("carrier_accounts", f"merchant_id is null or {OWN_MERCHANT}"),
    *visible("shipping_quotes", f"merchant_id is null or {OWN_MERCHANT}"),
    *visible("shipments", f"{OWN_MERCHANT} or exists (select from orders o where o.id = order_id)"),
    *visible("shipment_lines", IN_VISIBLE_SHIPMENT, insert="true"),
    *visible("tracking_events", IN_VISIBLE_SHIPMENT, insert="true"),
    *visible("shipping_labels", OWN_MERCHANT),
    *visible("shipping_manifests", OWN_MERCHANT),
    *visible("shipment_packages", IN_VISIBLE_SHIPMENT, insert="true"),
    *visible("delivery_confirmations", IN_VISIBLE_SHIPMENT, insert="true"),
)
