"""What orders tell others. The key is the group, so that everything of one purchase stays in order."""

from uuid import UUID

from kernel.events import Event


class OrderEvent(Event):
    topic = "order"
    aggregate = "group_id"

    group_id: UUID
    order_ids: list[UUID]


class OrderPlaced(OrderEvent):
    total: int
    currency: str


class OrderConfirmed(OrderEvent):
    total: int
    currency: str


class OrderCancelled(OrderEvent):
    reason: str


class OrderPaid(OrderEvent):
    amount: int
    currency: str


class OrderAddressChanged(OrderEvent):
    country: str


class OrderShipped(OrderEvent):
    order_id: UUID
    units: int
    rest: int
    """Units of the order that are still to be sent."""


class OrderDelivered(OrderEvent):
    order_id: UUID
