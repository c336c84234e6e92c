"""Tools on refunds: what went back, what is on its way, and what should become of one. No tool moves money."""

from typing import Annotated

from pydantic import Field, StringConstraints

from commerce.approval import Draft
from commerce.approval.permissions import PROPOSE
from commerce.order.permissions import READ_ORDERS
from commerce.refund import RefundView
from commerce.refund.permissions import DECIDE_REFUNDS, READ_REFUNDS
from commerce.refund.schemas import RefundCaseView
from commerce.refund.verdicts import Decision
from kernel.ids import public
from kernel.schemas import Command, Text, View
from tools.order import Number
from tools.spec import Call, Effect, tool


class RefundsOf(Command):
    order: Number | None = None


@tool(Effect.READ, READ_REFUNDS, READ_ORDERS)
async def refund_status(call: Call, args: RefundsOf) -> list[RefundView]:
    """Shows the caller's refunds, newest first, of one order when it is named: amount, where it goes, how far it is.

    Use it for "where is my refund", "when do I get my money back"."""
    order = await call.commerce.order.named(call.work, args.order) if args.order else None
    return (await call.commerce.refund.page(call.work, order.id if order else None, size=5)).items


Refund = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=40),
    Field(description="number of the order whose newest refund it is, or the refund's id"),
]


class OneRefund(Command):
    order: Refund


class RefundCase(View):
    """A refund as those see it who decide, with the number of its order."""

    order: str
    case: RefundCaseView


@tool(Effect.READ, DECIDE_REFUNDS, READ_ORDERS)
async def refund_case(call: Call, args: OneRefund) -> RefundCase:
    """Shows what speaks for and against a refund that waits or failed: its reason, what the order got back, what its
    customer got back lately. For staff."""
    case = await call.commerce.refund.verdicts.case(call.work, await _named(call, args.order))
    order = await call.commerce.order.view(call.work, case.order_id)
    return RefundCase(order=order.number, case=case)


class RefundVerdict(Command):
    order: Refund
    decision: Annotated[
        Decision,
        Field(description="accept or reject one that waits; again or store_credit for one that the bank refused"),
    ]
    reason: Annotated[Text, Field(description="why, in one line for the person who decides")]


@tool(Effect.PROPOSE, DECIDE_REFUNDS, PROPOSE, READ_ORDERS)
async def propose_refund_verdict(call: Call, args: RefundVerdict) -> Draft:
    """Proposes to accept or reject a refund that waits, or where to send one that failed. A person decides, and two where
    the shop's policy wants two. Promise nothing that only waits."""
    name = await _named(call, args.order)
    return await call.commerce.refund.verdicts.draft(call.work, name, args.decision, args.reason)


async def _named(call: Call, name: str) -> str:
    """A refund's id as it is; for an order's number the order's id."""
    return name if name.startswith("ref_") else public("ord", (await call.commerce.order.named(call.work, name)).id)
