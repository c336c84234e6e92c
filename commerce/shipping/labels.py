"""Labels: bought once for a package by a saga, printed as often as anybody likes, given back as long as nothing left."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal
from uuid import UUID

from commerce.shipping.errors import (
    LabelNotThere,
    LabelNotVoidable,
    LabelTwice,
    PackageNotLabelled,
    QuoteGone,
    UnknownCarrier,
    UnknownLabel,
)
from commerce.shipping.permissions import SEND_PARCELS
from commerce.shipping.ports import Carrier, Parcel, Place
from commerce.shipping.schemas import BuyLabel, LabelView
from commerce.shipping.tables import ShippingLabel
from kernel.db import Record, Work, law
from kernel.repository import Repository
from kernel.schemas import money

HOUSE = "standard"
"""The carrier that is the shop itself."""

# $1 carrier, $2 merchant: an active carrier and whose account is used with it
_SENDER = """
select c.id, c.adapter, a.reference, a.sender from carriers c
left join carrier_accounts a on a.carrier_id = c.id and (a.merchant_id = $2 or a.merchant_id is null)
where c.code = $1 and c.active order by (a.merchant_id is null) limit 1
"""

_QUOTE = """
select c.code, q.service from shipping_quotes q join carriers c on c.id = q.carrier_id
where q.id = $1 and q.expires_at > $2 and (q.merchant_id is null or q.merchant_id = $3)
"""

# $1 id, $2 package, $3 order, $4 group, $5 merchant, $6 carrier, $7 service, $8 number, $9 parcel, $10 actor, $11 now
_BEGIN = """
insert into shipping_labels (id, package_id, order_id, group_id, merchant_id, carrier_id, service, number, parcel, status,
                             actor, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'buying', $10, $11)
"""

_VOIDING = """
update shipping_labels l set status = 'voiding'
where id = $1 and status = 'bought' and not exists (select from shipment_packages p where p.label_id = l.id)
"""

_LIVE = """
select l.id, l.tracking, c.code as carrier from shipping_labels l join carriers c on c.id = l.carrier_id
where l.package_id = $1 and l.status = 'bought' for update of l
"""


@dataclass(frozen=True, slots=True)
class Packed:
    """A package that is to be sent, with what its order knows: where it goes, and the method that was bought."""

    package_id: UUID
    order_id: UUID
    group_id: UUID
    merchant_id: UUID
    number: str
    to: Place
    origin: str
    """Country it leaves from, where no account says more."""
    weight_g: int
    size_mm: tuple[int, int, int]
    worth: int
    currency: str
    method: str


@dataclass(frozen=True, slots=True)
class Live:
    """The label a package leaves with."""

    id: UUID
    tracking: str
    carrier: str


class Labels:
    """Rows of labels; the sagas that buy and give back are begun above, where orders are known."""

    def __init__(self, adapters: Mapping[str, Carrier]) -> None:
        self._adapters = adapters
        self._labels = Repository(ShippingLabel, "merchant_id")

    async def begin(self, work: Work, label_id: UUID, packed: Packed, command: BuyLabel) -> None:
        """The row of the one label of a package, whose purchase is begun with it.

        Raises LabelTwice, UnknownCarrier, QuoteGone."""
        work.principal.require(SEND_PARCELS)
        carrier, service = command.carrier or HOUSE, command.service or packed.method
        if command.quote_id:
            quote = await work.row(_QUOTE, command.quote_id, work.now, packed.merchant_id)
            if quote is None:
                raise QuoteGone()
            carrier, service = quote.values()
        sender = await work.row(_SENDER, carrier, packed.merchant_id)
        if sender is None or sender["adapter"] not in self._adapters:
            raise UnknownCarrier()
        parcel = asdict(_parcel(packed, sender))
        with law("uq_shipping_labels_package_id", LabelTwice()):
            await work.run(
                _BEGIN,
                *(label_id, packed.package_id, packed.order_id, packed.group_id, packed.merchant_id, sender["id"]),
                *(service, packed.number, parcel, work.principal.subject, work.now),
            )

    async def void(self, work: Work, label_id: UUID) -> UUID:
        """Nothing may leave with a label any more that is to be given back; returns its purchase.

        Raises UnknownLabel, LabelNotVoidable."""
        work.principal.require(SEND_PARCELS)
        locked = await self._labels.lock(
            work, [label_id]
        )  # whoever leaves with it meanwhile is seen by the next statement
        if not locked:
            raise UnknownLabel()
        (label,) = locked
        if not await work.run(_VOIDING, label_id):
            raise LabelNotVoidable(status=label.status)
        return label.group_id

    async def view(self, work: Work, label_id: UUID) -> LabelView:
        """One label of the caller's. Raises UnknownLabel."""
        work.principal.require(SEND_PARCELS)
        return await self._view(work, await self._get(work, label_id))

    async def of_package(self, work: Work, package_id: UUID) -> list[LabelView]:
        """Every label a package had, oldest first."""
        work.principal.require(SEND_PARCELS)
        found = await self._labels.all(work, self._labels.table.c.package_id == package_id)
        return [await self._view(work, label) for label in found]

    async def printed(self, work: Work, label_id: UUID, form: Literal["pdf", "zpl"]) -> bytes:
        """The file of a label that was bought. Raises UnknownLabel, LabelNotThere."""
        work.principal.require(SEND_PARCELS)
        label = await self._get(work, label_id)
        if label.status != "bought" or label.pdf is None or label.zpl is None:
            raise LabelNotThere(status=label.status)
        return label.pdf if form == "pdf" else label.zpl.encode()

    async def live(self, work: Work, package_id: UUID) -> Live:
        """The label a package can leave with, kept from being given back meanwhile. Raises PackageNotLabelled."""
        row = await work.row(_LIVE, package_id)
        if row is None:
            raise PackageNotLabelled()
        return Live(**dict(row))

    async def left(self, work: Work, label: Live, package_id: UUID) -> None:
        """Notes that a package left under its label: the parcel bears the label's id."""
        await work.run(
            "insert into shipment_packages (shipment_id, package_id, label_id) values ($1, $2, $1)",
            label.id,
            package_id,
        )

    # --- inside ---

    async def _get(self, work: Work, label_id: UUID) -> ShippingLabel:
        label = await self._labels.get(work, label_id)
        if label is None:
            raise UnknownLabel()
        return label

    async def _view(self, work: Work, label: ShippingLabel) -> LabelView:
        carrier = await work.value("select code from carriers where id = $1", label.carrier_id)
        names = ("id", "package_id", "order_id", "service", "status", "tracking", "failure", "created_at")
        price = None if label.minor is None else money(label.minor, label.currency or "")
        return LabelView(**{name: getattr(label, name) for name in names}, carrier=carrier, price=price)


def _parcel(packed: Packed, sender: Record) -> Parcel:
    return Parcel(
        sender=Place(**sender["sender"]) if sender["sender"] else Place(packed.origin),
        to=packed.to,
        weight_g=packed.weight_g,
        worth=packed.worth,
        currency=packed.currency,
        size_mm=packed.size_mm,
        account=sender["reference"] or "",
    )
