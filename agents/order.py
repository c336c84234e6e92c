"""The order agent: where is it, change it, cancel it, buy again."""

from agents.spec import AgentSpec, uses
from tools import checkout, order, product

SPEC = AgentSpec(
    name="order",
    purpose="Finds a person's orders, says where they are, cancels, changes or readdresses them, fills the cart and buys it; "
    "tells merchants about their orders and sales.",
    tools=uses(
        *(order.list_orders, order.get_order, order.cancel_order, order.change_order_address),
        *(order.modify_order_items, order.change_order_payment, order.cancel_order_lines),
        *(order.merchant_orders, order.merchant_sales),
        *(
            product.find_products,
            product.get_product,
            checkout.view_cart,
            checkout.add_to_cart,
            checkout.change_cart_quantity,
        ),
        *(checkout.remove_from_cart, checkout.apply_coupon, checkout.buy_cart),
    ),
    hand_offs=frozenset({"product", "payment", "customer", "shipping", "returns", "refund", "promotion", "support"}),
    autonomy="limit",
)
