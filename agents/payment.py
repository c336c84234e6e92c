"""The payment agent: explains what can be paid with and what was charged. It never moves money; to staff it
proposes what becomes of a purchase that looks risky."""

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
    purpose="Says what a person can pay with and what happened to the money of an order; saves gift cards; proposes "
    "verdicts on risky purchases.",
    tools=uses(
        *(payment.payment_options, payment.payment_status, payment.save_gift_card),
        *(payment.review_case, payment.propose_review_verdict),
    ),
    hand_offs=frozenset({"order", "support"}),
    autonomy="propose",
    rules={"FraudReviewRequested": review},
)
