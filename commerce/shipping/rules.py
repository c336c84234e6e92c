"""Pure rules of parcels: which state follows which, whatever order a carrier's news come in."""

from collections.abc import Iterable

from commerce.shipping.tables import OPEN_STATES

LOST_STATES = ("lost", "damaged", "returned_to_sender")
ENDS = frozenset({"delivered", *LOST_STATES})
NEXT: dict[str, frozenset[str]] = {
    "dispatched": frozenset({"in_transit", "out_for_delivery", *ENDS}),
    "in_transit": frozenset({"out_for_delivery", *ENDS}),
    "out_for_delivery": ENDS,
    "damaged": frozenset({"delivered", "lost", "returned_to_sender"}),
    "lost": frozenset({"delivered", "returned_to_sender"}),
    "returned_to_sender": frozenset(),
    "delivered": frozenset(),
}
"""A parcel only moves forward; what was lost may be found."""
ARRIVES_FROM = tuple(state for state, following in NEXT.items() if "delivered" in following)


def furthest(status: str, kinds: Iterable[str]) -> str:
    """The state after what was seen, in the order it happened; what is behind the state, or no state, changes nothing."""
    for kind in kinds:
        if kind in NEXT[status]:
            status = kind
    return status


def is_open(status: str) -> bool:
    return status in OPEN_STATES
