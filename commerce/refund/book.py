"""The rows of refunds and their moves: what the service and the saga share."""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from commerce.refund import statements
from commerce.refund.ports import PaidOrder
from commerce.refund.rules import TRANSITIONS, Part, Policy, total_of
from commerce.refund.schemas import Destination, RefundLineView, RefundView
from commerce.refund.tables import Refund
from kernel.db import Record, Work
from kernel.repository import Repository
from kernel.schemas import money

Lines = dict[UUID | None, Part]
"""Money by order line; None is shipping."""


class RefundBook:
    def __init__(self) -> None:
        self.refunds = Repository(Refund, "customer_id", "guest_key", "merchant_id")

    async def policy(self, work: Work, channel_id: UUID) -> Policy:
        row = await work.row("select * from refund_policies where channel_id = $1", channel_id)
        if row is None:
            return Policy()
        return Policy(
            *(row["auto_minor"], row["customer_auto_minor"], row["second_minor"], row["approval_hours"]),
            tuple(row["destinations"]),
        )

    async def left(self, work: Work, order: PaidOrder) -> Lines:
        """What of each line was neither given back nor is on its way; shipping is one unit."""
        lines: Lines = {x.id: Part(x.quantity, x.goods, x.discount, x.tax) for x in order.lines}
        lines[None] = Part(1, order.shipping, 0, order.shipping_tax)
        for row in await work.rows(statements.GIVEN, order.id):
            given = Part(row["quantity"], row["goods"], row["discount"], row["tax"])
            lines[row["order_line_id"]] = lines[row["order_line_id"]].less(given)
        return lines

    async def write(self, work: Work, refund: Refund, lines: Lines, included: bool) -> None:
        """The refund and its lines, as one statement. `amount` and its components follow from the lines."""
        whole = total_of(list(lines.values()), included)
        refund.amount, refund.goods = whole.amount(included), whole.goods
        refund.discount, refund.tax = whole.discount, whole.tax
        await work.run(
            statements.OPEN,
            *(refund.id, refund.order_id, refund.group_id, refund.merchant_id, refund.customer_id, refund.guest_key),
            *(refund.intent_id, refund.cause, refund.reason, refund.status, refund.destination, refund.gift_card_id),
            *(refund.currency, refund.amount, refund.goods, refund.discount, refund.tax, refund.needed),
            *(refund.requested_by, work.now, list(lines), [p.quantity for p in lines.values()]),
            *([p.goods for p in lines.values()], [p.discount for p in lines.values()]),
            *([p.tax for p in lines.values()], [p.amount(included) for p in lines.values()]),
        )

    async def move(self, work: Work, refund_id: UUID, status: str, failure: str | None = None) -> Refund | None:
        """The refund in its new state, or None when it could not move there (again)."""
        may = [state for state, nexts in TRANSITIONS.items() if status in nexts]
        row = await work.row(statements.MOVE, refund_id, status, may, failure, work.now)
        return self.refunds.row(row) if row else None

    async def approvals(self, work: Work, refund_id: UUID) -> int:
        """How many people agreed so far."""
        row = await work.row(statements.APPROVALS, [refund_id])
        return row["agreed"] if row else 0

    async def views(self, work: Work, refunds: Sequence[Refund]) -> list[RefundView]:
        ids = [refund.id for refund in refunds]
        if not ids:
            return []
        lines = await work.rows(statements.LINES, ids)
        agreed = {row["refund_id"]: row["agreed"] for row in await work.rows(statements.APPROVALS, ids)}
        return [
            _view(refund, [line for line in lines if line["refund_id"] == refund.id], agreed.get(refund.id, 0))
            for refund in refunds
        ]


def _view(refund: Refund, lines: Sequence[Record], agreed: int) -> RefundView:
    return RefundView.model_construct(
        id=refund.id,
        order_id=refund.order_id,
        status=refund.status,
        amount=money(refund.amount, refund.currency),
        destination=cast(Destination, refund.destination),
        reason=refund.reason,
        approvals_needed=refund.needed,
        approvals=agreed,
        failure=refund.failure,
        lines=[_line(line, refund.currency) for line in lines],
        created_at=refund.created_at,
        updated_at=refund.updated_at,
    )


def _line(line: Record, currency: str) -> RefundLineView:
    parts = {name: money(line[name], currency) for name in ("goods", "discount", "tax", "amount")}
    return RefundLineView(order_line_id=line["order_line_id"], quantity=line["quantity"], **parts)
