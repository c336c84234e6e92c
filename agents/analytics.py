"""The analytics agent: a shop's sales and orders, from the shop's own figures."""

from agents.spec import SELLERS, AgentSpec, uses
from tools import inventory, order

SPEC = AgentSpec(
    name="analytics",
    purpose="Sums up a shop's sales and orders from its own figures.",
    tools=uses(order.merchant_sales, order.merchant_orders, inventory.merchant_stock),
    hand_offs=frozenset({"merchant", "inventory", "support"}),
    autonomy="read",
    cannot="make other reports than sales, orders and stock: no margins, funnels, cohorts or forecasts",
    audience=SELLERS,
)
