"""What staff and merchant do beside an order: hold it back and let it go, note, tag. Nothing of it moves money or stock."""

from uuid import UUID

from commerce.order.errors import NotHoldable, OrderNotFound, OrderNotOnHold, OrderOnHold
from commerce.order.events import OrderHeld, OrderReleased
from commerce.order.permissions import MANAGE_ORDERS, READ_ORDERS
from commerce.order.schemas import AddNote, HoldOrder, HoldView, NoteView, TagView
from commerce.order.tables import Hold, Note, Order, Tag
from commerce.warehouse import WarehouseService
from kernel.db import Work, law
from kernel.ids import new_id
from kernel.repository import Repository

HOLDABLE = frozenset({"confirmed", "processing", "partially_shipped"})


class Desk:
    def __init__(self, warehouse: WarehouseService) -> None:
        self._warehouse = warehouse
        self._orders = Repository(Order, "customer_id", "guest_key", "merchant_id")
        self._holds = Repository(Hold)
        self._notes = Repository(Note)
        self._tags = Repository(Tag)

    async def managed(self, work: Work, order_id: UUID) -> Order:
        """An order of the caller's shop (staff: any), locked. Raises OrderNotFound, also for what they bought."""
        found = await self._orders.lock(work, [order_id])
        if not found or not (work.principal.is_staff or found[0].merchant_id in work.principal.merchant_ids):
            raise OrderNotFound()
        return found[0]

    async def hold(self, work: Work, order_id: UUID, command: HoldOrder) -> list[HoldView]:
        """Stops picking and shipping until it is released. Emits OrderHeld. Raises OrderNotFound, NotHoldable, OrderOnHold."""
        work.principal.require(MANAGE_ORDERS)
        order = await self.managed(work, order_id)
        if order.status not in HOLDABLE:
            raise NotHoldable(status=order.status)
        row = Hold(
            id=new_id(),
            order_id=order_id,
            reason=command.reason,
            actor=work.principal.subject,
            placed_at=work.now,
            released_at=None,
            released_by=None,
        )
        with law("ix_order_holds_open", OrderOnHold()):
            await self._holds.add(work, row)
        await self._warehouse.hold_picks(work, order_id, held=True)
        work.emit(OrderHeld(group_id=order.group_id, order_ids=[order_id]))
        return await self.holds(work, order_id)

    async def release(self, work: Work, order_id: UUID) -> list[HoldView]:
        """Lets a held order go on. Emits OrderReleased. Raises OrderNotFound, OrderNotOnHold."""
        work.principal.require(MANAGE_ORDERS)
        order = await self.managed(work, order_id)
        released = await work.run(
            "update order_holds set released_at = $2, released_by = $3 where order_id = $1 and released_at is null",
            *(order_id, work.now, work.principal.subject),
        )
        if not released:
            raise OrderNotOnHold()
        await self._warehouse.hold_picks(work, order_id, held=False)
        work.emit(OrderReleased(group_id=order.group_id, order_ids=[order_id]))
        return await self.holds(work, order_id)

    async def holds(self, work: Work, order_id: UUID) -> list[HoldView]:
        """When and why it was held, oldest first."""
        work.principal.require(MANAGE_ORDERS)
        await self.managed(work, order_id)
        rows = await self._holds.all(work, self._holds.table.c.order_id == order_id)
        return [HoldView(reason=row.reason, placed_at=row.placed_at, released_at=row.released_at) for row in rows]

    async def note(self, work: Work, order_id: UUID, command: AddNote) -> NoteView:
        """Writes a note, for the house or for the customer too; it is never changed. Raises OrderNotFound."""
        work.principal.require(MANAGE_ORDERS)
        await self.managed(work, order_id)
        author = work.principal.subject
        await self._notes.add(
            work, Note(id=new_id(), order_id=order_id, author=author, at=work.now, **command.model_dump())
        )
        return NoteView(text=command.text, for_customer=command.for_customer, at=work.now)

    async def notes(self, work: Work, order_id: UUID) -> list[NoteView]:
        """Its notes, oldest first; a customer sees those that are for them. Raises OrderNotFound."""
        work.principal.require(READ_ORDERS)
        order = await self._orders.get(work, order_id)
        if order is None:
            raise OrderNotFound()
        inside = work.principal.is_staff or order.merchant_id in work.principal.merchant_ids
        rows = await self._notes.all(work, self._notes.table.c.order_id == order_id)
        shown = [row for row in rows if row.for_customer or inside]
        return [NoteView(text=row.text, for_customer=row.for_customer, at=row.at) for row in shown]

    async def tag(self, work: Work, order_id: UUID, tag: str) -> list[TagView]:
        """Puts a tag on an order; one that is there already stays. Raises OrderNotFound."""
        work.principal.require(MANAGE_ORDERS)
        await self.managed(work, order_id)
        await work.run(
            "insert into order_tags (order_id, tag, actor, at) values ($1, $2, $3, $4) on conflict do nothing",
            *(order_id, tag, work.principal.subject, work.now),
        )
        return await self.tags(work, order_id)

    async def untag(self, work: Work, order_id: UUID, tag: str) -> list[TagView]:
        work.principal.require(MANAGE_ORDERS)
        await self.managed(work, order_id)
        await work.run("delete from order_tags where order_id = $1 and tag = $2", order_id, tag)
        return await self.tags(work, order_id)

    async def tags(self, work: Work, order_id: UUID) -> list[TagView]:
        """Its tags, by name. Raises OrderNotFound."""
        work.principal.require(MANAGE_ORDERS)
        await self.managed(work, order_id)
        rows = await self._tags.all(work, self._tags.table.c.order_id == order_id)
        return [TagView(tag=row.tag, at=row.at) for row in rows]
