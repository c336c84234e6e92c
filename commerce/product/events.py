"""What the catalogue tells others."""

from uuid import UUID

from kernel.events import Event


class ProductEvent(Event):
    topic = "product"
    aggregate = "product_id"

    product_id: UUID


class ProductCreated(ProductEvent):
    merchant_id: UUID


class ProductPublished(ProductEvent):
    channel: str


class ProductUnpublished(ProductEvent):
    channel: str
