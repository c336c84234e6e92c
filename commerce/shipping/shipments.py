"""Parcels: what was sent, what its carrier saw of it, that it arrived. Orders stand above and guard how many units a line
may send."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from commerce.shipping.errors import UnknownParcel
from commerce.shipping.events import (
    ShipmentDelayed,
    ShipmentDelivered,
    ShipmentDispatched,
    ShipmentEvent,
    ShipmentLost,
    ShipmentOutForDelivery,
)
from commerce.shipping.ports import Seen
from commerce.shipping.rules import ARRIVES_FROM, LOST_STATES, furthest, is_open
from commerce.shipping.schemas import ShipmentLineView, ShipmentView, TrackingEventView
from commerce.shipping.tables import OPEN_STATES, Shipment
from kernel.db import Work
from kernel.ids import new_id
from kernel.repository import Repository

# $1 id, $2 order, $3 group, $4 merchant, $5 carrier, $6 tracking, $7 promised, $8 now, $9 lines, $10 quantities, $11 actor,
# $12 location
_DISPATCH = """
with parcel as (
  insert into shipments (id, order_id, group_id, merchant_id, carrier, tracking, status, promised_on, dispatched_at,
                         asked_at, location_id)
  values ($1, $2, $3, $4, $5, $6, 'dispatched', $7, $8, $8, $12)
), told as (
  insert into tracking_events (id, shipment_id, kind, actor, at) values (uuidv7(), $1, 'dispatched', $11, $8)
)
insert into shipment_lines (shipment_id, order_line_id, quantity)
select $1, * from unnest($9::uuid[], $10::bigint[])
"""

# $1 order, $2 shipment or null for all that are open, $3 instant, $4 actor, $5 states it may leave, $6 now, $7 reference,
# $8 note, $9 signed by
_DELIVERED = """
with arrived as (
  update shipments set status = 'delivered', delivered_at = greatest($3, dispatched_at)
  where order_id = $1 and ($2::uuid is null or id = $2) and status = any($5) returning id, group_id, order_id, delivered_at
), noted as (
  insert into tracking_events (id, shipment_id, kind, actor, at, reference, note)
  select uuidv7(), id, 'delivered', $4, delivered_at, $7, $8 from arrived
), proven as (
  insert into delivery_confirmations (shipment_id, source, signed_by, delivered_at, noted_at)
  select id, $4, $9, delivered_at, $6 from arrived
)
select id as shipment_id, group_id, order_id from arrived order by id
"""

# $1 shipment, $2 actor, $3 kinds, $4 instants, $5 references, $6 notes: what is new of what was seen
_SEEN = """
insert into tracking_events (id, shipment_id, kind, actor, at, reference, note)
select uuidv7(), $1, s.kind, $2, s.at, s.reference, s.note
from unnest($3::text[], $4::timestamptz[], $5::text[], $6::text[]) s(kind, at, reference, note)
on conflict (shipment_id, reference) do nothing returning kind, at
"""

# $1 shipment, $2 the state it was in, $3 the state it is in, $4 now
_MOVE = "update shipments set status = $3, asked_at = $4 where id = $1 and status = $2"

# $1 today, $2 now, $3 most: promised for a day that is over
_LATE = """
with late as (
  select id from shipments where status = any($4) and delayed_at is null and promised_on < $1
  order by promised_on, id limit $3 for update skip locked
), told as (
  insert into tracking_events (id, shipment_id, kind, actor, at) select uuidv7(), id, 'delayed', 'system', $2 from late
)
update shipments s set delayed_at = $2 from late where s.id = late.id
returning s.id as shipment_id, s.order_id, s.group_id, s.promised_on
"""

_HISTORY = "select shipment_id, kind, at, note from tracking_events where shipment_id = any($1) order by at, id"


@dataclass(frozen=True, slots=True)
class Sending:
    """A parcel of one order that leaves now; `lines` are units by order line, `promised_on` the last day it may take."""

    order_id: UUID
    group_id: UUID
    merchant_id: UUID
    lines: Mapping[UUID, int]
    carrier: str
    tracking: str
    promised_on: date | None = None
    location_id: UUID | None = None
    id: UUID = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Arrival:
    """That a parcel arrived, as it was told: who by, when, and who signed."""

    at: datetime
    reference: str | None = None
    note: str = ""
    signed_by: str = ""
    source: str = ""


class Shipments:
    def __init__(self) -> None:
        self._shipments = Repository(Shipment)

    async def dispatch(self, work: Work, sending: Sending) -> UUID:
        """One parcel of an order leaves. Emits ShipmentDispatched."""
        await self._send(work, sending)
        named = {"group_id": sending.group_id, "order_id": sending.order_id, "shipment_id": sending.id}
        work.emit(ShipmentDispatched(**named, carrier=sending.carrier))
        return sending.id

    async def bring_in(self, work: Work, sending: Sending, arrived: bool) -> None:
        """A parcel from before, on its way or arrived; nobody is told."""
        await self._send(work, sending)
        if arrived:
            await self._arrive(work, sending.order_id, sending.id, Arrival(work.now))

    async def _send(self, work: Work, sending: Sending) -> None:
        lines = sending.lines
        await work.run(
            _DISPATCH,
            *(sending.id, sending.order_id, sending.group_id, sending.merchant_id, sending.carrier, sending.tracking),
            *(
                sending.promised_on,
                work.now,
                list(lines),
                list(lines.values()),
                work.principal.subject,
                sending.location_id,
            ),
        )

    async def arrived(
        self, work: Work, order_id: UUID, shipment_id: UUID | None, arrival: Arrival | None = None
    ) -> int:
        """Notes one parcel, or all that are on their way, as delivered; returns how many. Emits ShipmentDelivered."""
        moved = await self._arrive(work, order_id, shipment_id, arrival or Arrival(work.now))
        work.emit(*moved)
        return len(moved)

    async def _arrive(
        self, work: Work, order_id: UUID, shipment_id: UUID | None, arrival: Arrival
    ) -> list[ShipmentDelivered]:
        states = list(ARRIVES_FROM if shipment_id else OPEN_STATES)
        source = arrival.source or work.principal.subject
        rows = await work.rows(
            _DELIVERED,
            *(order_id, shipment_id, arrival.at, source, states, work.now),
            *(arrival.reference, arrival.note, arrival.signed_by),
        )
        return [ShipmentDelivered(**dict(row)) for row in rows]

    async def on_the_way(self, work: Work, order_id: UUID) -> bool:
        return bool(
            await work.value(
                "select exists (select from shipments where order_id = $1 and status = any($2))",
                *(order_id, list(OPEN_STATES)),
            )
        )

    async def seen(self, work: Work, shipment_id: UUID, seen: Sequence[Seen], source: str) -> str:
        """Notes what a carrier saw, but for an arrival, which is the order's to note; returns the state it leads to.

        News that were told before change nothing, nor do those that are behind the parcel's state. Emits
        ShipmentOutForDelivery, ShipmentLost, and ShipmentDelayed once. Raises UnknownParcel."""
        locked = await self._shipments.lock(work, [shipment_id])
        if not locked:
            raise UnknownParcel()
        row = locked[0]
        told = [one for one in sorted(seen, key=lambda one: one.at) if one.kind != "delivered"]
        columns = [[getattr(one, name) for one in told] for name in ("kind", "at", "reference", "note")]
        fresh = sorted(await work.rows(_SEEN, shipment_id, source, *columns), key=lambda new: new["at"])
        status = furthest(row.status, [new["kind"] for new in fresh])
        await work.run(_MOVE, shipment_id, row.status, status, work.now)
        named = {"group_id": row.group_id, "order_id": row.order_id, "shipment_id": row.id}
        if status != row.status and status == "out_for_delivery":
            work.emit(ShipmentOutForDelivery(**named))
        if status != row.status and status in LOST_STATES:
            work.emit(ShipmentLost(**named, how=status))
        if row.delayed_at is None and is_open(status) and any(new["kind"] == "delayed" for new in fresh):
            await work.run("update shipments set delayed_at = $2 where id = $1", shipment_id, work.now)
            work.emit(ShipmentDelayed(**named, promised_on=_day(row.promised_on)))
        return status

    async def late(self, work: Work, most: int = 200) -> int:
        """Parcels that were promised for a day that is over; told of once each. Emits ShipmentDelayed."""
        rows = await work.rows(_LATE, work.now.date(), work.now, most, list(OPEN_STATES))
        told: list[ShipmentEvent] = [
            ShipmentDelayed(**{**dict(row), "promised_on": _day(row["promised_on"])}) for row in rows
        ]
        work.emit(*told)
        return len(rows)

    async def of_order(self, work: Work, order_id: UUID) -> list[ShipmentView]:
        """Parcels of an order, oldest first."""
        return await self._views(work, await self._shipments.all(work, self._shipments.table.c.order_id == order_id))

    async def get(self, work: Work, shipment_id: UUID) -> ShipmentView:
        """One parcel of what the caller may see. Raises UnknownParcel."""
        found = await self._shipments.get(work, shipment_id)
        if found is None:
            raise UnknownParcel()
        return (await self._views(work, [found]))[0]

    async def _views(self, work: Work, found: Sequence[Shipment]) -> list[ShipmentView]:
        ids = [shipment.id for shipment in found]
        rows = await work.rows("select * from shipment_lines where shipment_id = any($1) order by order_line_id", ids)
        lines: dict[UUID, list[ShipmentLineView]] = {shipment_id: [] for shipment_id in ids}
        for row in rows:
            lines[row["shipment_id"]].append(ShipmentLineView.model_validate(dict(row)))
        history: dict[UUID, list[TrackingEventView]] = {shipment_id: [] for shipment_id in ids}
        for row in await work.rows(_HISTORY, ids):
            history[row["shipment_id"]].append(TrackingEventView(kind=row["kind"], at=row["at"], note=row["note"]))
        proofs = await work.rows(
            "select shipment_id, signed_by from delivery_confirmations where shipment_id = any($1)", ids
        )
        signed = {row["shipment_id"]: row["signed_by"] or None for row in proofs}
        return [
            ShipmentView(
                id=s.id,
                order_id=s.order_id,
                carrier=s.carrier,
                tracking=s.tracking,
                status=s.status,
                lines=lines[s.id],
                promised_on=s.promised_on,
                delayed=s.delayed_at is not None,
                dispatched_at=s.dispatched_at,
                delivered_at=s.delivered_at,
                signed_by=signed.get(s.id),
                history=history[s.id],
            )
            for s in found
        ]


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
