"""Returns as the shop's people handle them: decided, received, looked at."""

from uuid import UUID

from commerce.order import FulfillmentService
from commerce.refund import OrderFacts, RefundService
from commerce.returns import saga, statements
from commerce.returns.book import ReturnBook
from commerce.returns.errors import (
    ReceivedTooMany,
    ReturnNotFound,
    ReturnState,
    UnknownReturnLine,
)
from commerce.returns.events import InspectionMismatch, ReturnAuthorized, ReturnReceived, ReturnRejected
from commerce.returns.permissions import DECIDE_RETURNS, RECEIVE_RETURNS
from commerce.returns.rules import worse
from commerce.returns.schemas import (
    DecideReturn,
    InspectReturn,
    ReceiveReturn,
    ReturnView,
)
from commerce.returns.tables import ReturnRequest
from commerce.returns.verdicts import ReturnVerdicts
from kernel.db import Work, law
from kernel.saga_store import wake

RECEIVING = ("in_transit", "partly_received")
INSPECTING = ("partly_received", "received")


class ReceivingService:
    def __init__(
        self, fulfillment: FulfillmentService, orders: OrderFacts, refund: RefundService, book: ReturnBook
    ) -> None:
        self._fulfillment = fulfillment
        self._book = book
        self.verdicts = ReturnVerdicts(orders, refund, self, book)

    async def decide(self, work: Work, return_id: UUID, command: DecideReturn) -> ReturnView:
        """A person's word on a return in the grey zone. Emits ReturnAuthorized, ReturnRejected.

        Raises ReturnNotFound, ReturnState."""
        work.principal.require(DECIDE_RETURNS)
        request = await self._lock(work, return_id)
        if request.status != "requested":
            raise ReturnState(status=request.status)
        await self._book.move(work, return_id, "authorised" if command.accept else "rejected", command.note)
        work.emit((ReturnAuthorized if command.accept else ReturnRejected)(**_facts(request)))
        await wake(work, saga.KIND, return_id)
        return await self._shown(work, return_id)

    async def receive(self, work: Work, return_id: UUID, command: ReceiveReturn) -> ReturnView:
        """Notes units as arrived, perhaps the last that will. Emits ReturnReceived.

        Raises ReturnNotFound, ReturnState, UnknownReturnLine, ReceivedTooMany."""
        work.principal.require(RECEIVE_RETURNS)
        request = await self._lock(work, return_id)
        units = {line.return_line_id: line.quantity for line in command.lines}
        if request.status not in RECEIVING or (not units and request.status == "in_transit"):
            raise ReturnState(status=request.status.replace("_", " "))
        with law("ck_return_lines_received", ReceivedTooMany()):
            rows = await work.rows(statements.RECEIVE, return_id, list(units), list(units.values()))
        if len(rows) < len(command.lines):
            raise UnknownReturnLine()
        await self._fulfillment.took_back(work, request.order_id, {r["order_line_id"]: r["quantity"] for r in rows})
        missing = await work.value(
            "select sum(quantity - received)::bigint from return_lines where return_id = $1", return_id
        )
        whole = command.complete or missing == 0
        await self._book.move(work, return_id, "received" if whole else "partly_received")
        work.emit(ReturnReceived(**_facts(request), units=sum(units.values()), whole=whole))
        await wake(work, saga.KIND, return_id)
        return await self._shown(work, return_id)

    async def inspect(self, work: Work, return_id: UUID, command: InspectReturn) -> ReturnView:
        """Notes how units were found and what becomes of them. Emits InspectionMismatch when some are in a worse condition
        than they were said to be, or another item.

        Raises ReturnNotFound, ReturnState, UnknownReturnLine, ReceivedTooMany."""
        work.principal.require(RECEIVE_RETURNS)
        request = await self._lock(work, return_id)
        if request.status not in INSPECTING:
            raise ReturnState(status=request.status.replace("_", " "))
        found = command.lines
        ids, quantities = [x.return_line_id for x in found], [x.quantity for x in found]
        passed = [x.quantity if x.passed else 0 for x in found]
        with law("ck_return_lines_received", ReceivedTooMany()):
            rows = await work.rows(statements.INSPECT, return_id, ids, quantities, passed)
        if len(rows) < len(set(ids)):
            raise UnknownReturnLine()
        with law("ck_return_inspections_send_back", ReturnState(status="passed")):
            await work.run(
                statements.NOTE_INSPECTIONS,
                *(ids, quantities, [x.condition for x in found], [x.passed for x in found]),
                *([x.other_item for x in found], [x.disposition for x in found], [x.note for x in found]),
                *(work.principal.subject, work.now),
            )
        said = {row["id"]: row["condition"] for row in rows}
        wrong = [x.quantity for x in found if x.other_item or worse(x.condition, said[x.return_line_id])]
        if wrong:
            work.emit(InspectionMismatch(**_facts(request), units=sum(wrong)))
        await wake(work, saga.KIND, return_id)
        return await self._shown(work, return_id)

    async def _lock(self, work: Work, return_id: UUID) -> ReturnRequest:
        """The request, for its merchant or the staff. Raises ReturnNotFound."""
        found = await self._book.requests.lock(work, [return_id])
        if not found or not (work.principal.is_staff or found[0].merchant_id in work.principal.merchant_ids):
            raise ReturnNotFound()
        return found[0]

    async def _shown(self, work: Work, return_id: UUID) -> ReturnView:
        request = await self._book.requests.get(work, return_id)
        assert request is not None, "it was locked"
        (view,) = await self._book.views(work, [request])
        return view


def _facts(request: ReturnRequest) -> dict[str, UUID]:
    return {"return_id": request.id, "group_id": request.group_id, "order_id": request.order_id}
