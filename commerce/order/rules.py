"""Pure rules of orders: which move is legal."""

from commerce.pricing.policy import Rule

TRANSITIONS: dict[str, frozenset[str]] = {
    "placed": frozenset({"confirmed", "cancelled"}),
    "confirmed": frozenset({"processing", "partially_shipped", "shipped", "cancelling", "cancelled"}),
    "processing": frozenset({"partially_shipped", "shipped", "cancelling", "cancelled"}),
    "partially_shipped": frozenset({"shipped"}),
    "shipped": frozenset({"delivered"}),
    "delivered": frozenset({"completed"}),
    "completed": frozenset(),
    "cancelling": frozenset({"cancelled"}),
    "cancelled": frozenset(),
}

CANCELLABLE = frozenset(state for state, nexts in TRANSITIONS.items() if "cancelling" in nexts)
UNPACKED = frozenset({"unfulfilled", "picking"})
"""Fulfilment states in which the parcel is not closed."""


def may_become(status: str, wanted: str) -> bool:
    return wanted in TRANSITIONS[status]


def open_for(rule: Rule, status: str, fulfillment: str) -> bool:
    """Whether a policy's rule still allows its change, as far as the order's own states tell."""
    return status in rule.states and fulfillment in UNPACKED
