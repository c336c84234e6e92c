"""What the warehouse tells others. The key is the purchase."""

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
