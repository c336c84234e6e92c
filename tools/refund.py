"""Tools on refunds: what went back, and what is on its way. No tool moves money."""

from commerce.order.permissions import READ_ORDERS
from commerce.refund import RefundView
from commerce.refund.permissions import READ_REFUNDS
from kernel.schemas import Command
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
