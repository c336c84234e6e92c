"""Short picks: a bin has fewer units than wanted. The bin is made true by a count, and the missing units are looked for: in
other bins, at another place, else they wait as a backorder."""

from collections.abc import Sequence
from uuid import UUID

from commerce.inventory import Shelves
from commerce.warehouse.bins import CANDIDATES, PROMISED, Bins
from commerce.warehouse.counting import Counting
from commerce.warehouse.errors import AlreadyPicked, NotShort
from commerce.warehouse.events import ShortPick as ShortPickEvent
from commerce.warehouse.papers import ShortPick
from commerce.warehouse.permissions import PICK
from commerce.warehouse.picking import Picking
from commerce.warehouse.rounds import ReportShort, ShortView
from commerce.warehouse.tables import PickTask
from kernel.db import Record, Work
from kernel.ids import new_id
from kernel.repository import Repository

_VIEW = """
select s.*, l.sku, b.code as bin from warehouse_short_picks s
join warehouse_picking_lines l on l.order_line_id = s.order_line_id join warehouse_bins b on b.id = s.bin_id
where s.id = any($1) order by s.id desc
"""


class Shorts:
    def __init__(self, shelves: Shelves, bins: Bins, picking: Picking, counting: Counting) -> None:
        self._shelves = shelves
        self._bins = bins
        self._picking = picking
        self._counting = counting
        self._rows = Repository(ShortPick, "merchant_id")

    async def report(self, work: Work, order_id: UUID, line_id: UUID, command: ReportShort) -> ShortView:
        """Takes what was in the bin, makes the bin true (a large variance waits for a second person) and finds the rest.

        Emits ShortPick. Raises UnknownPickTask, UnknownBin, AlreadyPicked, NotShort."""
        work.principal.require(PICK)
        task = await self._picking.lock(work, order_id)
        place = await self._bins.get(work, command.bin_id)
        line = await self._line(work, order_id, line_id)
        level = await self._promised(work, task, line["variant_id"], place.location_id)
        wanted = min(line["unpicked"], level["unpicked"])
        if command.found >= wanted:
            raise NotShort(wanted=wanted)
        lies = await self._counting.lies(work, place.id, level["level_id"])
        taken = min(command.found, lies)
        if taken:
            await self._picking.pick(work, order_id, line_id, taken, place.id)
        if lies != command.found:
            left = command.found - taken
            await self._counting.seen(work, place.location_id, place.id, line["variant_id"], left)
        row = ShortPick(
            id=new_id(),
            order_id=order_id,
            order_line_id=line_id,
            merchant_id=task.merchant_id,
            bin_id=place.id,
            level_id=level["level_id"],
            wanted=wanted,
            found=command.found,
            actor=work.principal.subject,
            at=work.now,
            **await self._find(work, task, level["level_id"], wanted - taken, place.id),
        )
        await self._rows.add(work, row)
        self._tell(work, task, row, place.location_id)
        return (await self._views(work, [row.id]))[0]

    async def shorts(self, work: Work, most: int = 100) -> list[ShortView]:
        """The caller's short picks, newest first."""
        work.principal.require(PICK)
        found, _ = await self._rows.page(work, size=most)
        return await self._views(work, [row.id for row in found])

    async def short(self, work: Work, short_id: UUID) -> ShortView | None:
        """One short pick of the caller."""
        work.principal.require(PICK)
        found = await self._views(work, [short_id]) if await self._rows.get(work, short_id) else []
        return found[0] if found else None

    # --- inside ---

    async def _find(self, work: Work, task: PickTask, level_id: UUID, missing: int, emptied: UUID) -> dict[str, int]:
        """Where missing units come from: bins of the same place, then a place that has all the rest, else nowhere yet."""
        bins = await work.rows(CANDIDATES, level_id, missing, None)
        elsewhere = min(missing, sum(row["quantity"] for row in bins if row["id"] != emptied))
        rest = missing - elsewhere
        moved = rest > 0 and await self._shelves.relocate(work, task.group_id, level_id, rest) is not None
        relocated, backordered = (rest, 0) if moved else (0, rest)
        return {"elsewhere": elsewhere, "relocated": relocated, "backordered": backordered}

    async def _line(self, work: Work, order_id: UUID, line_id: UUID) -> Record:
        row = await work.row(
            "select l.variant_id, l.quantity - l.picked as unpicked from warehouse_picking_lines l "
            "join warehouse_tasks t using (order_id) where l.order_line_id = $1 and l.order_id = $2 and t.status = 'open'",
            *(line_id, order_id),
        )
        if row is None or row["unpicked"] == 0:
            raise AlreadyPicked()
        return row

    async def _promised(self, work: Work, task: PickTask, variant_id: UUID, location_id: UUID) -> Record:
        """The level at this place that units of the order are promised at. Raises NotShort when there is none."""
        for level in await work.rows(PROMISED, task.group_id, task.order_id, variant_id):
            if level["location_id"] == location_id and level["binned"]:
                return level
        raise NotShort(wanted=0)

    def _tell(self, work: Work, task: PickTask, row: ShortPick, location_id: UUID) -> None:
        event = ShortPickEvent(
            group_id=task.group_id,
            order_ids=[task.order_id],
            short_id=row.id,
            location_id=location_id,
            merchant_id=row.merchant_id,
            wanted=row.wanted,
            found=row.found,
            elsewhere=row.elsewhere,
            relocated=row.relocated,
            backordered=row.backordered,
        )
        work.emit(event)

    async def _views(self, work: Work, ids: Sequence[UUID]) -> list[ShortView]:
        return [ShortView.model_validate(dict(row)) for row in await work.rows(_VIEW, list(ids))]
