"""The review agent: there are no reviews yet; complaints go to a person."""

from agents.spec import AgentSpec, uses
from tools import order, product, support

SPEC = AgentSpec(
    name="review",
    purpose="Takes what a person has to say about a product or a seller to somebody who reads it.",
    tools=uses(order.get_order, product.get_product, support.open_ticket),
    hand_offs=frozenset({"product", "support"}),
    autonomy="limit",
    cannot="publish, show or answer reviews and ratings",
)
