"""The inventory agent: is it there, and what runs low."""

from agents.spec import AgentSpec, uses
from tools import inventory, product

SPEC = AgentSpec(
    name="inventory",
    purpose="Says what is in stock; shows merchants their shelves and what runs low.",
    tools=uses(inventory.check_stock, inventory.merchant_stock, product.find_products),
    hand_offs=frozenset({"product", "order", "warehouse", "supplier", "support"}),
    autonomy="propose",
)
