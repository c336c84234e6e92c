"""The shipping agent: what delivery costs, how long it takes, and where an order is."""

from agents.spec import AgentSpec, uses
from tools import order, shipping, support

SPEC = AgentSpec(
    name="shipping",
    purpose="Says what delivery costs and how long it takes, where an order goes and how far it is.",
    tools=uses(shipping.shipping_options, order.get_order, support.search_help, support.open_ticket),
    hand_offs=frozenset({"order", "returns", "warehouse", "support"}),
    autonomy="limit",
    cannot="follow a parcel at its carrier, buy a label, or send one again",
)
