"""Parcels as their carriers see them: signed notices as they come, and those that are silent too long are asked about.

Whatever comes late, twice or in another order leads to the same state; an arrival makes the order delivered.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from commerce.order.delivery import FulfillmentService
from commerce.shipping.carriers import CarrierService
from commerce.shipping.errors import BadCarrierSignature, UnreadableNotice
from commerce.shipping.permissions import TRACK_PARCELS
from commerce.shipping.ports import Carrier, CarrierRefused, CarrierSilent, News, Seen
from commerce.shipping.tables import OPEN_STATES
from kernel import telemetry
from kernel.auth import SYSTEM
from kernel.db import Database, Record, Work

SILENT = timedelta(hours=6)
"""How long nothing may be heard of a parcel until its carrier is asked."""
AT_ONCE = 20
"""Parcels that are asked about in one turn."""
log = telemetry.log("tracking")

# $1 carrier, $2 event, $3 tracking, $4 now
_HEARD = """
insert into carrier_notices (carrier_id, event_id, tracking, received_at)
select id, $2, $3, $4 from carriers where code = $1 on conflict do nothing
"""

_TRACKED = "select id, order_id from shipments where carrier = $1 and tracking = $2 order by order_id, id"

# $1 now, $2 heard before, $3 open states, $4 adapters that can be asked, $5 most: claimed by their new instant
_SILENT = """
update shipments set asked_at = $1 where id in (
  select s.id from shipments s join carriers c on c.code = s.carrier and c.adapter = any($4)
  where s.status = any($3) and s.asked_at < $2 and s.tracking <> ''
  order by s.asked_at limit $5 for update of s skip locked
) returning id, order_id, carrier, tracking,
  (select adapter from carriers where code = shipments.carrier) as adapter
"""


class Tracking:
    def __init__(self, database: Database, carriers: CarrierService, fulfillment: FulfillmentService) -> None:
        self._database = database
        self._carriers = carriers
        self._fulfillment = fulfillment

    async def notice(self, work: Work, carrier: str, body: bytes, headers: Mapping[str, str]) -> bool:
        """A carrier's webhook; False for a repetition, or one that is about no parcel of ours.

        Raises BadCarrierSignature (also for a carrier that sends none), UnreadableNotice."""
        work.principal.require(TRACK_PARCELS)
        adapter = await self._adapter(work, carrier)
        adapter.verify(body, headers)
        try:
            news = adapter.read(body)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UnreadableNotice() from None
        return news is not None and await self._heard(work, carrier, news)

    async def poll(self) -> int:
        """Asks about parcels of which nothing was heard for SILENT, outside any transaction; returns how many."""
        async with self._database.work(SYSTEM) as work:
            outside = [name for name, adapter in self._carriers.adapters.items() if not adapter.own]
            rows = await work.rows(_SILENT, work.now, work.now - SILENT, list(OPEN_STATES), outside, AT_ONCE)
        answers = await asyncio.gather(*(self._ask(row) for row in rows))
        for row, seen in zip(rows, answers, strict=True):
            if seen:
                async with self._database.work(SYSTEM) as work:
                    await self._fulfillment.track(work, row["order_id"], row["id"], seen, row["carrier"])
        return len(rows)

    # --- inside ---

    async def _adapter(self, work: Work, carrier: str) -> Carrier:
        name = await work.value("select adapter from carriers where code = $1 and active", carrier)
        if name not in self._carriers.adapters:
            raise BadCarrierSignature()
        return self._carriers.adapters[name]

    async def _heard(self, work: Work, carrier: str, news: News) -> bool:
        if not await work.run(_HEARD, carrier, news.id, news.tracking, work.now):
            return False
        parcels: list[tuple[UUID, UUID]] = [
            (row["order_id"], row["id"]) for row in await work.rows(_TRACKED, carrier, news.tracking)
        ]
        for order_id, shipment_id in parcels:
            await self._fulfillment.track(work, order_id, shipment_id, news.seen, carrier)
        return bool(parcels)

    async def _ask(self, row: Record) -> Sequence[Seen]:
        """What the carrier knows; nothing where it does not answer: the next turn asks again."""
        try:
            return await self._carriers.adapters[row["adapter"]].track(row["tracking"])
        except (CarrierSilent, CarrierRefused) as lost:
            log.warning("carrier_silent", carrier=row["carrier"], error=type(lost).__name__, cause=str(lost))
            return []
