"""What the stock tells others."""

from uuid import UUID

from kernel.events import Event


class StockReserved(Event):
    topic = "inventory"
    aggregate = "reference_id"

    reference_id: UUID
    units: int


class StockReleased(Event):
    topic = "inventory"
    aggregate = "reference_id"

    reference_id: UUID
    units: int


class StockAdjusted(Event):
    topic = "inventory"
    aggregate = "level_id"

    level_id: UUID
    variant_id: UUID
    quantity: int
    reason: str


class StockSold(Event):
    topic = "inventory"
    aggregate = "reference_id"

    reference_id: UUID
    units: int


class StockReturned(Event):
    topic = "inventory"
    aggregate = "reference_id"

    reference_id: UUID
    units: int
