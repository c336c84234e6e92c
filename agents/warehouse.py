"""The warehouse agent: what waits to be picked, and how far an order is."""

from agents.spec import SELLERS, AgentSpec, uses
from tools import inventory, order, warehouse

SPEC = AgentSpec(
    name="warehouse",
    purpose="Shows merchants and staff what has to be picked and how far an order is in the warehouse.",
    tools=uses(warehouse.pick_tasks, warehouse.pick_status, inventory.merchant_stock, order.get_order),
    hand_offs=frozenset({"order", "inventory", "shipping", "support"}),
    autonomy="limit",
    cannot="plan waves or routes, receive goods, or count bins",
    audience=SELLERS,
)
