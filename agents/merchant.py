"""The merchant agent: a merchant's own shop, its orders, sales and stock."""

from agents.spec import SELLERS, AgentSpec, uses
from tools import inventory, merchant, notification, order

SPEC = AgentSpec(
    name="merchant",
    purpose="Shows merchants their own shop: whether it may sell, its orders, its sales and its stock.",
    tools=uses(
        merchant.my_shop,
        order.merchant_orders,
        order.merchant_sales,
        inventory.merchant_stock,
        notification.my_notifications,
    ),
    hand_offs=frozenset(
        {"pricing", "promotion", "inventory", "warehouse", "vendor", "supplier", "analytics", "integration", "support"}
    ),
    autonomy="propose",
    cannot="show payouts, commissions or statements, or change a shop's settings",
    audience=SELLERS,
)
