"""How an order leaves the house: planned by where its stock is promised, split by location, shipped parcel by parcel."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from commerce.inventory import InventoryService
from commerce.order.desk import Desk
from commerce.order.errors import ChangeInProgress, NotShippable, OrderNotFound, OrderOnHold, UnitsNotThere
from commerce.order.events import OrderShipped, OrderSplit
from commerce.order.permissions import READ_ORDERS, SHIP_ORDERS
from commerce.order.schemas import ParcelView, PartView, PlannedLine, PlanView, ShipParcel
from commerce.order.tables import FulfillmentPlan, Order, OrderLine, PartialShipment, Split
from commerce.shipping import Sending, Shipments, ShippingService
from commerce.shipping.labels import Labels, Live
from commerce.warehouse import WarehouseService
from commerce.warehouse.errors import PackageClosed, UnknownPackage
from kernel.db import Record, Work
from kernel.repository import Repository

STANDARD = "standard"
SHIPPABLE = frozenset({"confirmed", "processing", "partially_shipped"})

# $1 order: what was planned and not shipped is planned anew
_FORGET = """
with gone as (delete from order_fulfillment_plans where order_id = $1 and shipped = 0)
update order_fulfillment_plans set quantity = shipped where order_id = $1 and shipped > 0
"""

# $1 order, $2 lines, $3 locations, $4 units, $5 now
_PLAN = """
insert into order_fulfillment_plans as p (order_line_id, location_id, order_id, quantity, shipped, planned_at)
select line, location, $1::uuid, units, 0, $5::timestamptz
from unnest($2::uuid[], $3::uuid[], $4::bigint[]) g(line, location, units)
on conflict (order_line_id, location_id) do update
  set quantity = p.quantity + excluded.quantity, planned_at = excluded.planned_at
"""

# $1 order, $2 now: one part per location, as soon as there are two
_SPLIT = """
with parts as (
  select location_id, sum(quantity)::bigint as units from order_fulfillment_plans where order_id = $1 group by location_id
), gone as (
  delete from order_splits s where s.order_id = $1
    and ((select count(*) from parts) < 2 or not exists (select from parts where location_id = s.location_id))
)
insert into order_splits as s (order_id, location_id, units, split_at)
select $1, location_id, units, $2 from parts where (select count(*) from parts) > 1
on conflict (order_id, location_id) do update set units = excluded.units, split_at = excluded.split_at
  where s.units <> excluded.units
"""

_PARTS = """
select p.location_id, i.name as location, p.order_line_id, l.sku, l.variant_id, p.quantity, p.shipped
from order_fulfillment_plans p join order_lines l on l.id = p.order_line_id
join inventory_locations i on i.id = p.location_id where p.order_id = $1 order by i.priority, i.id, l.id
"""

# $1 location, $2 lines, $3 units: guarded by the plan and by what is left of each line
_LEAVE = """
with planned as (
  update order_fulfillment_plans p set shipped = p.shipped + g.units
  from unnest($2::uuid[], $3::bigint[]) g(id, units)
  where p.order_line_id = g.id and p.location_id = $1 and p.shipped + g.units <= p.quantity returning g.id, g.units
)
update order_lines l set shipped = l.shipped + planned.units from planned
where l.id = planned.id and l.shipped + l.cancelled + planned.units <= l.quantity
"""

# $1 order, $2 now
_STATUS = """
with state as (
  select case when exists (select from order_lines where order_id = $1 and shipped + cancelled < quantity)
         then 'partially_shipped' else 'shipped' end as reached
)
update orders set status = reached, fulfillment_status = reached, updated_at = $2 from state where id = $1 returning status
"""

_SHIPPED_AT = """
insert into order_delivery_tracking (order_id, shipped_at) values ($1, $2) on conflict (order_id) do nothing
"""

_BOUGHT = """
select g.shipping_method, a.country from order_groups g join order_addresses a on a.group_id = g.id where g.id = $1
"""

_PARCELS = """
select s.*, l.sku from order_partial_shipments s join order_lines l on l.id = s.order_line_id
where s.order_id = $1 order by s.parcel_id, s.order_line_id
"""


class Fulfillment:
    def __init__(
        self,
        inventory: InventoryService,
        warehouse: WarehouseService,
        shipping: ShippingService,
        labels: Labels,
        shipments: Shipments,
        desk: Desk,
    ) -> None:
        self._inventory = inventory
        self._labels = labels
        self._shipping = shipping
        self._shipments = shipments
        self._warehouse = warehouse
        self._desk = desk
        self._orders = Repository(Order, "customer_id", "guest_key", "merchant_id")
        self._lines = Repository(OrderLine)
        self._plans = Repository(FulfillmentPlan)
        self._splits = Repository(Split)
        self._parcels = Repository(PartialShipment)

    async def plan(self, work: Work, order_id: UUID) -> PlanView:
        """Plans what is not shipped yet by where its stock is promised now; an earlier plan gives way.

        Emits OrderSplit when parts of it leave from several locations. Raises OrderNotFound, NotShippable."""
        work.principal.require(SHIP_ORDERS)
        order = await self._shippable(work, order_id)
        await self._plan(work, order)
        return await self._view(work, order_id)

    async def planned(self, work: Work, order_id: UUID) -> PlanView:
        """The plan as it was made last; empty before. Raises OrderNotFound."""
        work.principal.require(SHIP_ORDERS)
        await self._desk.managed(work, order_id)
        return await self._view(work, order_id)

    async def ship(self, work: Work, order_id: UUID, command: ShipParcel) -> ParcelView:
        """Units leave a location in one parcel: its stock is sold, the order is partly or wholly shipped.

        A labelled package leaves as it was packed. Emits OrderShipped, ShipmentDispatched. Raises OrderNotFound,
        NotShippable, OrderOnHold, ChangeInProgress, UnitsNotThere, BinUnitsNotThere, UnknownPackage, PackageNotLabelled,
        PackageClosed."""
        work.principal.require(SHIP_ORDERS)
        order = await self._shippable(work, order_id)
        waits = await work.row(
            "select exists (select from order_holds where order_id = $1 and released_at is null) as held, "
            "exists (select from order_modifications where order_id = $1 and status = 'requested') as changing",
            order_id,
        )
        assert waits is not None
        if waits["held"]:
            raise OrderOnHold()
        if waits["changing"]:
            raise ChangeInProgress()
        await self._plan(work, order)
        label = await self._labels.live(work, command.package_id) if command.package_id else None
        units = await self._units(work, order_id, command)
        location = await self._location(work, order_id, command.location_id, units)
        return await self._leave(work, order, command, location, units, label)

    async def parcels(self, work: Work, order_id: UUID) -> list[ParcelView]:
        """What left of an order of the caller, oldest parcel first. Raises OrderNotFound."""
        work.principal.require(READ_ORDERS)
        if await self._orders.get(work, order_id) is None:
            raise OrderNotFound()
        found: dict[UUID, list[Record]] = {}
        for row in await work.rows(_PARCELS, order_id):
            found.setdefault(row["parcel_id"], []).append(row)
        return [_parcel(rows) for rows in found.values()]

    # --- inside ---

    async def _shippable(self, work: Work, order_id: UUID) -> Order:
        order = await self._desk.managed(work, order_id)
        if order.status not in SHIPPABLE:
            raise NotShippable(status=order.status)
        return order

    async def _plan(self, work: Work, order: Order) -> None:
        await work.run(_FORGET, order.id)
        promised = {
            (held.variant_id, held.location_id): held.quantity
            for held in await self._inventory.promised(work, order.group_id)
        }
        planned: list[tuple[UUID, UUID, int]] = []
        for line in await self._lines.all(work, self._lines.table.c.order_id == order.id):
            wanted = line.quantity - line.cancelled - line.shipped
            for (variant, location), left in promised.items():
                part = min(wanted, left) if variant == line.variant_id else 0
                if part:
                    planned.append((line.id, location, part))
                    promised[variant, location] -= part
                    wanted -= part
        if planned:
            await work.run(_PLAN, order.id, *[list(column) for column in zip(*planned, strict=True)], work.now)
        if await work.run(_SPLIT, order.id, work.now):
            parts = len({location for _, location, _ in planned})
            work.emit(OrderSplit(group_id=order.group_id, order_ids=[order.id], parts=parts))

    async def _location(self, work: Work, order_id: UUID, wanted: UUID | None, units: dict[UUID, int]) -> UUID:
        """The location that has all of these units picked and ready: the named one, or the only one."""
        ready: dict[UUID, dict[UUID, int]] = {}
        for row in await work.rows(_PARTS, order_id):
            ready.setdefault(row["location_id"], {})[row["order_line_id"]] = row["quantity"] - row["shipped"]
        fitting = [
            location
            for location, lines in ready.items()
            if wanted in (None, location) and all(lines.get(line, 0) >= count for line, count in units.items())
        ]
        lines = await self._lines.all(work, self._lines.table.c.order_id == order_id)
        shipped = {line.id: line.shipped + units[line.id] for line in lines if line.id in units}
        if len(fitting) != 1 or not await self._warehouse.has_picked(work, order_id, shipped):
            raise UnitsNotThere()
        return fitting[0]

    async def _units(self, work: Work, order_id: UUID, command: ShipParcel) -> dict[UUID, int]:
        """What leaves, by order line."""
        units: dict[UUID, int] = {}
        if command.package_id is None:
            for line in command.lines or []:
                units[line.line_id] = units.get(line.line_id, 0) + line.quantity
            return units
        package = await self._warehouse.packing.package(work, command.package_id)
        if package.order_id != order_id:
            raise UnknownPackage()
        if package.status in ("sent", "cancelled"):
            raise PackageClosed(status=package.status)
        return {line.order_line_id: line.quantity for line in package.lines}

    async def _leave(
        self,
        work: Work,
        order: Order,
        command: ShipParcel,
        location: UUID,
        units: dict[UUID, int],
        label: Live | None,
    ) -> ParcelView:
        lines = await self._lines.all(work, self._lines.table.c.id.in_(list(units)))
        left = await work.run(_LEAVE, location, list(units), list(units.values()))
        assert left == len(units), "the order was locked since its plan was made"
        sold: dict[UUID, int] = {}
        for line in lines:
            sold[line.variant_id] = sold.get(line.variant_id, 0) + units[line.id]
        await self._inventory.sell(work, order.group_id, sold, location)
        await self._warehouse.bins.leave(work, order.id, location, sold)
        parcel = await self._dispatch(work, order, command, location, units, label)
        await work.run(_SHIPPED_AT, order.id, work.now)
        for line in lines:
            row = PartialShipment(
                parcel_id=parcel,
                order_line_id=line.id,
                order_id=order.id,
                location_id=location,
                quantity=units[line.id],
                carrier=label.carrier if label else command.carrier,
                tracking_number=label.tracking if label else command.tracking_number,
                actor=work.principal.subject,
                at=work.now,
            )
            await self._parcels.add(work, row)
        complete = await work.value(_STATUS, order.id, work.now) == "shipped"
        if complete:
            await self._warehouse.shipped(work, order.id)
        count = sum(units.values())
        work.emit(
            OrderShipped(
                group_id=order.group_id, order_ids=[order.id], parcel_id=parcel, units=count, complete=complete
            )
        )
        return next(found for found in await self.parcels(work, order.id) if found.id == parcel)

    async def _dispatch(
        self, work: Work, order: Order, command: ShipParcel, location: UUID, units: dict[UUID, int], label: Live | None
    ) -> UUID:
        """The parcel on its way; a package's bears the id of its label, and the package is gone with it."""
        known = (order.id, order.group_id, order.merchant_id, units)
        promised = await self._promised(work, order)
        if label is None or command.package_id is None:
            named = (command.carrier or STANDARD, command.tracking_number or "", promised, location)
            return await self._shipments.dispatch(work, Sending(*known, *named))
        sending = Sending(*known, label.carrier, label.tracking, promised, location, label.id)
        parcel = await self._shipments.dispatch(work, sending)
        await self._labels.left(work, label, command.package_id)
        await self._warehouse.packing.sent(work, command.package_id)
        return parcel

    async def _promised(self, work: Work, order: Order) -> date | None:
        """The last day a parcel that leaves now may take, by the method that was bought; None for one that is gone.
        Read as the system: a merchant does not see where its buyer lives."""
        async with work.attempt():
            bought = await work.row(_BOUGHT, order.group_id)
            return await self._shipping.due(work, *bought.values()) if bought else None

    async def _view(self, work: Work, order_id: UUID) -> PlanView:
        parts: dict[UUID, PartView] = {}
        planned = 0
        for row in await work.rows(_PARTS, order_id):
            empty = PartView(location_id=row["location_id"], location=row["location"], lines=[])
            parts.setdefault(row["location_id"], empty).lines.append(_line(row))
            planned += row["quantity"]
        wanted = await work.value(
            "select coalesce(sum(quantity - cancelled), 0)::bigint from order_lines where order_id = $1", order_id
        )
        return PlanView(parts=list(parts.values()), unplanned=wanted - planned)


def _line(row: Record) -> PlannedLine:
    return PlannedLine(line_id=row["order_line_id"], sku=row["sku"], quantity=row["quantity"], shipped=row["shipped"])


def _parcel(rows: Sequence[Record]) -> ParcelView:
    first = rows[0]
    return ParcelView(
        id=first["parcel_id"],
        location_id=first["location_id"],
        carrier=first["carrier"],
        tracking_number=first["tracking_number"],
        lines=[
            PlannedLine(line_id=row["order_line_id"], sku=row["sku"], quantity=row["quantity"], shipped=row["quantity"])
            for row in rows
        ],
        at=first["at"],
    )
