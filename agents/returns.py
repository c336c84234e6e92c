"""The returns agent: what goes back, what comes instead."""

from agents.spec import AgentSpec, uses
from tools import order, payment, product, returns, support

SPEC = AgentSpec(
    name="returns",
    purpose="Takes items of a delivered order back or exchanges them, and explains how returns and exchanges work.",
    tools=uses(
        *(order.get_order, product.find_products, product.get_product, payment.payment_options, payment.payment_status),
        *(
            returns.request_return,
            returns.request_exchange,
            returns.return_status,
            support.search_help,
            support.open_ticket,
        ),
    ),
    hand_offs=frozenset({"order", "refund", "shipping", "support", "product", "customer"}),
    autonomy="limit",
    cannot="print a return label or book a pick-up",
)
