"""Rate shopping: every carrier is asked at once, outside any transaction, and no longer than its time; what they said is
kept for a while, and where one stays silent the shop's own tables stand in."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

import orjson

from commerce.pricing import PricingService
from commerce.shipping.errors import MerchantNeeded, UnknownSeller
from commerce.shipping.permissions import QUOTE
from commerce.shipping.ports import Carrier, CarrierRefused, CarrierSilent, Offer, Parcel, Place
from commerce.shipping.promises import loaded
from commerce.shipping.schemas import QuoteParcel, QuotesView, QuoteView
from commerce.shipping.service import ShippingService
from kernel import telemetry
from kernel.auth import Principal
from kernel.db import Database, Record, Work, law
from kernel.ids import new_id
from kernel.schemas import money

FRESH = timedelta(minutes=15)
"""How long an offer is good: carriers hold their rates for at least that."""
OLD = timedelta(days=1)
log = telemetry.log("shipping")

# $1 merchant or null: the active carriers, and whose account is used with each
_SENDERS = """
select c.id, c.code, c.adapter, c.active, a.reference, a.sender from carriers c
left join lateral (
  select reference, sender from carrier_accounts
  where carrier_id = c.id and (merchant_id = $1 or merchant_id is null) order by (merchant_id is null) limit 1
) a on true
where c.active or c.adapter = 'table' order by c.code
"""

_KNOWN = "select * from shipping_quotes where digest = any($1) and expires_at > $2 order by minor, id"

# $1 digest, $2 carrier, $3 merchant, $4 now, $5 until; offers: $6 ids, $7 services, $8 names, $9 prices, $10 currencies,
# $11 least days, $12 most days
_KEEP = """
insert into shipping_quotes (id, digest, carrier_id, merchant_id, service, name, minor, currency, min_days, max_days,
                             created_at, expires_at)
select id, $1, $2, $3, service, name, minor, currency, min_days, max_days, $4, $5
from unnest($6::uuid[], $7::text[], $8::text[], $9::bigint[], $10::text[], $11::bigint[], $12::bigint[])
  o(id, service, name, minor, currency, min_days, max_days)
returning *
"""
Source = Literal["carrier", "cache", "table"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A carrier and the parcel as it is sent with it; `digest` is the same for every parcel like this."""

    id: UUID
    code: str
    adapter: str
    active: bool
    parcel: Parcel
    digest: bytes


class RateShopping:
    def __init__(
        self,
        database: Database,
        shipping: ShippingService,
        pricing: PricingService,
        adapters: Mapping[str, Carrier],
        seconds: float,
    ) -> None:
        self._database = database
        self._shipping = shipping
        self._pricing = pricing
        self._adapters = adapters
        self._seconds = seconds

    async def quote(self, principal: Principal, command: QuoteParcel) -> QuotesView:
        """What each carrier takes for a parcel, cheapest first: two short transactions and between them the calls.

        Raises MerchantNeeded, UnknownSeller, UnknownChannel."""
        principal.require(QUOTE)
        merchant = sender_of(principal, command.merchant_id)
        await loaded()
        async with self._database.work(principal) as work:
            asked = await self._asked(work, merchant, command)
            rows = await work.rows(_KNOWN, [one.digest for one in asked], work.now)
        known = {one.id: [row for row in rows if row["digest"] == one.digest] for one in asked}
        outside = [one for one in asked if one.active and not self._own(one) and not known[one.id]]
        answers = await asyncio.gather(*(self._ask(one) for one in outside))
        silent = [one.code for one, offers in zip(outside, answers, strict=True) if offers is None]
        fresh = {one.id: offers for one, offers in zip(outside, answers, strict=True) if offers}
        tables = [one for one in asked if self._own(one) and (one.active or silent) and not known[one.id]]
        fresh.update({one.id: await self._adapters[one.adapter].rates(one.parcel) for one in tables})
        async with self._database.work(principal) as work:
            quotes = []
            for one in asked:
                source: Source = "cache" if known[one.id] else "carrier"
                rows = known[one.id] or await self._keep(work, one, merchant, fresh.get(one.id, []))
                quotes += [await self._view(work, merchant, command.country, one, row, source) for row in rows]
        return QuotesView(quotes=sorted(quotes, key=lambda q: q.price.amount), silent=silent, fallback=bool(silent))

    async def forget(self, work: Work) -> None:
        """Offers that nobody can take any more."""
        await work.run("delete from shipping_quotes where expires_at < $1", work.now - OLD)

    # --- inside ---

    def _own(self, one: Asked) -> bool:
        return one.adapter == "table"

    async def _asked(self, work: Work, merchant: UUID | None, command: QuoteParcel) -> list[Asked]:
        channel = await self._pricing.channel(work, command.channel)
        to, found = Place(command.country, command.postal_code), []
        for row in await work.rows(_SENDERS, merchant):
            if row["adapter"] not in self._adapters:
                continue
            sender = Place(**row["sender"]) if row["sender"] else Place(channel.country)
            account = row["reference"] or ""
            parcel = Parcel(sender, to, command.weight_g, command.worth, channel.currency, command.size_mm, account)
            digest = hashlib.sha256(orjson.dumps([row["code"], merchant, parcel])).digest()
            found.append(Asked(row["id"], row["code"], row["adapter"], row["active"], parcel, digest))
        return found

    async def _ask(self, one: Asked) -> list[Offer] | None:
        """A carrier's offers, None where it said nothing of use in time: one that is down hides no other."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._adapters[one.adapter].rates(one.parcel)
        except (CarrierSilent, CarrierRefused, TimeoutError) as lost:
            log.warning("carrier_silent", carrier=one.code, error=type(lost).__name__, cause=str(lost))
            return None

    async def _keep(self, work: Work, one: Asked, merchant: UUID | None, offers: Sequence[Offer]) -> list[Record]:
        if not offers:
            return []
        columns = [[getattr(offer, name) for offer in offers] for name in Offer.__slots__]
        until, ids = work.now + FRESH, [new_id() for _ in offers]
        with law("fk_shipping_quotes_merchant_id", UnknownSeller()):
            return await work.rows(_KEEP, one.digest, one.id, merchant, work.now, until, ids, *columns)

    async def _view(
        self, work: Work, merchant: UUID | None, country: str, one: Asked, row: Record, source: Source
    ) -> QuoteView:
        promised = await self._shipping.promise(work, merchant, country, row["min_days"], row["max_days"])
        return QuoteView(
            id=row["id"],
            carrier=one.code,
            service=row["service"],
            name=row["name"],
            price=money(row["minor"], row["currency"]),
            min_days=row["min_days"],
            max_days=row["max_days"],
            ships_on=promised.ships_on,
            earliest_on=promised.earliest_on,
            latest_on=promised.latest_on,
            source="table" if self._own(one) else source,
            expires_at=row["expires_at"],
        )


def sender_of(principal: Principal, wanted: UUID | None) -> UUID | None:
    """Whose parcel it is: staff name anybody or nobody, a merchant sends its own. Raises MerchantNeeded."""
    if principal.is_staff or wanted in principal.merchant_ids:
        return wanted
    if wanted is None and len(principal.merchant_ids) == 1:
        return principal.merchant_ids[0]
    raise MerchantNeeded()
