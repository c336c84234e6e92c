"""The warehouse's open work."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.deps import Edge, needs
from commerce.warehouse.permissions import MANAGE, PICK
from commerce.warehouse.schemas import (
    AddBins,
    AddZone,
    BinView,
    LocationId,
    LyingView,
    MoveUnits,
    OpenWarehouse,
    OrderId,
    OrderLineId,
    PackageId,
    PackageView,
    PackUnits,
    PickTaskView,
    PickUnits,
    WarehouseView,
    ZoneView,
)

router = APIRouter(prefix="/v1/warehouse", tags=["warehouse"])
Pick = Annotated[Edge, needs(PICK)]
Manage = Annotated[Edge, needs(MANAGE)]
Sku = Annotated[str | None, Query(max_length=64)]


@router.get("/picks", response_model=list[PickTaskView])
async def picks(edge: Pick) -> Response:
    """Open pick tasks, oldest first."""
    return await edge.run(edge.commerce.warehouse.open_tasks)


@router.post("/picks/{order_id}/lines/{line_id}", status_code=204)
async def pick(order_id: OrderId, line_id: OrderLineId, command: PickUnits, edge: Pick) -> Response:
    """Notes units as taken; the last ones finish the task."""
    return await edge.once(
        lambda work: edge.commerce.warehouse.pick(work, order_id, line_id, command.quantity, command.bin_id), 200
    )


@router.get("/orders/{order_id}/packages", response_model=list[PackageView])
async def packages(order_id: OrderId, edge: Pick) -> Response:
    """The packages of an order, oldest first."""
    return await edge.run(lambda work: edge.commerce.warehouse.packing.packages_of(work, order_id))


@router.post("/orders/{order_id}/packages", status_code=201, response_model=PackageView)
async def pack(order_id: OrderId, command: PackUnits, edge: Pick) -> Response:
    """Puts picked units of the order into a new package."""
    return await edge.once(lambda work: edge.commerce.warehouse.packing.pack(work, order_id, command))


@router.post("/packages/{package_id}/seal", response_model=PackageView)
async def seal(package_id: PackageId, edge: Pick) -> Response:
    """Closes a package for good: its contents are final."""
    return await edge.once(lambda work: edge.commerce.warehouse.packing.seal(work, package_id), 200)


@router.post("/packages/{package_id}/cancel", response_model=PackageView)
async def unpack(package_id: PackageId, edge: Pick) -> Response:
    """Takes everything out of a package that is not sealed."""
    return await edge.once(lambda work: edge.commerce.warehouse.packing.cancel(work, package_id), 200)


@router.get("/locations", response_model=list[WarehouseView])
async def warehouses(edge: Pick) -> Response:
    """The caller's locations that have bins."""
    return await edge.run(edge.commerce.warehouse.layout.warehouses)


@router.post("/locations", status_code=201, response_model=WarehouseView)
async def open_warehouse(command: OpenWarehouse, edge: Manage) -> Response:
    """Gives a location bins; all it holds lies at its dock then. From here on its stock changes only here."""
    return await edge.once(lambda work: edge.commerce.warehouse.layout.open(work, command))


@router.post("/locations/{location_id}/zones", status_code=201, response_model=ZoneView)
async def add_zone(location_id: LocationId, command: AddZone, edge: Manage) -> Response:
    return await edge.once(lambda work: edge.commerce.warehouse.layout.add_zone(work, location_id, command))


@router.get("/locations/{location_id}/bins", response_model=list[BinView])
async def bins(location_id: LocationId, edge: Pick) -> Response:
    """The bins of a location, without the totes of orders."""
    return await edge.run(lambda work: edge.commerce.warehouse.layout.bins(work, location_id))


@router.post("/locations/{location_id}/bins", status_code=201, response_model=list[BinView])
async def add_bins(location_id: LocationId, command: AddBins, edge: Manage) -> Response:
    """New bins in a zone, all of them or none."""
    return await edge.once(lambda work: edge.commerce.warehouse.layout.add_bins(work, location_id, command))


@router.get("/stock", response_model=list[LyingView])
async def lying(edge: Pick, sku: Sku = None) -> Response:
    """What lies in which bin, in the order of the way through each location; with `sku` only that article."""
    return await edge.run(lambda work: edge.commerce.warehouse.layout.lying(work, sku))


@router.post("/moves", status_code=200, response_model=list[LyingView])
async def move(command: MoveUnits, edge: Pick) -> Response:
    """Units go from one bin to another of the same location; answers where the article lies then."""
    return await edge.once(lambda work: edge.commerce.warehouse.layout.move(work, command), 200)
