"""The refund agent: what was given back; money moves by a cancellation or by a person. To staff it proposes what becomes
of a refund that waits or failed."""

from agents.rules import Json, Step, Told
from agents.spec import AgentSpec, uses
from tools import order, payment, refund, support

OFTEN = 3
"""Refunds of half a year from which the rule proposes a no."""


def waiting(facts: Json, told: Told) -> Step:
    """A refund needs people."""
    if "refund_case" not in told:
        return "refund_case", {"order": facts["refund_id"]}
    case = told["refund_case"]["case"]
    if case["status"] != "waiting_approval":
        return f"It was decided meanwhile: {case['status'].replace('_', ' ')}."
    decision = "reject" if case["refunds_lately"] >= OFTEN else "accept"
    if "propose_refund_verdict" not in told:
        why = (
            f"{case['refunds_lately']} refunds of this customer in the 180 days before; reason given: {case['reason']}"
        )
        return "propose_refund_verdict", {"order": facts["refund_id"], "decision": decision, "reason": why[:200]}
    return f"Proposed to {decision} it. {told['propose_refund_verdict']['why']}"


def failed(facts: Json, told: Told) -> Step:
    """The gateway refused to send a refund."""
    if "refund_case" not in told:
        return "refund_case", {"order": facts["refund_id"]}
    case = told["refund_case"]["case"]
    if case["status"] != "failed":
        return f"It is {case['status'].replace('_', ' ')} meanwhile."
    decision = "again" if case["guest"] or case["destination"] == "store_credit" else "store_credit"
    if "propose_refund_verdict" not in told:
        why = f"The bank refused it: {facts['failure']}."
        return "propose_refund_verdict", {"order": facts["refund_id"], "decision": decision, "reason": why[:200]}
    return f"Proposed to send it {'again' if decision == 'again' else 'to store credit'}. A person decides."


SPEC = AgentSpec(
    name="refund",
    purpose="Says what was charged and given back for an order, and opens a ticket where money is to go back.",
    tools=uses(
        *(refund.refund_status, payment.payment_status, order.get_order, support.search_help, support.open_ticket),
        *(refund.refund_case, refund.propose_refund_verdict, order.propose_order_note),
    ),
    hand_offs=frozenset({"payment", "returns", "order", "support"}),
    autonomy="limit",
    rules={"RefundRequested": waiting, "RefundFailed": failed},
    cannot="give money back, except by cancelling an order that is not packed",
)
