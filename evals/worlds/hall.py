"""A place with bins in the world of the cases: some stock in them, and a count that waits for a second person."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from commerce.app import Commerce
from commerce.inventory.schemas import CreateLocation, ReceiveStock
from commerce.warehouse.schemas import AddBins, AddZone, MoveUnits, NewBin, OpenWarehouse
from commerce.warehouse.slips import CountedLine, EnterCount, OpenCount
from kernel.db import Work


async def make_hall(
    shop: Commerce, work: Work, merchant: UUID, facts: Mapping[str, Any], variants: Mapping[str, UUID]
) -> None:
    """`facts` are the bins with aisle and bay, units by bin and SKU, and what was counted where."""
    command = CreateLocation(merchant_id=merchant, code="hall", name="Hall", country="DE", priority=90)
    hall = await shop.inventory.create_location(work, command)
    lying = [(code, sku, units) for code, held in facts["stock"].items() for sku, units in held.items()]
    for _, sku, units in lying:
        received = ReceiveStock(location_id=hall, variant_id=variants[sku], quantity=units)
        await shop.inventory.receive(work, received)
    layout = shop.warehouse.layout
    await layout.open(work, OpenWarehouse(location_id=hall))
    await layout.add_zone(work, hall, AddZone(code="SHELF"))
    bins = [NewBin(code=code, aisle=aisle, bay=bay) for code, (aisle, bay) in facts["bins"].items()]
    await layout.add_bins(work, hall, AddBins(zone="SHELF", bins=bins))
    ids = {row.code: row.id for row in await layout.bins(work, hall)}
    for code, sku, units in lying:
        move = MoveUnits(variant_id=variants[sku], from_bin_id=ids["DOCK-1"], to_bin_id=ids[code], quantity=units)
        await layout.move(work, move)
    for code, found in facts["counted"].items():
        count = await shop.warehouse.counting.open(work, OpenCount(location_id=hall, bin_ids=[ids[code]]))
        lines = [CountedLine(bin_id=ids[code], variant_id=variants[sku], counted=n) for sku, n in found.items()]
        await shop.warehouse.counting.enter(work, count.id, EnterCount(lines=lines))
