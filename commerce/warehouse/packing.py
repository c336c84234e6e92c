"""Packages: picked units in boxes, each unit in one, each box of one order. Their lines keep the count of what is packed."""

from collections.abc import Sequence
from uuid import UUID

from commerce.warehouse.errors import (
    NothingToPack,
    PackageClosed,
    PackageOfOneOrder,
    UnknownPackage,
    UnknownPickTask,
)
from commerce.warehouse.events import OrderPacked
from commerce.warehouse.permissions import PICK
from commerce.warehouse.schemas import PackageView, PackedLine, PackUnits
from commerce.warehouse.tables import Package, PickTask
from kernel.db import Work, law
from kernel.ids import new_id
from kernel.repository import Repository

# $1 package, $2 order, $3 lines, $4 units
_FILL = """
insert into warehouse_package_lines (package_id, order_line_id, order_id, quantity)
select $1, id, $2, units from unnest($3::uuid[], $4::bigint[]) g(id, units) order by id
"""

# $1 order: whether nothing of it waits to be picked or packed
_WHOLE = """
select not exists (select from warehouse_picking_lines where order_id = $1 and packed < quantity)
"""

# $1 package, $2 states it may leave, $3 state, $4 when it was sent
_MOVE = """
update warehouse_packages set status = $3, sent_at = $4 where id = $1 and status = any($2) returning id
"""


class Packing:
    def __init__(self) -> None:
        self._tasks = Repository(PickTask, "merchant_id")
        self._packages = Repository(Package, "merchant_id")

    async def pack(self, work: Work, order_id: UUID, command: PackUnits) -> PackageView:
        """Puts picked units of an order into a new package. Emits OrderPacked with the last of them.

        Raises UnknownPickTask, NothingToPack, PackageOfOneOrder."""
        work.principal.require(PICK)
        task = await self._lock(work, order_id)
        package = Package(
            id=new_id(),
            order_id=order_id,
            merchant_id=task.merchant_id,
            status="open",
            actor=work.principal.subject,
            packed_at=work.now,
            sent_at=None,
            **command.model_dump(exclude={"lines"}),
        )
        await self._packages.add(work, package)
        units: dict[UUID, int] = {}
        for line in command.lines:
            units[line.order_line_id] = units.get(line.order_line_id, 0) + line.quantity
        refused = NothingToPack()
        with (
            law("package_of_one_order", PackageOfOneOrder()),
            law("ck_warehouse_picking_lines_packed", refused),
            law("package_of_units_there", refused),
        ):
            await work.run(_FILL, package.id, order_id, list(units), list(units.values()))
        if await work.value(_WHOLE, order_id):
            work.emit(OrderPacked(group_id=task.group_id, order_ids=[order_id]))
        return (await self._views(work, [package]))[0]

    async def package(self, work: Work, package_id: UUID) -> PackageView:
        """One package. Raises UnknownPackage, also for another merchant's."""
        work.principal.require(PICK)
        return (await self._views(work, [await self._get(work, package_id)]))[0]

    async def packages_of(self, work: Work, order_id: UUID) -> list[PackageView]:
        """The packages of an order, oldest first. Raises UnknownPickTask."""
        work.principal.require(PICK)
        if await self._tasks.find(work, self._tasks.table.c.order_id == order_id) is None:
            raise UnknownPickTask()
        return await self._views(work, await self._packages.all(work, self._packages.table.c.order_id == order_id))

    async def seal(self, work: Work, package_id: UUID) -> PackageView:
        """From here on its contents are final. Raises UnknownPackage, PackageClosed."""
        return await self._move(work, package_id, ["open"], "sealed")

    async def cancel(self, work: Work, package_id: UUID) -> PackageView:
        """Takes everything out again. Raises UnknownPackage, PackageClosed when it is sealed or has left."""
        return await self._move(work, package_id, ["open"], "cancelled")

    async def sent(self, work: Work, package_id: UUID) -> PackageView:
        """Notes that it has left the house, with what is in it. Raises UnknownPackage, PackageClosed."""
        return await self._move(work, package_id, ["open", "sealed"], "sent")

    async def _move(self, work: Work, package_id: UUID, before: list[str], after: str) -> PackageView:
        work.principal.require(PICK)
        package = await self._get(work, package_id)
        await self._lock(work, package.order_id)
        if not await work.value(_MOVE, package_id, before, after, work.now if after == "sent" else None):
            raise PackageClosed(status=(await self._get(work, package_id)).status)
        if after == "cancelled":
            await work.run("delete from warehouse_package_lines where package_id = $1", package_id)
        return (await self._views(work, [await self._get(work, package_id)]))[0]

    async def _get(self, work: Work, package_id: UUID) -> Package:
        package = await self._packages.get(work, package_id)
        if package is None:
            raise UnknownPackage()
        return package

    async def _lock(self, work: Work, order_id: UUID) -> PickTask:
        """The order's pick task, locked: what is picked and packed of an order changes one after the other."""
        table = self._tasks.table
        task = await self._tasks.find(work, table.c.order_id == order_id)
        if task is None:
            raise UnknownPickTask()
        await work.run("select from warehouse_tasks where order_id = $1 for update", order_id)
        return task

    async def _views(self, work: Work, packages: Sequence[Package]) -> list[PackageView]:
        rows = await work.rows(
            "select p.package_id, p.order_line_id, l.sku, p.quantity from warehouse_package_lines p "
            "join warehouse_picking_lines l using (order_line_id) where p.package_id = any($1) order by l.sku, l.order_line_id",
            [package.id for package in packages],
        )
        lines: dict[UUID, list[PackedLine]] = {package.id: [] for package in packages}
        for row in rows:
            lines[row["package_id"]].append(PackedLine.model_validate(dict(row)))
        names = [name for name in PackageView.model_fields if name != "lines"]
        return [
            PackageView(**{name: getattr(package, name) for name in names}, lines=lines[package.id])
            for package in packages
        ]
