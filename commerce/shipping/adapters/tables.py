"""The embedded carrier: rates from the shop's own tables, labels it prints itself, parcels whose way people note."""

import hashlib
from collections.abc import Mapping

from commerce.shipping.errors import BadCarrierSignature
from commerce.shipping.ports import Bought, CarrierRefused, News, Offer, Parcel, Seen
from commerce.shipping.service import ShippingService
from kernel.auth import SYSTEM
from kernel.db import Database

DIGITS = 12


class TableCarrier:
    own = True

    def __init__(self, database: Database, shipping: ShippingService) -> None:
        self._database = database
        self._shipping = shipping

    async def rates(self, parcel: Parcel) -> list[Offer]:
        async with self._database.work(SYSTEM) as work:
            found = await self._shipping.rates(
                work, parcel.to.country, parcel.currency, max(parcel.weight_g, 1), parcel.worth
            )
        return [Offer(r.code, r.name, r.minor, parcel.currency, r.min_days, r.max_days) for r in found]

    async def buy(self, key: str, *, parcel: Parcel, service: str) -> Bought:
        """Costs nobody anything outside: the number follows from the key, so asking again is the same label."""
        offer = next((offer for offer in await self.rates(parcel) if offer.service == service), None)
        if offer is None:
            raise CarrierRefused("service_unavailable")
        number = int.from_bytes(hashlib.sha256(key.encode()).digest()) % 10**DIGITS
        return Bought(reference=key, tracking=f"AG{number:0{DIGITS}d}", minor=offer.minor, currency=offer.currency)

    async def void(self, key: str, *, reference: str) -> None:
        """There is nobody to tell."""

    async def track(self, tracking: str) -> list[Seen]:  # noqa: ARG002  # the port's shape
        return []

    def verify(self, body: bytes, headers: Mapping[str, str]) -> None:  # noqa: ARG002  # the port's shape
        raise BadCarrierSignature()

    def read(self, body: bytes) -> News | None:  # noqa: ARG002  # the port's shape
        return None
