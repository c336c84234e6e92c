"""Refunds that somebody has to look at: what speaks for and against one, and a verdict that an agent proposes."""

from datetime import timedelta
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from commerce.approval import Accepted, Draft, Kind, Policy
from commerce.approval.errors import PersonNeeded
from commerce.refund import statements
from commerce.refund.book import RefundBook
from commerce.refund.errors import NotFailed, NotWaiting, RefundNotFound
from commerce.refund.permissions import DECIDE_REFUNDS
from commerce.refund.ports import OrderFacts
from commerce.refund.schemas import WAYS, RefundCaseView, RetryRefund
from commerce.refund.tables import Refund
from kernel.db import Work
from kernel.ids import parse, public
from kernel.money import Money
from kernel.saga_engine import Engine
from kernel.schemas import money
from kernel.tables import Json

if TYPE_CHECKING:
    from commerce.refund.service import RefundService

KIND = "refund.verdict"
Decision = Literal["accept", "reject", "again", "store_credit"]
POLICY = Policy(two_from=50_000, minutes=10_080)
"""A person always decides; their names are those that the refund's own policy asks for."""
REMEMBERED = timedelta(days=180)
DOES = {
    "accept": "Let it go: the money is sent",
    "reject": "Reject it: nothing goes back",
    "again": "Send it again the way it was paid",
    "store_credit": f"Send it to {WAYS['store_credit']} instead",
}


class RefundVerdicts:
    def __init__(self, refund: "RefundService", orders: OrderFacts, book: RefundBook, engine: Engine) -> None:
        self._refund = refund
        self._orders = orders
        self._book = book
        self._engine = engine

    @property
    def kind(self) -> Kind:
        return Kind(KIND, DECIDE_REFUNDS, ("reject", "store_credit", "again", "accept"), POLICY, self.carry_out)

    async def case(self, work: Work, name: str) -> RefundCaseView:
        """A refund by its id, or the newest of an order (ord_...). Raises RefundNotFound."""
        work.principal.require(DECIDE_REFUNDS)
        refund = await self._named(work, name)
        order = await self._orders.paid(work, refund.order_id)
        since, currency = refund.created_at - REMEMBERED, refund.currency
        lately = await work.row(statements.LATELY, order.id, refund.customer_id, currency, since, refund.created_at)
        assert lately is not None
        return RefundCaseView(
            **{
                name: getattr(refund, name) for name in ("id", "order_id", "status", "destination", "reason", "failure")
            },
            amount=money(refund.amount, currency),
            paid=money(order.total, currency),
            refunded=money(lately["refunded"], currency),
            approvals_needed=refund.needed,
            approvals=await self._book.approvals(work, refund.id),
            guest=refund.customer_id is None,
            refunds_lately=lately["refunds"],
            refunded_lately=money(lately["amount"], currency),
        )

    async def draft(self, work: Work, name: str, decision: Decision, reason: str) -> Draft:
        """A proposal on a refund that waits (accept, reject) or that failed (again, store_credit), named as in `case`.

        Raises RefundNotFound, NotWaiting, NotFailed."""
        work.principal.require(DECIDE_REFUNDS)
        refund = await self._named(work, name)
        if decision in ("accept", "reject") and refund.status != "waiting_approval":
            raise NotWaiting(status=refund.status)
        if decision in ("again", "store_credit") and refund.status != "failed":
            raise NotFailed(status=refund.status)
        order = await self._orders.paid(work, refund.order_id)
        amount, title = Money(refund.amount, refund.currency), public("ref", refund.id)
        state = f"failed ({refund.failure})" if refund.status == "failed" else "waits for a decision"
        return Draft(
            kind=KIND,
            object=title,
            stance=decision,
            arguments={"refund_id": str(refund.id), "decision": decision, "reason": reason},
            amount=amount,
            summary=f"Refund {title} of {amount} for order {order.number}, because of “{refund.reason}”, {state}. "
            f"{DOES[decision]}.",
            reason=reason,
        )

    async def carry_out(self, work: Work, accepted: Accepted) -> Json:
        """The word of those who agreed, in their names. Raises PersonNeeded, NotWaiting, OwnRequest, NotFailed,
        DestinationNotAllowed."""
        asked = accepted.arguments
        refund_id, decision = UUID(asked["refund_id"]), asked["decision"]
        if decision in ("accept", "reject"):
            if not accepted.by:
                raise PersonNeeded()
            await self._refund.say(work, refund_id, accepted.by, decision == "accept", asked["reason"])
        else:
            to = RetryRefund(destination="store_credit" if decision == "store_credit" else "original")
            started = await self._refund.retry(work, refund_id, to)

            async def drive() -> None:
                await self._engine.drive(started.run)

            work.after_commit(drive)
        return {"refund": public("ref", refund_id), "status": (await self._refund.view(work, refund_id)).status}

    async def _named(self, work: Work, name: str) -> Refund:
        prefix = "ord" if name.startswith("ord_") else "ref"
        try:
            wanted = parse(prefix, name)
        except ValueError:
            raise RefundNotFound() from None
        column = self._book.refunds.table.c
        of = column.id == wanted if prefix == "ref" else column.order_id == wanted
        found, _ = await self._book.refunds.page(work, of, size=1)
        if not found:
            raise RefundNotFound()
        return found[0]
