"""The payment agent: explains what can be paid with and what was charged. It never moves money; to staff it
proposes what becomes of a purchase that looks risky."""

from agents.spec import AgentSpec, uses
from tools import payment

SPEC = AgentSpec(
    name="payment",
    purpose="Says what a person can pay with and what happened to the money of an order; saves gift cards; proposes verdicts on risky purchases.",
    tools=uses(payment.payment_options, payment.payment_status, payment.save_gift_card, payment.propose_review_verdict),
    hand_offs=frozenset({"order", "support"}),
    autonomy="propose",
)
