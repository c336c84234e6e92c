"""Parcels: what was sent, and that it arrived. Orders stand above and guard how many units a line may send."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from commerce.shipping.schemas import ShipmentLineView, ShipmentView
from commerce.shipping.tables import Shipment
from kernel.db import Work
from kernel.ids import new_id
from kernel.repository import Repository

# $1 id, $2 order, $3 merchant, $4 carrier, $5 tracking, $6 now, $7 lines, $8 quantities, $9 actor
_DISPATCH = """
with parcel as (
  insert into shipments (id, order_id, merchant_id, carrier, tracking, status, dispatched_at)
  values ($1, $2, $3, $4, $5, 'dispatched', $6)
), told as (
  insert into tracking_events (id, shipment_id, kind, actor, at) values (uuidv7(), $1, 'dispatched', $9, $6)
)
insert into shipment_lines (shipment_id, order_line_id, quantity)
select $1, * from unnest($7::uuid[], $8::bigint[])
"""

# $1 order, $2 shipment or null for all, $3 now, $4 actor
_DELIVERED = """
with arrived as (
  update shipments set status = 'delivered', delivered_at = $3
  where order_id = $1 and ($2::uuid is null or id = $2) and status = 'dispatched' returning id
)
insert into tracking_events (id, shipment_id, kind, actor, at) select uuidv7(), id, 'delivered', $4, $3 from arrived
"""


class Shipments:
    def __init__(self) -> None:
        self._shipments = Repository(Shipment)

    async def dispatch(
        self, work: Work, order_id: UUID, merchant_id: UUID, lines: Mapping[UUID, int], carrier: str, tracking: str
    ) -> UUID:
        """One parcel of an order; `lines` are units by order line."""
        made = new_id()
        await work.run(
            _DISPATCH,
            *(made, order_id, merchant_id, carrier, tracking, work.now, list(lines), list(lines.values())),
            work.principal.subject,
        )
        return made

    async def bring_in(
        self, work: Work, order_id: UUID, merchant_id: UUID, lines: Mapping[UUID, int], tracking: str, arrived: bool
    ) -> None:
        """A parcel from before, on its way or arrived."""
        made = await self.dispatch(work, order_id, merchant_id, lines, "standard", tracking)
        if arrived:
            await self.arrived(work, order_id, made)

    async def arrived(self, work: Work, order_id: UUID, shipment_id: UUID | None) -> int:
        """Notes one parcel, or all that are on their way, as delivered; returns how many."""
        return await work.run(_DELIVERED, order_id, shipment_id, work.now, work.principal.subject)

    async def on_the_way(self, work: Work, order_id: UUID) -> bool:
        return bool(
            await work.value(
                "select exists (select from shipments where order_id = $1 and status = 'dispatched')", order_id
            )
        )

    async def of_order(self, work: Work, order_id: UUID) -> list[ShipmentView]:
        """Parcels of an order, oldest first."""
        found = await self._shipments.all(work, self._shipments.table.c.order_id == order_id)
        return await self._views(work, found)

    async def _views(self, work: Work, found: Sequence[Shipment]) -> list[ShipmentView]:
        rows = await work.rows(
            "select * from shipment_lines where shipment_id = any($1) order by order_line_id", [s.id for s in found]
        )
        lines: dict[UUID, list[ShipmentLineView]] = {shipment.id: [] for shipment in found}
        for row in rows:
            lines[row["shipment_id"]].append(ShipmentLineView.model_validate(dict(row)))
        return [
            ShipmentView(
                id=s.id,
                order_id=s.order_id,
                carrier=s.carrier,
                tracking=s.tracking,
                status=s.status,
                lines=lines[s.id],
                dispatched_at=s.dispatched_at,
                delivered_at=s.delivered_at,
            )
            for s in found
        ]
