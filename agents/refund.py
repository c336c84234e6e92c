"""The refund agent: what was given back; money moves by a cancellation or by a person."""

from agents.spec import AgentSpec, uses
from tools import order, payment, refund, support

SPEC = AgentSpec(
    name="refund",
    purpose="Says what was charged and given back for an order, and opens a ticket where money is to go back.",
    tools=uses(
        *(refund.refund_status, payment.payment_status, order.get_order, support.search_help, support.open_ticket)
    ),
    hand_offs=frozenset({"payment", "returns", "order", "support"}),
    autonomy="limit",
    cannot="give money back, except by cancelling an order that is not packed",
)
