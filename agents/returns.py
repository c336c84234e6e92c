"""The returns agent: what goes back, what comes instead; to staff it proposes what becomes of a return that waits."""

from agents.rules import Json, Step, Told
from agents.spec import AgentSpec, uses
from tools import order, payment, product, returns, support

ABUSIVE = 60
"""Score from which the rule proposes a no: the one from which the policies' own default asks a person."""


def grey(facts: Json, told: Told) -> Step:
    """A return fell into the grey zone of its policy."""
    if "return_case" not in told:
        return "return_case", {"order": facts["return_id"]}
    case = told["return_case"]["case"]
    if case["status"] != "requested":
        return f"It was decided meanwhile: {case['status']}."
    decision = "reject" if case["score"] >= ABUSIVE else "accept"
    if "propose_return_verdict" not in told:
        why = (
            f"Abuse score {case['score']}; with this one {case['returns_lately']} returns in 180 days, of which "
            f"{case['not_as_said_lately']} units did not pass."
        )
        return "propose_return_verdict", {"order": facts["return_id"], "decision": decision, "reason": why}
    return f"Proposed to {decision} it. {told['propose_return_verdict']['why']}"


def mismatch(facts: Json, told: Told) -> Step:
    """Units of a return were found worse than they were said to be, or were another item."""
    if "return_case" not in told:
        return "return_case", {"order": facts["return_id"]}
    found = told["return_case"]
    wrong = [unit for unit in found["case"]["units"] if unit["mismatch"]]
    if "propose_order_note" not in told:
        what = "; ".join(_difference(unit) for unit in wrong)
        lately = found["case"]["not_as_said_lately"]
        text = f"The return is not as it was said to be: {what}. With these, {lately} units of 180 days did not pass."
        return "propose_order_note", {"order": found["order"], "text": text}
    return f"Noted on order {found['order']}: its return is not as it was said to be."


def _difference(unit: Json) -> str:
    what = "another item" if unit["other_item"] else unit["found"]
    end = "it passed all the same" if unit["passed"] else "it did not pass"
    return f"{unit['quantity']} × {unit['name']} was said to be {unit['said']} and is {what}, {end}"


SPEC = AgentSpec(
    name="returns",
    purpose="Takes items of a delivered order back or exchanges them, and explains how returns and exchanges work.",
    tools=uses(
        *(order.get_order, product.find_products, product.get_product, payment.payment_options, payment.payment_status),
        *(
            returns.request_return,
            returns.request_exchange,
            returns.return_status,
            support.search_help,
            support.open_ticket,
        ),
        *(returns.return_case, returns.propose_return_verdict, order.propose_order_note),
    ),
    hand_offs=frozenset({"order", "refund", "shipping", "support", "product", "customer"}),
    autonomy="limit",
    rules={"ReturnRequested": grey, "InspectionMismatch": mismatch},
    cannot="print a return label or book a pick-up",
)
