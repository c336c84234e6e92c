"""What an operator's machines ask."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

from api.deps import Open
from kernel.auth import ANONYMOUS

router = APIRouter(tags=["health"])


@router.get("/health/live")
async def live(_: Open) -> Response:
    """The process answers."""
    return JSONResponse({"status": "live"})


@router.get("/health/ready")
async def ready(edge: Open) -> Response:
    """The process can do its work: the database answers."""
    async with edge.commerce.database.work(ANONYMOUS) as work:
        await work.value("select 1")
    return JSONResponse({"status": "ready"})


@router.get("/metrics")
async def metrics(_: Open) -> Response:
    """Prometheus metrics of this process."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
