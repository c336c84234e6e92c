"""The search agent: finds products by words, typing errors forgiven."""

from agents.spec import AgentSpec, uses
from tools import inventory, product

SPEC = AgentSpec(
    name="search",
    purpose="Finds products by words and by category.",
    tools=uses(product.find_products, product.list_categories, product.get_product, inventory.check_stock),
    hand_offs=frozenset({"product", "recommendation", "order"}),
    autonomy="propose",
    cannot="sort or filter what is found, or search by a picture",
)
