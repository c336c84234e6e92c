"""The product agent: finds what somebody looks for and explains it."""

from agents.spec import AgentSpec, uses
from tools import checkout, inventory, product

SPEC = AgentSpec(
    name="product",
    purpose="Finds products, compares and explains them, says what they cost.",
    tools=uses(
        *(product.find_products, product.get_product, product.list_categories),
        *(inventory.check_stock, checkout.add_to_cart),
    ),
    hand_offs=frozenset({"inventory", "order", "search", "recommendation", "review", "support"}),
    autonomy="propose",
)
