"""What the warehouse tells others: about orders by the purchase, about goods and counts by their own id."""

from uuid import UUID

from kernel.events import Event


class WarehouseEvent(Event):
    topic = "warehouse"
    aggregate = "group_id"

    group_id: UUID
    order_ids: list[UUID]


class PickCreated(WarehouseEvent): ...


class OrderPicked(WarehouseEvent): ...


class OrderPacked(WarehouseEvent):
    """Every unit of the order is picked and in a package."""


class GoodsReceived(Event):
    """Units came to the dock. `over` and `under` compare all that came on this order with what was announced."""

    topic = "warehouse"
    aggregate = "receiving_id"

    receiving_id: UUID
    location_id: UUID
    merchant_id: UUID
    reference: str
    units: int
    closed: bool
    over: int
    under: int


class CountVariance(Event):
    """A count is off by more than the place allows and waits for a second person; `kind` is cycle, short_pick or adjust."""

    topic = "warehouse"
    aggregate = "count_id"

    count_id: UUID
    location_id: UUID
    merchant_id: UUID
    kind: str
    units: int


class ShortPick(WarehouseEvent):
    """A bin had fewer units than an order wanted; of the missing ones other bins have `elsewhere`, another place was
    promised `relocated`, and `backordered` are nowhere."""

    short_id: UUID
    location_id: UUID
    merchant_id: UUID
    wanted: int
    found: int
    elsewhere: int
    relocated: int
    backordered: int
