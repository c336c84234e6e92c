"""The supplier agent: what runs low; purchase orders are not there yet."""

from agents.spec import SELLERS, AgentSpec, uses
from tools import inventory

SPEC = AgentSpec(
    name="supplier",
    purpose="Shows merchants what runs low, so that they can order it.",
    tools=uses(inventory.merchant_stock),
    hand_offs=frozenset({"inventory", "merchant", "support"}),
    autonomy="propose",
    cannot="place, send or follow purchase orders",
    audience=SELLERS,
)
