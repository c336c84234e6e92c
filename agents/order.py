"""The order agent: where is it, change it, cancel it, buy again."""

from agents.rules import Json, Step, Told
from agents.spec import AgentSpec, uses
from tools import checkout, order, product


def unpaid(facts: Json, told: Told) -> Step:
    """A payment of a purchase failed: the purchase itself, or one that a change of it needed."""
    if "get_order" not in told:
        return "get_order", {"order": facts["reference_id"]}
    order, failure = told["get_order"]["order"], facts["failure"].replace("_", " ")
    if "propose_order_note" not in told:
        gone = order["payment_status"] == "failed"
        end = "Its cart is open again." if gone else "The order itself is as it was."
        return "propose_order_note", {"order": order["number"], "text": f"A payment failed ({failure}). {end}"}
    return f"Noted on order {order['number']} that a payment failed: {failure}."


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
        *(checkout.remove_from_cart, checkout.apply_coupon, checkout.buy_cart, order.propose_order_note),
    ),
    hand_offs=frozenset({"product", "payment", "customer", "shipping", "returns", "refund", "promotion", "support"}),
    autonomy="limit",
    rules={"PaymentFailed": unpaid},
)
