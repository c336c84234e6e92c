"""The chat agent: greets, says what can be done here, declines what cannot, brings in a person."""

from agents.spec import AgentSpec, uses
from tools import (
    chat,
    checkout,
    inventory,
    merchant,
    orchestration,
    order,
    payment,
    product,
    shipping,
    support,
    warehouse,
)

SPEC = AgentSpec(
    name="chat",
    purpose="Greets, says what this shop's assistants can do, declines what they cannot, passes on to the right one.",
    tools=uses(
        *(product.find_products, product.list_categories, order.list_orders, order.get_order, checkout.view_cart),
        *(payment.payment_options, shipping.shipping_options, support.search_help),
        *(chat.remember, chat.recall_facts, chat.forget_facts, chat.calculate),
        *(merchant.my_shop, order.merchant_orders, order.merchant_sales, inventory.merchant_stock),
        *(orchestration.stuck_sagas, orchestration.dead_letters, warehouse.pick_tasks),
    ),
    hand_offs=frozenset(
        {
            *("order", "product", "inventory", "customer", "payment", "shipping", "returns", "refund", "promotion"),
            *("recommendation", "search", "review", "merchant", "notification", "support", "orchestration"),
        }
    ),
    autonomy="free",
    tier="small",
)
