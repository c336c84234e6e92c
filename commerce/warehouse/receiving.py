"""Receiving: goods that are announced come to the dock, as many as come; transfers between places arrive the same way."""

from collections.abc import Sequence
from uuid import UUID

from commerce.inventory import Shelves
from commerce.warehouse.bins import Bins
from commerce.warehouse.errors import (
    ReceivingClosed,
    ReceivingExists,
    TransferDone,
    TransferNotPossible,
    UnknownGoods,
    UnknownReceiving,
    UnknownTransfer,
)
from commerce.warehouse.events import GoodsReceived
from commerce.warehouse.layout import Layout
from commerce.warehouse.papers import ReceivingOrder, Transfer
from commerce.warehouse.permissions import RECEIVE
from commerce.warehouse.slips import (
    GoodsLine,
    OpenReceiving,
    ReceiveGoods,
    ReceiveTransfer,
    ReceivingLineView,
    ReceivingView,
    SendTransfer,
    TransferView,
)
from kernel.db import Work, law
from kernel.ids import new_id
from kernel.repository import Repository

# $1 receiving order, $2 merchant, $3 variants, $4 expected, $5 received: only what the merchant sells
_LINES = """
insert into warehouse_receiving_lines as l (receiving_id, variant_id, expected, received)
select $1, v.id, g.expected, g.received from unnest($3::uuid[], $4::bigint[], $5::bigint[]) g(id, expected, received)
join product_variants v on v.id = g.id join products p on p.id = v.product_id and p.merchant_id = $2
on conflict (receiving_id, variant_id) do update set received = l.received + excluded.received
"""

_SHOWN = """
select l.variant_id, v.sku, l.expected, l.received, l.received - l.expected as difference
from warehouse_receiving_lines l join product_variants v on v.id = l.variant_id where l.receiving_id = $1 order by v.sku
"""

_TRANSFERS = """
select t.*, v.sku from warehouse_transfers t join product_variants v on v.id = t.variant_id where t.id = any($1)
order by t.id desc
"""


class Receiving:
    def __init__(self, shelves: Shelves, layout: Layout, bins: Bins) -> None:
        self._shelves = shelves
        self._layout = layout
        self._bins = bins
        self._orders = Repository(ReceivingOrder, "merchant_id")
        self._transfers = Repository(Transfer, "merchant_id")

    async def open(self, work: Work, command: OpenReceiving) -> ReceivingView:
        """Announces goods for a location that has bins. Raises UnknownWarehouse, UnknownGoods, ReceivingExists."""
        work.principal.require(RECEIVE)
        warehouse = await self._layout.warehouse(work, command.location_id)
        row = ReceivingOrder(
            id=new_id(),
            location_id=command.location_id,
            merchant_id=warehouse.merchant_id,
            reference=command.reference,
            status="open",
            opened_by=work.principal.subject,
            created_at=work.now,
            closed_at=None,
        )
        with law("uq_warehouse_receiving_orders_merchant_id_reference", ReceivingExists(reference=row.reference)):
            await self._orders.add(work, row)
        units = _summed(command.lines)
        await self._note(work, row, units, {})
        return await self._view(work, row)

    async def orders(self, work: Work, most: int = 100) -> list[ReceivingView]:
        """The caller's open receiving orders, oldest first."""
        work.principal.require(RECEIVE)
        found = await self._orders.all(work, self._orders.table.c.status == "open", limit=most)
        return [await self._view(work, row) for row in found]

    async def receive(self, work: Work, receiving_id: UUID, command: ReceiveGoods) -> ReceivingView:
        """Units came: they are in stock, and lie at the dock. Emits GoodsReceived.

        Raises UnknownReceiving, ReceivingClosed, UnknownGoods."""
        work.principal.require(RECEIVE)
        found = await self._orders.lock(work, [receiving_id])
        if not found:
            raise UnknownReceiving()
        row = found[0]
        if row.status != "open":
            raise ReceivingClosed()
        units = _summed(command.lines)
        await self._note(work, row, {}, units)
        for variant, count in sorted(units.items()):
            await self._arrive(work, row.location_id, variant, count, "receive", row.id)
        if command.close:
            row.status, row.closed_at = "closed", work.now
            await work.run(
                "update warehouse_receiving_orders set status = 'closed', closed_at = $2 where id = $1",
                row.id,
                work.now,
            )
        view = await self._view(work, row)
        event = GoodsReceived(
            receiving_id=row.id,
            location_id=row.location_id,
            merchant_id=row.merchant_id,
            reference=row.reference,
            units=sum(units.values()),
            closed=command.close,
            over=sum(max(line.difference, 0) for line in view.lines),
            under=sum(max(-line.difference, 0) for line in view.lines),
        )
        work.emit(event)
        return view

    # --- between places ---

    async def send(self, work: Work, command: SendTransfer) -> TransferView:
        """Units nobody was promised leave for another place of the merchant, and are in neither until they arrive.

        Raises UnknownLevel, TransferNotPossible, NotFreeToMove, UnknownBin, BinUnitsNotThere."""
        work.principal.require(RECEIVE)
        source = await self._shelves.location(work, command.from_location_id)
        target = await self._shelves.location(work, command.to_location_id)
        if source.merchant_id != target.merchant_id or source.id == target.id:
            raise TransferNotPossible()
        if source.binned != (command.from_bin_id is not None):
            raise TransferNotPossible()
        level = await self._shelves.level(work, source.id, command.variant_id)
        row = Transfer(
            id=new_id(),
            merchant_id=source.merchant_id,
            variant_id=command.variant_id,
            from_location=source.id,
            to_location=target.id,
            quantity=command.quantity,
            received=None,
            status="sent",
            sent_by=work.principal.subject,
            sent_at=work.now,
            received_by=None,
            received_at=None,
        )
        await self._transfers.add(work, row)
        await self._shelves.send_away(work, level, command.quantity, row.id)
        if command.from_bin_id:
            bin_ = await self._bins.get(work, command.from_bin_id)
            if bin_.order_id:
                raise TransferNotPossible()
            await self._bins.move(work, level, bin_.id, None, command.quantity, "transfer", row.id)
        return (await self._sent(work, [row.id]))[0]

    async def arrived(self, work: Work, transfer_id: UUID, command: ReceiveTransfer) -> TransferView:
        """Units of a transfer are in stock where they were sent to; the rest is lost. Raises UnknownTransfer, TransferDone."""
        work.principal.require(RECEIVE)
        found = await self._transfers.lock(work, [transfer_id])
        if not found:
            raise UnknownTransfer()
        row = found[0]
        units = row.quantity if command.quantity is None else command.quantity
        if row.status != "sent" or units > row.quantity:
            raise TransferDone()
        if units:
            await self._arrive(work, row.to_location, row.variant_id, units, "transfer", row.id)
        await work.run(
            "update warehouse_transfers set status = 'received', received = $2, received_by = $3, received_at = $4 "
            "where id = $1",
            *(row.id, units, work.principal.subject, work.now),
        )
        return (await self._sent(work, [row.id]))[0]

    async def transfers(self, work: Work, most: int = 100) -> list[TransferView]:
        """The caller's transfers that have not arrived, newest first."""
        work.principal.require(RECEIVE)
        found = await self._transfers.all(work, self._transfers.table.c.status == "sent", limit=most)
        return await self._sent(work, [row.id for row in found])

    # --- inside ---

    async def _arrive(
        self, work: Work, location_id: UUID, variant_id: UUID, units: int, kind: str, reference_id: UUID
    ) -> None:
        """Units come into the level, and to the dock where there is one."""
        level = await self._shelves.bring(work, location_id, variant_id, units, kind, reference_id)
        if (await self._shelves.location(work, location_id)).binned:
            dock = await self._bins.first(work, location_id, "dock")
            await self._bins.move(
                work, level, None, dock, units, "receive" if kind == "receive" else "transfer", reference_id
            )

    async def _note(
        self, work: Work, row: ReceivingOrder, expected: dict[UUID, int], received: dict[UUID, int]
    ) -> None:
        variants = sorted({*expected, *received})
        counts = [[units.get(variant, 0) for variant in variants] for units in (expected, received)]
        if await work.run(_LINES, row.id, row.merchant_id, variants, *counts) < len(variants):
            raise UnknownGoods()

    async def _view(self, work: Work, row: ReceivingOrder) -> ReceivingView:
        lines = [ReceivingLineView.model_validate(dict(line)) for line in await work.rows(_SHOWN, row.id)]
        return ReceivingView(
            id=row.id,
            location_id=row.location_id,
            reference=row.reference,
            status=row.status,
            lines=lines,
            created_at=row.created_at,
            closed_at=row.closed_at,
        )

    async def _sent(self, work: Work, ids: Sequence[UUID]) -> list[TransferView]:
        return [TransferView.model_validate(dict(row)) for row in await work.rows(_TRANSFERS, list(ids))]


def _summed(lines: Sequence[GoodsLine]) -> dict[UUID, int]:
    units: dict[UUID, int] = {}
    for line in lines:
        units[line.variant_id] = units.get(line.variant_id, 0) + line.quantity
    return units
