"""Returns that somebody has to look at: what speaks for and against one, and a verdict that an agent proposes."""

from typing import TYPE_CHECKING, Literal
from uuid import UUID

from commerce.approval import Accepted, Draft, Kind, Policy
from commerce.refund import OrderFacts, RefundService
from commerce.returns import rules, statements
from commerce.returns.book import ReturnBook
from commerce.returns.errors import ReturnNotFound, ReturnState
from commerce.returns.permissions import DECIDE_RETURNS
from commerce.returns.schemas import DecideReturn, FoundUnits, ReturnCaseView
from commerce.returns.tables import ReturnRequest
from kernel.db import Record, Work
from kernel.ids import parse, public
from kernel.money import Money
from kernel.tables import Json

if TYPE_CHECKING:
    from commerce.returns.receiving import ReceivingService

KIND = "returns.verdict"
Decision = Literal["accept", "reject"]
POLICY = Policy(accept_most=2_000, two_from=100_000, minutes=4_320)
"""What is worth little may come back at once; a no is never a rule's. It waits as long as a policy's grey hours."""


class ReturnVerdicts:
    def __init__(
        self, orders: OrderFacts, refund: RefundService, receiving: "ReceivingService", book: ReturnBook
    ) -> None:
        self._orders = orders
        self._refund = refund
        self._receiving = receiving
        self._book = book

    @property
    def kind(self) -> Kind:
        return Kind(KIND, DECIDE_RETURNS, ("reject", "accept"), POLICY, self.carry_out)

    async def case(self, work: Work, name: str) -> ReturnCaseView:
        """A return by its id, or the newest of an order (ord_...). Raises ReturnNotFound."""
        work.principal.require(DECIDE_RETURNS)
        request = await self._named(work, name)
        before = await work.row(statements.BEHAVIOUR, request.customer_id, request.created_at - rules.REMEMBERED)
        assert before is not None
        found = await work.rows(statements.FOUND, request.id)
        return ReturnCaseView(
            id=request.id,
            order_id=request.order_id,
            status=request.status,
            resolution=request.resolution,
            explanation=request.explanation,
            score=request.score,
            guest=request.customer_id is None,
            returns_lately=before["returns"],
            not_as_said_lately=before["mismatches"],
            units=[FoundUnits(**dict(row), mismatch=_mismatch(row)) for row in found],
        )

    async def draft(self, work: Work, name: str, decision: Decision, reason: str) -> Draft:
        """A proposal to accept or reject a return in the grey zone, named as in `case`. Raises ReturnNotFound, ReturnState."""
        work.principal.require(DECIDE_RETURNS)
        request = await self._named(work, name)
        if request.status != "requested":
            raise ReturnState(status=request.status.replace("_", " "))
        order = await self._orders.paid(work, request.order_id)
        lines = await self._book.lines(work, request.id)
        worth = await self._refund.worth(work, order, {row["order_line_id"]: row["quantity"] for row in lines})
        amount, title = Money(worth, order.currency), public("ret", request.id)
        does = {
            "accept": f"Accept it: the parcel may come, and {amount} of goods go back once it passed",
            "reject": "Reject it: the customer keeps the goods and is told why",
        }
        return Draft(
            kind=KIND,
            object=title,
            stance=decision,
            arguments={"return_id": str(request.id), "decision": decision, "reason": reason},
            amount=amount if decision == "accept" else None,
            summary=f"Return {title} of order {order.number} over {amount} waits for a decision (abuse {request.score} of "
            f"100). {request.explanation} {does[decision]}.",
            reason=reason,
        )

    async def carry_out(self, work: Work, accepted: Accepted) -> Json:
        """Raises ReturnState when it was decided meanwhile."""
        asked = accepted.arguments
        return_id, accept = UUID(asked["return_id"]), asked["decision"] == "accept"
        done = await self._receiving.decide(work, return_id, DecideReturn(accept=accept, note=asked["reason"]))
        return {"return": public("ret", return_id), "status": done.status}

    async def _named(self, work: Work, name: str) -> ReturnRequest:
        prefix = "ord" if name.startswith("ord_") else "ret"
        try:
            wanted = parse(prefix, name)
        except ValueError:
            raise ReturnNotFound() from None
        column = self._book.requests.table.c
        of = column.id == wanted if prefix == "ret" else column.order_id == wanted
        found, _ = await self._book.requests.page(work, of, size=1)
        if not found:
            raise ReturnNotFound()
        return found[0]


def _mismatch(row: Record) -> bool:
    return row["other_item"] or (row["found"] is not None and rules.worse(row["found"], row["said"]))
