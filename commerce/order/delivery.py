"""Orders on their way: parcels arrive (`fulfillment` sends them), units come back. The counts of a line are guarded by its constraint."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from commerce.order.errors import OrderNotFound, UnknownShipment
from commerce.order.events import OrderDelivered
from commerce.order.permissions import READ_ORDERS, SHIP_ORDERS
from commerce.order.schemas import NoteDelivery, SentLine, SentOrder
from commerce.order.tables import Order
from commerce.order.views import address_of
from commerce.shipping import Arrival, Shipments, ShipmentView
from commerce.shipping.permissions import TRACK_PARCELS
from commerce.shipping.ports import Seen
from kernel.db import Work
from kernel.repository import Repository

# $1 order, $2 status, $3 now, $4 states it may leave
_MOVE = """
update orders set status = $2, fulfillment_status = $2, updated_at = $3 where id = $1 and status = any($4) returning id
"""

_SENT = """
select l.id, l.variant_id, l.product_id, l.sku, l.name, l.options, l.quantity, l.shipped, l.returned, l.tax_rate,
       o.status, t.delivered_at, g.email, g.shipping_method,
       a.name as to_name, a.line1, a.line2, a.city, a.region, a.postal_code, a.country
from order_lines l join orders o on o.id = l.order_id join order_groups g on g.id = o.group_id
join order_addresses a on a.group_id = g.id left join order_delivery_tracking t on t.order_id = o.id
where l.order_id = $1 order by l.id
"""

_TOOK_BACK = """
update order_lines l set returned = returned + b.quantity
from unnest($2::uuid[], $3::bigint[]) b(id, quantity) where l.id = b.id and l.order_id = $1
"""


class FulfillmentService:
    def __init__(self, shipments: Shipments) -> None:
        self._shipments = shipments
        self._orders = Repository(Order, "customer_id", "guest_key", "merchant_id")

    async def delivered(self, work: Work, order_id: UUID, command: NoteDelivery) -> list[ShipmentView]:
        """Notes a parcel, or all of them, as arrived; the last one makes the order delivered. Emits OrderDelivered.

        Raises OrderNotFound, UnknownShipment."""
        work.principal.require(SHIP_ORDERS)
        order = await self._lock(work, order_id)
        if not await self._arrive(work, order, command.shipment_id, Arrival(work.now)):
            raise UnknownShipment()
        return await self._shipments.of_order(work, order_id)

    async def track(self, work: Work, order_id: UUID, shipment_id: UUID, seen: Sequence[Seen], source: str) -> None:
        """Notes what a carrier saw of a parcel; an arrival counts as `delivered`. What is behind its state changes
        nothing. Emits ShipmentOutForDelivery, ShipmentDelayed, ShipmentLost, ShipmentDelivered, OrderDelivered."""
        work.principal.require(TRACK_PARCELS)
        order = await self._lock(work, order_id)
        await self._shipments.seen(work, shipment_id, seen, source)
        for one in (one for one in seen if one.kind == "delivered"):
            arrival = Arrival(min(one.at, work.now), one.reference, one.note, one.signed_by, source)
            await self._arrive(work, order, shipment_id, arrival)

    async def late(self, work: Work) -> int:
        """Tells of parcels that were promised for a day that is over, once each. Emits ShipmentDelayed."""
        work.principal.require(TRACK_PARCELS)
        return await self._shipments.late(work)

    async def _arrive(self, work: Work, order: Order, shipment_id: UUID | None, arrival: Arrival) -> int:
        """Parcels that are there; the last one makes the order delivered. Returns how many."""
        arrived = await self._shipments.arrived(work, order.id, shipment_id, arrival)
        if arrived and order.status == "shipped" and not await self._shipments.on_the_way(work, order.id):
            await work.value(_MOVE, order.id, "delivered", work.now, ["shipped"])
            await work.run(
                "update order_delivery_tracking set delivered_at = $2 where order_id = $1", order.id, work.now
            )
            work.emit(OrderDelivered(group_id=order.group_id, order_ids=[order.id], order_id=order.id))
        return arrived

    async def shipments(self, work: Work, order_id: UUID) -> list[ShipmentView]:
        """The parcels of an order the caller may see. Raises OrderNotFound."""
        work.principal.require(READ_ORDERS)
        if await self._orders.get(work, order_id) is None:
            raise OrderNotFound()
        return await self._shipments.of_order(work, order_id)

    async def sent(self, work: Work, order_id: UUID) -> SentOrder:
        """An order the caller may see, with what became of its units. Raises OrderNotFound."""
        work.principal.require(READ_ORDERS)
        if await self._orders.get(work, order_id) is None:
            raise OrderNotFound()
        rows = await work.rows(_SENT, order_id)
        first = rows[0]
        names = (
            "id",
            "variant_id",
            "product_id",
            "sku",
            "name",
            "options",
            "quantity",
            "shipped",
            "returned",
            "tax_rate",
        )
        return SentOrder(
            *(order_id, first["status"], first["delivered_at"], first["email"], first["shipping_method"]),
            address_of(first),
            {row["id"]: SentLine(*(row[name] for name in names)) for row in rows},
        )

    async def took_back(self, work: Work, order_id: UUID, units: Mapping[UUID, int]) -> None:
        """Counts units that came back, by order line; never more than were sent (a constraint)."""
        await work.run(_TOOK_BACK, order_id, list(units), list(units.values()))

    async def _lock(self, work: Work, order_id: UUID) -> Order:
        """The order, for its merchant or the staff: a merchant's own purchase elsewhere is not theirs to send."""
        found = await self._orders.lock(work, [order_id])
        if not found or not (work.principal.is_staff or found[0].merchant_id in work.principal.merchant_ids):
            raise OrderNotFound()
        return found[0]
