"""Claims: units that never came, are wrong or broken. A person decides; money goes back without a parcel."""

from uuid import UUID

from commerce.order import FulfillmentService
from commerce.refund import Asked, OrderFacts, RefundService
from commerce.returns import statements
from commerce.returns.book import ReturnBook
from commerce.returns.errors import (
    ClaimDecided,
    ClaimNotFound,
    MoreThanDelivered,
    NotDelivered,
    UnknownReturnLine,
)
from commerce.returns.events import ClaimDecided as Decided
from commerce.returns.events import ClaimOpened
from commerce.returns.permissions import DECIDE_RETURNS, READ_RETURNS, REQUEST_RETURNS
from commerce.returns.schemas import ClaimView, DecideReturn, OpenClaim
from commerce.returns.tables import ReturnClaim
from kernel.consent import demand
from kernel.db import Work, law
from kernel.ids import new_id
from kernel.repository import Repository
from kernel.saga_engine import Engine
from kernel.schemas import Page


class ClaimService:
    def __init__(
        self,
        orders: OrderFacts,
        fulfillment: FulfillmentService,
        refund: RefundService,
        book: ReturnBook,
        engine: Engine,
    ) -> None:
        self._orders = orders
        self._fulfillment = fulfillment
        self._refund = refund
        self._book = book
        self._engine = engine
        self._claims = Repository(ReturnClaim, "customer_id", "guest_key", "merchant_id")

    async def open(self, work: Work, command: OpenClaim) -> ClaimView:
        """Says that units did not come or are not right. Emits ClaimOpened.

        Raises OrderNotFound, NotDelivered, UnknownReturnLine, MoreThanDelivered."""
        work.principal.require(REQUEST_RETURNS)
        order = await self._orders.paid(work, command.order_id)
        sent = await self._fulfillment.sent(work, order.id)
        if sent.delivered_at is None:
            raise NotDelivered(status=sent.status.replace("_", " "))
        await self._book.refuse_replacement(work, order.group_id)
        line = sent.lines.get(command.order_line_id)
        if line is None:
            raise UnknownReturnLine()
        summary = f"Report {command.quantity} × {line.title} of order {order.number} as {command.kind}?"
        await demand(work, "returns.claim", summary, **command.model_dump())
        claim = ReturnClaim(
            id=new_id(),
            order_id=order.id,
            order_line_id=line.id,
            group_id=order.group_id,
            merchant_id=order.merchant_id,
            customer_id=order.customer_id,
            guest_key=order.guest_key,
            kind=command.kind,
            quantity=command.quantity,
            text=command.text,
            status="open",
            refund_id=None,
            note=None,
            created_at=work.now,
            updated_at=work.now,
        )
        with law("returns_within_delivered", MoreThanDelivered(left="fewer", item=line.title)):
            await self._claims.add(work, claim)
        work.emit(ClaimOpened(claim_id=claim.id, group_id=order.group_id, order_id=order.id, kind=claim.kind))
        return _view(claim)

    async def decide(self, work: Work, claim_id: UUID, command: DecideReturn) -> ClaimView:
        """A yes gives the units' money back, by saga; nothing has to be sent. Raises ClaimNotFound, ClaimDecided."""
        work.principal.require(DECIDE_RETURNS)
        found = await self._claims.lock(work, [claim_id])
        if not found:
            raise ClaimNotFound()
        (claim,) = found
        if claim.status != "open":
            raise ClaimDecided(status=claim.status)
        claim.status = "accepted" if command.accept else "rejected"
        claim.note, claim.refund_id = command.note, None
        if command.accept:
            units = {claim.order_line_id: claim.quantity}
            asked = Asked(claim.order_id, f"claim:{claim.id.hex}", f"claim, {claim.kind}", units)
            started = await self._refund.give_back(work, new_id(), asked)
            claim.refund_id = started.refund_id

            async def drive() -> None:
                await self._engine.drive(started.run)

            work.after_commit(drive)
        await work.run(statements.DECIDE_CLAIM, claim_id, claim.status, claim.refund_id, command.note, work.now)
        work.emit(
            Decided(
                claim_id=claim.id,
                group_id=claim.group_id,
                order_id=claim.order_id,
                kind=claim.kind,
                accepted=command.accept,
            )
        )
        return _view(claim)

    async def page(
        self, work: Work, order_id: UUID | None = None, cursor: str | None = None, size: int = 20
    ) -> Page[ClaimView]:
        """The caller's claims, newest first."""
        work.principal.require(READ_RETURNS)
        of_order = [self._claims.table.c.order_id == order_id] if order_id else []
        found, following = await self._claims.page(work, *of_order, cursor=cursor, size=size)
        return Page(items=[_view(claim) for claim in found], next=following)


def _view(claim: ReturnClaim) -> ClaimView:
    names = ("id", "order_id", "order_line_id", "kind", "quantity", "status", "refund_id", "note", "created_at")
    return ClaimView.model_validate({name: getattr(claim, name) for name in names})
