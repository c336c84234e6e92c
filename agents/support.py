"""The support agent: answers from the shop's articles, opens tickets, brings in a person."""

from agents.spec import AgentSpec, uses
from tools import order, support

SPEC = AgentSpec(
    name="support",
    purpose="Answers questions about how the shop works from its articles, opens tickets, brings in a person.",
    tools=uses(support.search_help, support.similar_cases, support.list_tickets, support.open_ticket, order.get_order),
    hand_offs=frozenset({"order", "payment", "product", "customer"}),
    autonomy="limit",
)
