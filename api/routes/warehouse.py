"""The warehouse's open work."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.deps import Edge, needs
from commerce.warehouse.permissions import PICK
from commerce.warehouse.schemas import OrderId, OrderLineId, PickTaskView, PickUnits

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
