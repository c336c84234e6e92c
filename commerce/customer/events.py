"""What customers tell others."""

from uuid import UUID

from kernel.events import Event


class CustomerRegistered(Event):
    topic = "customer"
    aggregate = "customer_id"

    customer_id: UUID
