"""Layout: which locations have bins, where the bins stand, what lies in them, and moves between them."""

from collections.abc import Sequence
from uuid import UUID

from commerce.inventory import Shelves
from commerce.warehouse.bins import Bins
from commerce.warehouse.errors import (
    BinTaken,
    NoSuchZone,
    NotIdle,
    UnknownBin,
    UnknownWarehouse,
    WarehouseExists,
    ZoneTaken,
)
from commerce.warehouse.floor import Bin, Warehouse, Zone
from commerce.warehouse.permissions import MANAGE, PICK
from commerce.warehouse.schemas import (
    AddBins,
    AddZone,
    BinView,
    LyingView,
    MoveUnits,
    OpenWarehouse,
    WarehouseView,
    ZoneView,
)
from kernel.db import Work, law
from kernel.ids import new_id
from kernel.repository import Repository

FIRST_ZONES = (("DOCK", "dock"), ("RETURNS", "returns"), ("STAGING", "staging"))

# $1 dock, $2 location, $3 levels, $4 units, $5 actor, $6 now
_OPENING = """
with lying as (
  insert into warehouse_bin_stock (bin_id, level_id, location_id, quantity)
  select $1, g.id, $2, g.units from unnest($3::uuid[], $4::bigint[]) g(id, units) returning level_id, quantity
)
insert into warehouse_moves (id, level_id, from_bin, to_bin, quantity, kind, reference_id, actor, at)
select uuidv7(), level_id, null, $1, quantity, 'open', null, $5, $6 from lying
"""

# $1 location: an order promised from here of which units were picked and have not left
_BUSY = """
select exists (
  select from inventory_reservations r join inventory_levels v on v.id = r.level_id and v.location_id = $1
  join warehouse_tasks t on t.group_id = r.reference_id
  join warehouse_picking_lines l on l.order_id = t.order_id and l.variant_id = r.variant_id
  join order_lines o on o.id = l.order_line_id and o.shipped < l.picked where r.status = 'allocated')
"""

# $1 staff, $2 merchants, $3 location or null, $4 sku or null, $5 most
_LYING = """
select s.bin_id, b.code as bin, z.code as zone, z.kind, p.id as location_id, p.code as location, v.id as variant_id, v.sku,
       s.quantity
from warehouse_bin_stock s join warehouse_bins b on b.id = s.bin_id join warehouse_zones z on z.id = b.zone_id
join inventory_locations p on p.id = s.location_id join inventory_levels l on l.id = s.level_id
join product_variants v on v.id = l.variant_id
where s.quantity > 0 and ($1 or b.merchant_id = any($2)) and ($3::uuid is null or p.id = $3)
  and ($4::text is null or lower(v.sku) = lower($4))
order by p.priority, p.id, z.kind = 'shelf' desc, b.aisle, b.bay, b.level, b.code, v.sku limit $5
"""


class Layout:
    def __init__(self, shelves: Shelves, bins: Bins) -> None:
        self._shelves = shelves
        self._bins = bins
        self._warehouses = Repository(Warehouse, "merchant_id")
        self._zones = Repository(Zone, "merchant_id")

    async def open(self, work: Work, command: OpenWarehouse) -> WarehouseView:
        """Gives a location bins: a dock with all it holds now, a bin for returns, totes for orders. Shelves are added.

        Raises UnknownLevel, WarehouseExists, NotIdle."""
        work.principal.require(MANAGE)
        location = await self._shelves.location(work, command.location_id)
        levels = await self._shelves.put_up(work, location.id)
        if levels is None:
            raise WarehouseExists()
        if await work.value(_BUSY, location.id):
            raise NotIdle()
        row = Warehouse(
            location_id=location.id,
            merchant_id=location.merchant_id,
            variance_most=command.variance_most,
            created_at=work.now,
        )
        await self._warehouses.add(work, row)
        for code, kind in FIRST_ZONES:
            zone = await self._zone(work, row, code, kind)
            if kind != "staging":
                await self._bin(work, zone, f"{code}-1", (0, 0, 0))
        dock = await self._bins.first(work, location.id, "dock")
        ids, units = [level["id"] for level in levels], [level["on_hand"] for level in levels]
        await work.run(_OPENING, dock, location.id, ids, units, work.principal.subject, work.now)
        return _shown(row)

    async def warehouses(self, work: Work) -> list[WarehouseView]:
        """The caller's locations that have bins."""
        work.principal.require(PICK)
        return [_shown(row) for row in await self._warehouses.all(work)]

    async def warehouse(self, work: Work, location_id: UUID) -> Warehouse:
        """A location of the caller that has bins. Raises UnknownWarehouse."""
        found = await self._warehouses.find(work, self._warehouses.table.c.location_id == location_id)
        if found is None:
            raise UnknownWarehouse()
        return found

    async def add_zone(self, work: Work, location_id: UUID, command: AddZone) -> ZoneView:
        """Raises UnknownWarehouse, ZoneTaken."""
        work.principal.require(MANAGE)
        with law("uq_warehouse_zones_location_id_code", ZoneTaken(zone=command.code)):
            zone = await self._zone(work, await self.warehouse(work, location_id), command.code, command.kind)
        return ZoneView(id=zone.id, code=zone.code, kind=zone.kind)

    async def add_bins(self, work: Work, location_id: UUID, command: AddBins) -> list[BinView]:
        """New bins in a zone, all or none. Raises UnknownWarehouse, NoSuchZone, BinTaken."""
        work.principal.require(MANAGE)
        await self.warehouse(work, location_id)
        table = self._zones.table.c
        zone = await self._zones.find(work, table.location_id == location_id, table.code == command.zone)
        if zone is None:
            raise NoSuchZone(kind=command.zone)
        made = []
        for new in command.bins:
            with law("uq_warehouse_bins_location_id_code", BinTaken(bin=new.code)):
                made.append(await self._bin(work, zone, new.code, (new.aisle, new.bay, new.level)))
        return _bins(made, {zone.id: zone})

    async def bins(self, work: Work, location_id: UUID, most: int = 500) -> list[BinView]:
        """The bins of a location, without the totes of orders. Raises UnknownWarehouse."""
        work.principal.require(PICK)
        await self.warehouse(work, location_id)
        zones = {zone.id: zone for zone in await self._zones.all(work, self._zones.table.c.location_id == location_id)}
        table = self._bins.rows.table.c
        found = await self._bins.rows.all(work, table.location_id == location_id, table.order_id.is_(None), limit=most)
        return _bins(found, zones)

    async def lying(
        self, work: Work, sku: str | None = None, location_id: UUID | None = None, most: int = 200
    ) -> list[LyingView]:
        """What lies in which bin of the caller, in the order of the way through each location."""
        who = work.principal
        who.require(PICK)
        rows = await work.rows(_LYING, who.is_staff, list(who.merchant_ids), location_id, sku, most)
        return [LyingView.model_validate(dict(row)) for row in rows]

    async def move(self, work: Work, command: MoveUnits) -> list[LyingView]:
        """Units go from one bin to another of the same location; what was picked for an order stays with it.

        Raises UnknownBin, BinUnitsNotThere."""
        work.principal.require(PICK)
        source, target = [await self._bins.get(work, found) for found in (command.from_bin_id, command.to_bin_id)]
        if source.location_id != target.location_id or source.order_id or target.order_id:
            raise UnknownBin()
        level = await self._shelves.level(work, source.location_id, command.variant_id)
        await self._bins.move(work, level, source.id, target.id, command.quantity, "move")
        shown = await self.lying(work, location_id=source.location_id)
        return [row for row in shown if row.variant_id == command.variant_id]

    async def _zone(self, work: Work, warehouse: Warehouse, code: str, kind: str) -> Zone:
        owner = warehouse.merchant_id
        zone = Zone(id=new_id(), location_id=warehouse.location_id, merchant_id=owner, code=code, kind=kind)
        await self._zones.add(work, zone)
        return zone

    async def _bin(self, work: Work, zone: Zone, code: str, position: tuple[int, int, int]) -> Bin:
        aisle, bay, level = position
        row = Bin(
            id=new_id(),
            zone_id=zone.id,
            location_id=zone.location_id,
            merchant_id=zone.merchant_id,
            order_id=None,
            code=code,
            aisle=aisle,
            bay=bay,
            level=level,
            active=True,
        )
        await self._bins.rows.add(work, row)
        return row


def _shown(row: Warehouse) -> WarehouseView:
    return WarehouseView(location_id=row.location_id, variance_most=row.variance_most, created_at=row.created_at)


def _bins(found: Sequence[Bin], zones: dict[UUID, Zone]) -> list[BinView]:
    return [
        BinView(id=b.id, zone=zones[b.zone_id].code, code=b.code, aisle=b.aisle, bay=b.bay, level=b.level)
        for b in found
    ]
