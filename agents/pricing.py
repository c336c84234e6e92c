"""The pricing agent: what something costs, and what it cost before."""

from agents.spec import SELLERS, AgentSpec, uses
from tools import pricing, product

SPEC = AgentSpec(
    name="pricing",
    purpose="Tells merchants and staff what their products cost, what they cost before, and the lowest price of 30 days.",
    tools=uses(pricing.price_of, pricing.propose_price, product.find_products),
    hand_offs=frozenset({"product", "promotion", "merchant", "support"}),
    autonomy="propose",
    audience=SELLERS,
)
