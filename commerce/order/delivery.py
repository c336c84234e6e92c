"""Orders on their way: units leave in parcels, parcels arrive. The counts of a line are guarded by its constraint."""

from collections.abc import Mapping
from uuid import UUID

from commerce.inventory import InventoryService
from commerce.order import rules
from commerce.order.errors import IllegalMove, OrderNotFound, ShippedTooMany, UnknownOrderLine, UnknownShipment
from commerce.order.events import OrderDelivered, OrderShipped
from commerce.order.permissions import READ_ORDERS, SHIP_ORDERS
from commerce.order.schemas import NoteDelivery, SentLine, SentOrder, ShipUnits
from commerce.order.tables import Order
from commerce.order.views import address_of
from commerce.shipping import Shipments, ShipmentView
from commerce.warehouse import WarehouseService
from kernel.db import Record, Work, law
from kernel.repository import Repository

# $1 order, $2 lines, $3 quantities
_SHIP_LINES = """
update order_lines l set shipped = shipped + s.quantity
from unnest($2::uuid[], $3::bigint[]) s(id, quantity) where l.id = s.id and l.order_id = $1
returning l.variant_id, s.quantity
"""

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

_SHIPPED_AT = """
insert into order_delivery_tracking (order_id, shipped_at) values ($1, $2) on conflict (order_id) do nothing
"""


class FulfillmentService:
    def __init__(self, shipments: Shipments, warehouse: WarehouseService, inventory: InventoryService) -> None:
        self._shipments = shipments
        self._warehouse = warehouse
        self._inventory = inventory
        self._orders = Repository(Order, "customer_id", "guest_key", "merchant_id")

    async def ship(self, work: Work, order_id: UUID, command: ShipUnits) -> list[ShipmentView]:
        """Sends units of an order in one parcel: they leave the stock. Emits OrderShipped.

        Raises OrderNotFound, UnknownOrderLine, IllegalMove, ShippedTooMany, HoldLost."""
        work.principal.require(SHIP_ORDERS)
        order = await self._lock(work, order_id)
        lines = {line.order_line_id: line.quantity for line in command.lines}
        if "shipped" not in rules.TRANSITIONS[order.status]:
            raise IllegalMove(status=order.status, wanted="shipped")
        with law("ck_order_lines_quantities", ShippedTooMany()):
            moved = await work.rows(_SHIP_LINES, order_id, list(lines), list(lines.values()))
        if len(moved) < len(command.lines):
            raise UnknownOrderLine(quantity=1, item="one of these lines")
        parcel = await self._shipments.dispatch(
            work, order_id, order.merchant_id, lines, command.carrier, command.tracking
        )
        rest: int = await work.value(
            "select sum(quantity - cancelled - shipped)::bigint from order_lines where order_id = $1", order_id
        )
        status = "partially_shipped" if rest else "shipped"
        await work.value(_MOVE, order_id, status, work.now, [order.status])
        await work.run(_SHIPPED_AT, order_id, work.now)
        if not rest:
            await self._warehouse.shipped(work, order_id)
        await self._inventory.sell(work, order.group_id, _by_variant(moved))
        units = sum(lines.values())
        work.emit(
            OrderShipped(
                group_id=order.group_id, order_ids=[order_id], parcel_id=parcel, units=units, complete=not rest
            )
        )
        return await self._shipments.of_order(work, order_id)

    async def delivered(self, work: Work, order_id: UUID, command: NoteDelivery) -> list[ShipmentView]:
        """Notes a parcel, or all of them, as arrived; the last one makes the order delivered. Emits OrderDelivered.

        Raises OrderNotFound, UnknownShipment."""
        work.principal.require(SHIP_ORDERS)
        order = await self._lock(work, order_id)
        if not await self._shipments.arrived(work, order_id, command.shipment_id):
            raise UnknownShipment()
        if order.status == "shipped" and not await self._shipments.on_the_way(work, order_id):
            await work.value(_MOVE, order_id, "delivered", work.now, ["shipped"])
            await work.run(
                "update order_delivery_tracking set delivered_at = $2 where order_id = $1", order_id, work.now
            )
            work.emit(OrderDelivered(group_id=order.group_id, order_ids=[order_id], order_id=order_id))
        return await self._shipments.of_order(work, order_id)

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


def _by_variant(rows: list[Record]) -> dict[UUID, int]:
    units: dict[UUID, int] = {}
    for row in rows:
        units[row["variant_id"]] = units.get(row["variant_id"], 0) + row["quantity"]
    return units
