"""The payment agent: explains what can be paid with and what was charged. It never moves money."""

from agents.rules import Json, Step, Told
from agents.spec import AgentSpec, uses
from tools import payment


def review(facts: Json, told: Told) -> Step:
    """A purchase fell into the grey zone of risk."""
    if "review_case" not in told:
        return "review_case", {"order": facts["reference_id"]}
    return f"Score {told['review_case']['score']}: a person may decide; else the rule of the checkout does in time."


SPEC = AgentSpec(
    name="payment",
    purpose="Says what a person can pay with and what happened to the money of an order; saves gift cards.",
    tools=uses(payment.payment_options, payment.payment_status, payment.review_case, payment.save_gift_card),
    hand_offs=frozenset({"order", "support"}),
    autonomy="propose",
    rules={"FraudReviewRequested": review},
)
