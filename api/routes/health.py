"""What an operator's machines ask, and the page a person sees first."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import HTMLResponse, JSONResponse, Response

from api.deps import Open
from kernel.auth import ANONYMOUS

router = APIRouter(tags=["health"])
WELCOME = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Agora</title>
<meta name="viewport" content="width=device-width"><style>body{font:16px/1.5 system-ui;max-width:44rem;margin:3rem auto;
padding:0 1rem;color:#1d2433}code,pre{background:#f2f4f8;border-radius:4px;padding:.1rem .3rem}pre{padding:.8rem;overflow:auto}
</style></head><body><h1>Agora is running</h1>
<p>A marketplace back end: agents propose, services decide, and only deterministic sagas move money and stock.</p>
<ul><li><a href="/docs">/docs</a>: every call, with a form to try it</li>
<li><a href="/v1/products">/v1/products</a>: the catalogue</li>
<li><a href="/v1/categories">/v1/categories</a>: its shelves</li>
<li><a href="/metrics">/metrics</a> and <a href="/health/ready">/health/ready</a>: for operators</li></ul>
<p>The README walks through a first purchase.</p></body></html>"""


@router.get("/", include_in_schema=False)
async def welcome(_: Open) -> Response:
    return HTMLResponse(WELCOME)


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
