"""The inventory agent: is it there, and what runs low."""

from agents.rules import Json, Step, Told
from agents.spec import AgentSpec, uses
from tools import inventory, product


def low(facts: Json, told: Told) -> Step:
    """A level came down to its reorder point."""
    if "stock_alerts" not in told:
        return "stock_alerts", {"level": facts["level_id"]}
    if "propose_refill" not in told:
        return "propose_refill", {"level": facts["level_id"]}
    (level,) = told["stock_alerts"]["items"]
    return f"{level['name']} ({level['sku']}) is down to {level['available']} at {level['location']}: its merchant is told."


SPEC = AgentSpec(
    name="inventory",
    purpose="Says what is in stock; shows merchants their shelves and what runs low.",
    tools=uses(
        *(inventory.check_stock, inventory.merchant_stock, inventory.stock_alerts, inventory.propose_restock),
        *(inventory.propose_refill, product.find_products),
    ),
    hand_offs=frozenset({"product", "order", "warehouse", "supplier", "support"}),
    autonomy="propose",
    rules={"StockLow": low},
)
