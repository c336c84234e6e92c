"""Pure rules of orders: which move is legal."""

TRANSITIONS: dict[str, frozenset[str]] = {
    "placed": frozenset({"confirmed", "cancelled"}),
    "confirmed": frozenset({"processing", "partially_shipped", "shipped", "cancelling"}),
    "processing": frozenset({"partially_shipped", "shipped", "cancelling"}),
    "partially_shipped": frozenset({"shipped"}),
    "shipped": frozenset({"delivered"}),
    "delivered": frozenset({"completed"}),
    "completed": frozenset(),
    "cancelling": frozenset({"cancelled"}),
    "cancelled": frozenset(),
}

CANCELLABLE = frozenset(state for state, nexts in TRANSITIONS.items() if "cancelling" in nexts)
ADDRESS_CHANGEABLE = frozenset({"placed", "confirmed"})


def may_become(status: str, wanted: str) -> bool:
    return wanted in TRANSITIONS[status]
