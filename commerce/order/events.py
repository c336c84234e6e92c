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


class OrderModified(OrderEvent):
    """`difference` is what the customer pays for it, minor units; below zero they got it back."""

    modification_id: UUID
    kind: str
    difference: int
    currency: str


class OrderHeld(OrderEvent):
    """Its reason stays in the house."""


class OrderReleased(OrderEvent):
    pass


class OrderSplit(OrderEvent):
    """The order leaves from several locations; `parts` says how many."""

    parts: int


class OrderShipped(OrderEvent):
    """A parcel left; `complete` with the last unit of the order."""

    parcel_id: UUID
    units: int
    complete: bool


class OrderAddressChanged(OrderEvent):
    country: str


class OrderDelivered(OrderEvent):
    order_id: UUID
