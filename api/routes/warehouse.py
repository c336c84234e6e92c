"""The warehouse's open work."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.deps import Edge, needs
from commerce.warehouse.permissions import PICK
from commerce.warehouse.schemas import (
    OrderId,
    OrderLineId,
    PackageId,
    PackageView,
    PackUnits,
    PickTaskView,
    PickUnits,
)

router = APIRouter(prefix="/v1/warehouse", tags=["warehouse"])
Pick = Annotated[Edge, needs(PICK)]


@router.get("/picks", response_model=list[PickTaskView])
async def picks(edge: Pick) -> Response:
    """Open pick tasks, oldest first."""
    return await edge.run(edge.commerce.warehouse.open_tasks)


@router.post("/picks/{order_id}/lines/{line_id}", status_code=204)
async def pick(order_id: OrderId, line_id: OrderLineId, command: PickUnits, edge: Pick) -> Response:
    """Notes units as taken; the last ones finish the task."""
    return await edge.once(lambda work: edge.commerce.warehouse.pick(work, order_id, line_id, command.quantity), 200)


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
