"""Commands, views and facts of shipping."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from kernel.ids import PublicId
from kernel.schemas import Code, Command, Country, Currency, Minor, MoneyView, Text, View

ShipmentId = Annotated[UUID, PublicId("shp")]
OrderId = Annotated[UUID, PublicId("ord")]
OrderLineId = Annotated[UUID, PublicId("oln")]
MerchantId = Annotated[UUID, PublicId("mer")]
QuoteId = Annotated[UUID, PublicId("qte")]
LabelId = Annotated[UUID, PublicId("lbl")]
ManifestId = Annotated[UUID, PublicId("mft")]
PackageId = Annotated[UUID, PublicId("pkg")]
LocationId = Annotated[UUID, PublicId("loc")]
Millimetres = Annotated[int, Field(ge=1, le=10_000)]
PostalCode = Annotated[str, StringConstraints(strip_whitespace=True, max_length=16)]
Zone = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}|\*)$")]


@dataclass(frozen=True, slots=True)
class Rate:
    """What a method costs for one parcel, minor units, and how many days it takes."""

    code: str
    name: str
    minor: int
    min_days: int
    max_days: int


class NewRate(Command):
    country: Zone
    currency: Currency
    up_to_g: Annotated[int, Field(ge=1, le=100_000_000)]
    minor: Minor
    free_from_minor: Minor | None = None


class SetShippingMethod(Command):
    code: Code
    name: Text
    min_days: Annotated[int, Field(ge=0, le=60)]
    max_days: Annotated[int, Field(ge=0, le=90)]
    rates: list[NewRate] = Field(min_length=1, max_length=500)


class RateView(View):
    code: str
    name: str
    price: MoneyView
    min_days: int
    max_days: int
    earliest_on: date | None = None
    latest_on: date | None = None


class Sender(Command):
    """Where parcels come from, as a label shows it."""

    name: Text
    line1: Text
    line2: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    city: Text
    region: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""
    postal_code: PostalCode
    country: Country


class SetCarrier(Command):
    """`adapter` is how it is spoken to: the shop's own tables, or the outside API of the settings."""

    name: Text
    adapter: Literal["table", "easypost"]
    active: bool = True


class CarrierView(View):
    """`ready` when its adapter is set up in this process."""

    code: str
    name: str
    adapter: str
    active: bool
    ready: bool


class SetAccount(Command):
    """Who sends with a carrier, and from where; without a merchant it is everybody's who has none of their own."""

    sender: Sender
    reference: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    merchant_id: MerchantId | None = None


class SetHandling(Command):
    """Orders before the cut-off (minutes of the local day) are begun that day and leave after so many working days."""

    country: Country
    timezone: Annotated[str, StringConstraints(max_length=64)]
    cutoff_minute: Annotated[int, Field(ge=0, le=1440)]
    handling_days: Annotated[int, Field(ge=0, le=30)]
    merchant_id: MerchantId | None = None


class QuoteParcel(Command):
    """A parcel somebody wants to send: grams, millimetres, its contents' worth in minor units of the channel."""

    country: Country
    postal_code: PostalCode
    weight_g: Annotated[int, Field(ge=1, le=1_000_000)]
    size_mm: tuple[Millimetres, Millimetres, Millimetres] | None = None
    worth: Minor = 0
    channel: str | None = None
    merchant_id: MerchantId | None = None


class QuoteView(View):
    """An offer and when the parcel would be there if it were ordered now. `source` says whether the carrier was asked
    now, some minutes ago, or the shop's own table answers."""

    id: QuoteId
    carrier: str
    service: str
    name: str
    price: MoneyView
    min_days: int
    max_days: int
    ships_on: date
    earliest_on: date
    latest_on: date
    source: Literal["carrier", "cache", "table"]
    expires_at: datetime


class QuotesView(View):
    """Offers, cheapest first. `silent` are the carriers that did not answer in time or refused; then `fallback` is true:
    the shop's own tables stand in for them."""

    quotes: list[QuoteView]
    silent: list[str]
    fallback: bool


class TrackingEventView(View):
    kind: str
    at: datetime
    note: str


class ShipmentLineView(View):
    order_line_id: OrderLineId
    quantity: int


class ShipmentView(View):
    id: ShipmentId
    order_id: OrderId
    carrier: str
    tracking: str
    status: str
    lines: list[ShipmentLineView]
    promised_on: date | None
    delayed: bool
    dispatched_at: datetime
    delivered_at: datetime | None
    signed_by: str | None
    history: list[TrackingEventView]


class BuyLabel(Command):
    """By an offer that is still good, or by a carrier and one of its services; without any the shop itself carries it by
    the method that was bought."""

    quote_id: QuoteId | None = None
    carrier: Code | None = None
    service: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None


class LabelView(View):
    """`status` is buying (the carrier has not answered yet), bought, refused (see `failure`), voiding or voided."""

    id: LabelId
    package_id: PackageId
    order_id: OrderId
    carrier: str
    service: str
    status: str
    tracking: str | None
    price: MoneyView | None
    failure: str | None
    created_at: datetime


class LabelState(BaseModel):
    """What a saga of a label goes by; the rest stands in its row."""

    label_id: UUID


class CloseManifest(Command):
    carrier: Code
    location_id: LocationId


class ManifestView(View):
    id: ManifestId
    carrier: str
    location_id: LocationId
    day: date
    parcels: int
    closed_at: datetime
