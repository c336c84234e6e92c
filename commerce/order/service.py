"""Orders: written once when placed, moved by sagas, shown to whom they belong."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, true

from commerce.inventory import InventoryService
from commerce.order import statements
from commerce.order.desk import Desk
from commerce.order.errors import NotCancellable, OrderNotFound
from commerce.order.events import OrderAddressChanged, OrderCancelled, OrderConfirmed, OrderPaid, OrderPlaced
from commerce.order.fulfillment import Fulfillment
from commerce.order.modifications import Modifications
from commerce.order.noting import OrderNotes
from commerce.order.permissions import CHANGE_ORDERS, READ_ORDERS, READ_SALES
from commerce.order.schemas import (
    CancelOrder,
    ChangeAddress,
    GroupFacts,
    NewGroup,
    OrderView,
    SalesView,
    TimelineView,
    Told,
)
from commerce.order.tables import Order, OrderGroup, Tag, TimelineEvent
from commerce.order.views import order_view, told
from commerce.pricing import PricingService
from commerce.shipping import Shipments, ShippingService
from commerce.shipping.labels import Labels
from commerce.warehouse import WarehouseService
from kernel.consent import demand
from kernel.db import Work
from kernel.ids import parse
from kernel.inbox import Delivery
from kernel.money import Money
from kernel.repository import Repository
from kernel.schemas import Page, money


class OrderService:
    def __init__(
        self,
        pricing: PricingService,
        inventory: InventoryService,
        warehouse: WarehouseService,
        shipping: ShippingService,
        labels: Labels,
        shipments: Shipments,
    ) -> None:
        self.modifications = Modifications(pricing)
        self._warehouse = warehouse
        self.desk = Desk(warehouse)
        self.noting = OrderNotes(self.desk)
        self.fulfillment = Fulfillment(inventory, warehouse, shipping, labels, shipments, self.desk)
        self._groups = Repository(OrderGroup, "customer_id", "guest_key")
        self._orders = Repository(Order, "customer_id", "guest_key", "merchant_id")
        self._timeline = Repository(TimelineEvent)

    # --- written by checkout and its saga ---

    async def place(self, work: Work, group: NewGroup) -> None:
        """Writes the group with its orders, lines and address in one statement. Emits OrderPlaced."""
        orders, lines = group.orders, [(order.id, line) for order in group.orders for line in order.lines]
        to = group.address
        await work.run(
            statements.PLACE,
            *(group.id, group.channel_id, work.principal.customer_id, work.principal.guest_key, group.email),
            *(group.currency, group.total, group.shipping_method, work.now, group.tax_included),
            *([o.id for o in orders], [o.merchant_id for o in orders], [o.subtotal for o in orders]),
            *([o.discount for o in orders], [o.shipping for o in orders], [o.tax for o in orders]),
            [o.total for o in orders],
            *([line.id for _, line in lines], [order_id for order_id, _ in lines]),
            *([line.variant_id for _, line in lines], [line.product_id for _, line in lines]),
            *([line.sku for _, line in lines], [line.name for _, line in lines]),
            *([line.options for _, line in lines], [line.quantity for _, line in lines]),
            *([line.unit_minor for _, line in lines], [line.discount for _, line in lines]),
            *([line.tax_rate for _, line in lines], [line.tax for _, line in lines]),
            *(to.name, to.line1, to.line2, to.city, to.region, to.postal_code, to.country),
        )
        ids = [order.id for order in orders]
        work.emit(OrderPlaced(group_id=group.id, order_ids=ids, total=group.total, currency=group.currency))

    async def confirm(self, work: Work, group_id: UUID, order_ids: list[UUID], total: int, currency: str) -> None:
        """The pivot of the purchase: from here on only forward. Emits OrderConfirmed, once."""
        if await work.run(statements.CONFIRM, group_id, work.now):
            work.emit(OrderConfirmed(group_id=group_id, order_ids=order_ids, total=total, currency=currency))

    async def picking(self, work: Work, group_id: UUID, order_ids: list[UUID], paid: Money | None) -> None:
        """The warehouse has the order; `paid` is what was captured, None while that is still to come. Emits OrderPaid."""
        if await work.run(statements.PICKING, group_id, work.now, paid is not None) and paid:
            work.emit(OrderPaid(group_id=group_id, order_ids=order_ids, amount=paid.minor, currency=paid.currency))

    async def paid(self, work: Work, group_id: UUID, order_ids: list[UUID], amount: Money) -> None:
        """What was only reserved is charged now. Emits OrderPaid, once."""
        if await work.run(statements.PAID, group_id, work.now):
            work.emit(OrderPaid(group_id=group_id, order_ids=order_ids, amount=amount.minor, currency=amount.currency))

    async def fail(self, work: Work, group_id: UUID, order_ids: list[UUID], reason: str) -> None:
        """Ends a purchase that was never confirmed. Emits OrderCancelled, once."""
        if await work.run(statements.FAIL, group_id, work.now, reason):
            work.emit(OrderCancelled(group_id=group_id, order_ids=order_ids, reason=reason))

    async def request_cancel(self, work: Work, order_id: UUID, command: CancelOrder) -> OrderGroup:
        """Closes every order of the purchase for a cancellation; the saga that follows gives money and stock back.

        Raises OrderNotFound, ReasonNotAllowed, NotCancellable, ChangeSpent, ChangeInProgress: before anybody is asked
        for a yes. All orders or none.
        """
        work.principal.require(CHANGE_ORDERS)
        opened = await self.modifications.open(work, order_id, "cancel")
        group, orders = opened.group, opened.orders
        opened.allow_reason(command.reason)
        closed = await work.run(statements.REQUEST_CANCEL, group.id, work.now, command.reason, work.principal.subject)
        async with work.attempt():  # what lies where is nothing a customer sees
            packed = [await self._warehouse.all_picked(work, order.id) for order in orders]
        if closed < len(orders) or any(packed):
            raise NotCancellable(status="already packed")
        paid = Money(group.total, group.currency)
        await demand(
            work,
            "order.cancel",
            f"Cancel {opened.numbers} because of “{command.reason}”? {paid} goes back the way it was paid.",
            group=group.id,
            reason=command.reason,
            total=group.total,
        )
        return group

    async def cancelled(
        self, work: Work, group_id: UUID, order_ids: list[UUID], payment_status: str, reason: str
    ) -> None:
        if await work.run(statements.CANCELLED, group_id, work.now, payment_status):
            work.emit(OrderCancelled(group_id=group_id, order_ids=order_ids, reason=reason))

    async def change_address(self, work: Work, order_id: UUID, command: ChangeAddress) -> OrderView:
        """Replaces where the purchase goes, as long as nothing was packed. Emits OrderAddressChanged.

        Raises OrderNotFound, AddressNotChangeable, ChangeSpent, ChangeInProgress."""
        work.principal.require(CHANGE_ORDERS)
        opened = await self.modifications.open(work, order_id, "address")
        to = command.address
        await demand(
            work,
            "order.address",
            f"Send {opened.numbers} to {to.one_line} instead?",
            group=opened.group.id,
            address=to.model_dump(),
        )
        await work.run(
            statements.CHANGE_ADDRESS,
            *(opened.group.id, to.name, to.line1, to.line2, to.city, to.region, to.postal_code, to.country, work.now),
        )
        await self.modifications.note_address(work, opened)
        work.emit(OrderAddressChanged(group_id=opened.group.id, order_ids=opened.ids, country=to.country))
        return await self.view(work, order_id)

    # --- read by those it belongs to ---

    async def group(self, work: Work, group_id: UUID) -> OrderGroup:
        work.principal.require(READ_ORDERS)
        group = await self._groups.get(work, group_id)
        if group is None:
            raise OrderNotFound()
        return group

    async def group_with_orders(self, work: Work, group_id: UUID) -> tuple[GroupFacts, list[OrderView]]:
        """A purchase and its orders. Raises OrderNotFound."""
        work.principal.require(READ_ORDERS)
        who = work.principal
        rows = await work.rows(statements.GROUP, group_id, who.is_staff, who.customer_id, who.guest_key)
        if not rows:
            raise OrderNotFound()
        first = rows[0]
        facts = GroupFacts(group_id, first["status"], first["failure"], first["total"], first["currency"])
        orders = {row["order_id"]: Order.of(dict(row["placed"])) for row in rows}
        return facts, [order_view(o, [row for row in rows if row["order_id"] == id_]) for id_, o in orders.items()]

    async def orders_of(self, work: Work, group_id: UUID) -> list[OrderView]:
        work.principal.require(READ_ORDERS)
        return await self._views(work, await self._orders.all(work, self._orders.table.c.group_id == group_id))

    async def view(self, work: Work, order_id: UUID) -> OrderView:
        work.principal.require(READ_ORDERS)
        (found,) = await self._views(work, [await self._own(work, order_id)])
        return found

    async def by_number(self, work: Work, number: str) -> OrderView:
        """An order of the caller by the number a customer knows, such as A100123."""
        work.principal.require(READ_ORDERS)
        order = await self._orders.find(work, self._orders.table.c.number == number.upper())
        if order is None:
            raise OrderNotFound()
        (found,) = await self._views(work, [order])
        return found

    async def named(self, work: Work, name: str) -> OrderView:
        """An order of the caller by its number, its id, its purchase's (then the first of it), or as "latest". Raises
        OrderNotFound."""
        if name.lower() == "latest":
            newest = (await self.page(work, size=1)).items
            if not newest:
                raise OrderNotFound()
            return newest[0]
        try:
            if not name.startswith("grp_"):
                return await self.view(work, parse("ord", name))
            found = await self.orders_of(work, parse("grp", name))
        except ValueError:
            return await self.by_number(work, name.lstrip("#"))
        if not found:
            raise OrderNotFound()
        return found[0]

    async def page(
        self, work: Work, cursor: str | None = None, size: int = 20, tag: str | None = None
    ) -> Page[OrderView]:
        """The caller's orders, newest first: a customer's own, a merchant's own, all for staff; with `tag` only those
        that bear it (tags are the house's: a customer's orders have none that they see)."""
        work.principal.require(READ_ORDERS)
        tagged = self._orders.table.c.id.in_(select(Tag.order_id).where(Tag.tag == tag)) if tag else true()
        orders, following = await self._orders.page(work, tagged, cursor=cursor, size=size)
        return Page(items=await self._views(work, orders), next=following)

    async def of_merchants(self, work: Work, cursor: str | None = None, size: int = 20) -> Page[OrderView]:
        """Orders placed with the caller's shops, also when the caller buys elsewhere as a customer."""
        work.principal.require(READ_SALES)
        mine = self._orders.table.c.merchant_id.in_(work.principal.merchant_ids)
        orders, following = await self._orders.page(work, mine, cursor=cursor, size=size)
        return Page(items=await self._views(work, orders), next=following)

    async def timeline(self, work: Work, order_id: UUID) -> list[TimelineView]:
        """What happened to an order, oldest first."""
        order = await self._own(work, order_id)
        column = self._timeline.table.c
        rows = await self._timeline.all(work, column.group_id == order.group_id)
        return [
            TimelineView(kind=row.kind, facts=row.facts, at=row.at) for row in rows if row.order_id in (None, order_id)
        ]

    async def numbers(self, work: Work, order_ids: Sequence[UUID]) -> dict[UUID, str]:
        """The numbers of those of these orders that the caller sees."""
        work.principal.require(READ_ORDERS)
        found = await self._orders.all(work, self._orders.table.c.id.in_(order_ids))
        return {order.id: order.number for order in found}

    async def causes(self, work: Work, order_id: UUID) -> list[str]:
        """The events of an order's purchase: what its mails and notices name as their cause. Raises OrderNotFound."""
        order = await self._own(work, order_id)
        rows = await self._timeline.all(work, self._timeline.table.c.group_id == order.group_id)
        return [row.id.hex for row in rows]

    async def sales(self, work: Work, days: int = 30) -> SalesView:
        """Confirmed sales of the caller's shops."""
        work.principal.require(READ_SALES)
        merchants, since = list(work.principal.merchant_ids), work.now - timedelta(days=days)
        row = await work.row(statements.SALES, merchants, since)
        assert row is not None
        best = await work.rows(statements.BEST, merchants, since)
        revenue = money(row["revenue"], row["currency"] or "EUR")
        return SalesView(
            days=days, orders=row["orders"], units=row["units"], revenue=revenue, best=[dict(b) for b in best]
        )

    async def record(self, work: Work, deliveries: Sequence[Delivery]) -> None:
        """Reaction: every event of a purchase becomes a line of its history; one statement for the batch."""
        rows = []
        for delivery in deliveries:
            message = delivery.message
            facts = {k: v for k, v in message.payload.items() if not k.endswith(("_id", "_ids"))}
            group = message.payload.get("group_id") or message.payload["reference_id"]
            order = message.payload.get("order_id")
            about = UUID(str(order)) if order else None
            rows.append((message.id, UUID(str(group)), about, message.type, facts, message.occurred_at))
        await work.run(statements.TIMELINE, *[list(column) for column in zip(*rows, strict=True)])

    async def told(self, work: Work, group_ids: Sequence[UUID]) -> dict[UUID, Told]:
        """What messages about these purchases say; one statement."""
        return {row["id"]: told(row) for row in await work.rows(statements.TOLD, list(group_ids))}

    # --- inside ---

    async def _own(self, work: Work, order_id: UUID) -> Order:
        work.principal.require(READ_ORDERS)
        order = await self._orders.get(work, order_id)
        if order is None:
            raise OrderNotFound()
        return order

    async def _views(self, work: Work, orders: Sequence[Order]) -> list[OrderView]:
        if not orders:
            return []
        rows = await work.rows(statements.LINES, [order.id for order in orders])
        return [order_view(order, [row for row in rows if row["order_id"] == order.id]) for order in orders]
