"""The chat agent: greets, says what can be done here, declines what cannot, brings in a person."""

from agents.spec import AgentSpec, uses
from tools import chat, checkout, inventory, order, payment, product, support

SPEC = AgentSpec(
    name="chat",
    purpose="Greets, says what this shop's assistants can do, declines what they cannot, passes on to the right one.",
    tools=uses(
        *(product.find_products, product.list_categories, order.list_orders, order.get_order, checkout.view_cart),
        *(payment.payment_options, support.search_help),
        *(chat.remember, chat.recall_facts, chat.forget_facts),
        *(order.merchant_orders, order.merchant_sales, inventory.merchant_stock),
    ),
    hand_offs=frozenset({"order", "product", "inventory", "customer", "payment", "support"}),
    autonomy="free",
    tier="small",
)
