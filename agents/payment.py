"""The payment agent: explains what can be paid with and what was charged. It never moves money; to staff it
proposes what becomes of a purchase that looks risky."""

from agents.rules import Json, Step, Told
from agents.spec import AgentSpec, uses
from tools import payment

RISKY = 70
"""Score from which the rule proposes to stop a purchase."""


def review(facts: Json, told: Told) -> Step:
    """A purchase fell into the grey zone of risk."""
    if "review_case" not in told:
        return "review_case", {"order": facts["reference_id"]}
    case = told["review_case"]
    if case["decision"] != "review":
        return f"It was decided meanwhile: {case['decision']}."
    risky = case["score"] >= RISKY or case["failed_before"] > case["paid_before"]
    if "propose_review_verdict" not in told:
        why = f"Score {case['score']}; {case['paid_before']} purchases paid before, {case['failed_before']} failed."
        verdict = "stop" if risky else "release"
        return "propose_review_verdict", {"purchase": facts["reference_id"], "verdict": verdict, "reason": why}
    return f"Proposed to {'stop' if risky else 'release'} it; a person decides, or the checkout's rule when time is up."


SPEC = AgentSpec(
    name="payment",
    purpose="Says what a person can pay with and what happened to the money of an order; saves gift cards; proposes "
    "verdicts on risky purchases.",
    tools=uses(
        *(payment.payment_options, payment.payment_status, payment.save_gift_card),
        *(payment.review_case, payment.propose_review_verdict),
    ),
    hand_offs=frozenset({"order", "refund", "promotion", "support"}),
    autonomy="propose",
    rules={"FraudReviewRequested": review},
)
