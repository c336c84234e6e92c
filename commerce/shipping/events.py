"""What shipping tells others. The key is the purchase, so that a parcel's events stay in order with its order's."""

from uuid import UUID

from kernel.events import Event


class ShipmentEvent(Event):
    topic = "shipping"
    aggregate = "group_id"

    group_id: UUID
    order_id: UUID
    shipment_id: UUID


class ShipmentCreated(ShipmentEvent):
    """A label was bought: the parcel that leaves with it will bear this id."""

    carrier: str
    amount: int
    currency: str


class ShipmentDispatched(ShipmentEvent):
    """A parcel left the house."""

    carrier: str


class ShipmentOutForDelivery(ShipmentEvent): ...


class ShipmentDelivered(ShipmentEvent): ...


class ShipmentDelayed(ShipmentEvent):
    """A parcel was not there on the last day it was promised for, or its carrier said so before; told once."""

    promised_on: str | None


class ShipmentLost(ShipmentEvent):
    """A parcel will not arrive as it was sent; `how` is lost, damaged or returned_to_sender."""

    how: str
