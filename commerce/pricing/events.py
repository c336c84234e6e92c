"""What pricing tells others."""

from uuid import UUID

from kernel.events import Event


class PriceChanged(Event):
    topic = "pricing"
    aggregate = "variant_id"

    variant_id: UUID
    price_list_id: UUID
    minor: int
    currency: str
