"""The rows of returns and their moves: what services and the saga share."""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from commerce.product import titled
from commerce.refund.schemas import Destination
from commerce.returns import statements
from commerce.returns.errors import OfAnExchange
from commerce.returns.rules import TRANSITIONS
from commerce.returns.schemas import LabelView, Resolution, ReturnLineView, ReturnView
from commerce.returns.tables import ReturnRequest
from kernel.db import Record, Work
from kernel.repository import Repository
from kernel.schemas import money


class ReturnBook:
    def __init__(self) -> None:
        self.requests = Repository(ReturnRequest, "customer_id", "guest_key", "merchant_id")

    async def move(self, work: Work, return_id: UUID, status: str, note: str | None = None) -> ReturnRequest | None:
        """The request in its new state, or None when it could not move there."""
        may = [state for state, nexts in TRANSITIONS.items() if status in nexts]
        row = await work.row(statements.MOVE, return_id, status, may, note, work.now)
        return self.requests.row(row) if row else None

    async def status(self, work: Work, return_id: UUID) -> str:
        found: str = await work.value("select status from return_requests where id = $1", return_id)
        return found

    async def refuse_replacement(self, work: Work, group_id: UUID) -> None:
        """Raises OfAnExchange when the purchase is what an exchange became."""
        if await work.value("select exists (select from return_requests where replacement_id = $1)", group_id):
            raise OfAnExchange()

    async def lines(self, work: Work, return_id: UUID) -> list[Record]:
        """Rows of `statements.LINES`."""
        return await work.rows(statements.LINES, [return_id])

    async def views(self, work: Work, requests: Sequence[ReturnRequest]) -> list[ReturnView]:
        ids = [request.id for request in requests]
        if not ids:
            return []
        lines = await work.rows(statements.LINES, ids)
        labels = {row["return_id"]: row for row in await work.rows(statements.LABELS, ids)}
        return [
            _view(request, [row for row in lines if row["return_id"] == request.id], labels.get(request.id))
            for request in requests
        ]


def _view(request: ReturnRequest, lines: Sequence[Record], label: Record | None) -> ReturnView:
    exchanged = any(row["exchanged"] for row in lines)
    return ReturnView(
        id=request.id,
        order_id=request.order_id,
        status=request.status,
        resolution=cast(Resolution, request.resolution),
        destination=cast(Destination, request.destination),
        explanation=request.explanation,
        difference=money(request.difference, request.currency),
        replacement_group_id=request.replacement_id if exchanged else None,
        lines=[_line(row) for row in lines],
        label=LabelView.model_validate(dict(label)) if label else None,
        refund_id=request.refund_id,
        created_at=request.created_at,
        updated_at=request.updated_at,
    )


def _line(row: Record) -> ReturnLineView:
    names = ("id", "order_line_id", "quantity", "reason", "condition", "replacement_id", "received", "passed")
    title = titled(row["name"], row["options"])
    return ReturnLineView(
        **{n: row[n] for n in names}, name=title, refunded=row["refunded"], exchanged=row["exchanged"]
    )
