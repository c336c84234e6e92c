"""Labels of an order's packages: what a carrier has to know of it, and the sagas that buy a label and give it back."""

from uuid import UUID

from commerce.order.errors import NotShippable
from commerce.order.fulfillment import SHIPPABLE
from commerce.order.service import OrderService
from commerce.shipping.carriers import CarrierService
from commerce.shipping.labelling import BUY, DEADLINE, VOID
from commerce.shipping.labels import Packed
from commerce.shipping.permissions import SEND_PARCELS
from commerce.shipping.ports import Place
from commerce.shipping.schemas import BuyLabel, LabelState, LabelView
from commerce.warehouse import PackageView, WarehouseService
from commerce.warehouse.errors import PackageClosed
from kernel.db import Record, Work
from kernel.saga_engine import Engine, Run

# $1 order, $2 lines, $3 units: where it goes, by which method, and what these units are worth
_TO = """
select o.group_id, o.merchant_id, o.number, o.currency, g.shipping_method, a.name, a.line1, a.line2, a.city, a.region,
       a.postal_code, a.country,
       (select coalesce(sum(l.unit_minor * u.units), 0)::bigint from unnest($2::uuid[], $3::bigint[]) u(id, units)
        join order_lines l on l.id = u.id) as worth,
       (select i.country from inventory_locations i where i.merchant_id = o.merchant_id order by i.priority, i.id limit 1)
         as origin
from orders o join order_groups g on g.id = o.group_id join order_addresses a on a.group_id = g.id where o.id = $1
"""


class OrderLabels:
    def __init__(
        self, order: OrderService, warehouse: WarehouseService, carriers: CarrierService, engine: Engine
    ) -> None:
        self._order = order
        self._warehouse = warehouse
        self._labels = carriers.labels
        self._engine = engine

    async def buy(self, work: Work, label_id: UUID, package_id: UUID, command: BuyLabel) -> Run:
        """Begins to buy the label of a package, whose contents are final from here on.

        Raises UnknownPackage, PackageClosed, OrderNotFound, NotShippable, LabelTwice, UnknownCarrier, QuoteGone."""
        work.principal.require(SEND_PARCELS)
        package = await self._warehouse.packing.package(work, package_id)
        order = await self._order.desk.managed(work, package.order_id)
        if order.status not in SHIPPABLE:
            raise NotShippable(status=order.status)
        if package.status not in ("open", "sealed"):
            raise PackageClosed(status=package.status)
        packed = await self._packed(work, package)
        await self._labels.begin(work, label_id, packed, command)
        if package.status == "open":
            await self._warehouse.packing.seal(work, package_id)
        return await self._engine.start(work, BUY, packed.group_id, LabelState(label_id=label_id), DEADLINE)

    async def void(self, work: Work, label_id: UUID) -> Run:
        """Begins to give a label back that nothing left with. Raises UnknownLabel, LabelNotVoidable."""
        work.principal.require(SEND_PARCELS)
        group_id = await self._labels.void(work, label_id)
        return await self._engine.start(work, VOID, group_id, LabelState(label_id=label_id), DEADLINE)

    async def of_package(self, work: Work, package_id: UUID) -> list[LabelView]:
        """Every label a package had, oldest first. Raises UnknownPackage."""
        work.principal.require(SEND_PARCELS)
        await self._warehouse.packing.package(work, package_id)
        return await self._labels.of_package(work, package_id)

    async def _packed(self, work: Work, package: PackageView) -> Packed:
        """Read as the system: a merchant does not see where its buyer lives, and its label does."""
        lines = [line.order_line_id for line in package.lines]
        async with work.attempt():
            row = await work.row(_TO, package.order_id, lines, [line.quantity for line in package.lines])
        assert row is not None, "the order was found and locked"
        return Packed(
            package_id=package.id,
            order_id=package.order_id,
            group_id=row["group_id"],
            merchant_id=row["merchant_id"],
            number=row["number"],
            to=_place(row),
            origin=row["origin"] or row["country"],
            weight_g=package.weight_g,
            size_mm=(package.length_mm, package.width_mm, package.height_mm),
            worth=row["worth"],
            currency=row["currency"],
            method=row["shipping_method"],
        )


def _place(row: Record) -> Place:
    return Place(**{name: row[name] for name in ("country", "postal_code", "name", "line1", "line2", "city", "region")})
