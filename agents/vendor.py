"""The vendor agent: a seller's stock and orders; offers are not compared yet."""

from agents.spec import SELLERS, AgentSpec, uses
from tools import inventory, merchant, order

SPEC = AgentSpec(
    name="vendor",
    purpose="Shows sellers their own stock and orders.",
    tools=uses(merchant.my_shop, inventory.merchant_stock, order.merchant_orders),
    hand_offs=frozenset({"merchant", "inventory", "support"}),
    autonomy="propose",
    cannot="compare sellers' offers, settle a buy box, or score a seller",
    audience=SELLERS,
)
