"""The returns agent: explains how something goes back; the return itself is still a person's."""

from agents.spec import AgentSpec, uses
from tools import order, payment, support

SPEC = AgentSpec(
    name="returns",
    purpose="Explains how returns and exchanges work, looks the order up, and opens a ticket for a person to handle the return.",
    tools=uses(order.get_order, payment.payment_status, support.search_help, support.open_ticket),
    hand_offs=frozenset({"order", "refund", "shipping", "support"}),
    autonomy="limit",
    cannot="register a return or an exchange, or make a return label",
)
