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


class StockLow(Event):
    """A level came down to its reorder point; told once until there is enough again."""

    topic = "inventory"
    aggregate = "level_id"

    level_id: UUID
    variant_id: UUID
    merchant_id: UUID
    available: int
    point: int


class StockBack(Event):
    """A level that was low is above its reorder point again."""

    topic = "inventory"
    aggregate = "level_id"

    level_id: UUID
    variant_id: UUID
    merchant_id: UUID


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
