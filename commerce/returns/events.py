"""What returns tell others. The key is the purchase. Amounts are minor units."""

from uuid import UUID

from kernel.events import Event


class ReturnEvent(Event):
    topic = "returns"
    aggregate = "group_id"

    return_id: UUID
    group_id: UUID
    order_id: UUID


class ReturnRequested(ReturnEvent):
    resolution: str
    verdict: str
    """`authorised`, or `grey`: then somebody has to decide."""
    score: int


class ExchangeRequested(ReturnEvent):
    difference: int
    """What the replacements cost more (or less, when negative)."""
    currency: str


class ReturnAuthorized(ReturnEvent): ...


class ReturnRejected(ReturnEvent): ...


class ReturnCancelled(ReturnEvent):
    reason: str


class ReturnReceived(ReturnEvent):
    units: int
    whole: bool


class InspectionMismatch(ReturnEvent):
    units: int
    """Units that are not as they were said to be."""


class ReturnCompleted(ReturnEvent):
    resolution: str
    """What came of it: `refund`, `exchange`, or `none` when no unit passed."""


class ClaimOpened(Event):
    topic = "returns"
    aggregate = "group_id"

    claim_id: UUID
    group_id: UUID
    order_id: UUID
    kind: str


class ClaimDecided(ClaimOpened):
    accepted: bool
