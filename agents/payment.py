"""The payment agent: explains what can be paid with and what was charged. It never moves money."""

from agents.spec import AgentSpec, uses
from tools import payment

SPEC = AgentSpec(
    name="payment",
    purpose="Says what a person can pay with and what happened to the money of an order; saves gift cards.",
    tools=uses(payment.payment_options, payment.payment_status, payment.save_gift_card),
    hand_offs=frozenset({"order", "refund", "promotion", "support"}),
    autonomy="propose",
)
