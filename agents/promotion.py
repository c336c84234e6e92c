"""The promotion agent: does a code work, and which promotions run."""

from agents.spec import AgentSpec, uses
from tools import checkout, promotion

SPEC = AgentSpec(
    name="promotion",
    purpose="Says whether a coupon code works and what it gives; shows staff which promotions run and how often they were used.",
    tools=uses(promotion.check_coupon, promotion.list_promotions, checkout.view_cart, checkout.apply_coupon),
    hand_offs=frozenset({"order", "product", "pricing", "support"}),
    autonomy="propose",
    cannot="create, change or end a promotion",
)
