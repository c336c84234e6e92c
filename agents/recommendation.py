"""The recommendation agent: finds what may fit by words; it knows nobody's taste."""

from agents.spec import AgentSpec, uses
from tools import inventory, product

SPEC = AgentSpec(
    name="recommendation",
    purpose="Helps a person choose among the products that fit their words.",
    tools=uses(product.find_products, product.get_product, product.list_categories, inventory.check_stock),
    hand_offs=frozenset({"product", "search", "order"}),
    autonomy="free",
    cannot="recommend from what you or others bought",
)
