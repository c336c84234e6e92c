"""A note on an order, proposed by an agent for whoever looks at it next; its customer never sees it."""

from uuid import UUID

from commerce.approval import Accepted, Draft, Kind, Policy
from commerce.order.desk import Desk
from commerce.order.permissions import MANAGE_ORDERS
from commerce.order.schemas import AddNote, OrderView
from kernel.db import Work
from kernel.ids import public
from kernel.money import Money
from kernel.tables import Json

KIND = "order.note"
POLICY = Policy(accept_most=0, times_a_day=5_000)
"""A note costs nothing and moves nothing: it is taken at once."""


class OrderNotes:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @property
    def kind(self) -> Kind:
        return Kind(KIND, MANAGE_ORDERS, ("note",), POLICY, self.carry_out, moves=False)

    async def draft(self, work: Work, order: OrderView, text: str) -> Draft:
        """A proposal to note something on an order of the caller's shop. Raises OrderNotFound, also for what they bought."""
        work.principal.require(MANAGE_ORDERS)
        await self._desk.managed(work, order.id)
        return Draft(
            kind=KIND,
            object=public("ord", order.id),
            stance="note",
            arguments={"order_id": str(order.id), "text": text},
            amount=Money(0, order.totals.total.currency),
            summary=f"Note on order {order.number}, for the house alone: {text}",
            merchant_id=order.merchant_id,
        )

    async def carry_out(self, work: Work, accepted: Accepted) -> Json:
        order_id, text = UUID(accepted.arguments["order_id"]), accepted.arguments["text"]
        await self._desk.note(work, order_id, AddNote(text=text))
        return {"order": public("ord", order_id)}
