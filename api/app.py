"""The HTTP application, from its parts."""

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.types import ASGIApp

from api import errors
from api.assistant import LazyAssistant
from api.deps import Drivers, Site
from api.middleware import Edge
from api.straight import Straight
from commerce.app import Commerce
from commerce.gateway import Limiter
from kernel import telemetry
from kernel.settings import Settings

FLUSH_SECONDS = 1.0
DESCRIPTION = """Agents propose, services decide, and only deterministic sagas move money and stock.

Money is `{"amount": 1999, "currency": "EUR"}` in minor units. Lists are keyset pages: pass `next` as `cursor`.
Errors are `application/problem+json` with a stable `code`. Writes honour `Idempotency-Key`; checkout, order changes and
decisions require it."""
log = telemetry.log("api")


def create_app(commerce: Commerce, settings: Settings) -> ASGIApp:
    limiter = Limiter(settings.rate_limit)
    drivers = Drivers(commerce.checkout.drive, settings.checkout_wait)
    assistant = LazyAssistant(commerce, settings, drivers.drive)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await limiter.load(commerce.database)
        flusher = asyncio.create_task(_flush(limiter, commerce))
        warming = asyncio.create_task(_warm(assistant)) if settings.chat_warm else None
        yield
        flusher.cancel()
        if warming:
            warming.cancel()
        await assistant.close()
        await drivers.close()

    app = FastAPI(title="Agora", version="0.1.0", description=DESCRIPTION, lifespan=lifespan)
    app.state.site = Site(commerce, limiter, drivers, assistant)
    errors.install(app)
    paths = sorted((Path(__file__).parent / "routes").glob("[a-z]*.py"))
    routers = [importlib.import_module(f"api.routes.{path.stem}").router for path in paths]
    for router in routers:
        app.include_router(router)
    return Edge(app, Straight(app, [route for router in routers for route in router.routes]), settings.body_limit)


async def _warm(assistant: LazyAssistant) -> None:
    """Loads the agents before the first message does."""
    try:
        await assistant.get()
    except Exception:  # the edge of a convenience: the first message tries again, and says what is wrong
        log.warning("agents_not_loaded", exc_info=True)


async def _flush(limiter: Limiter, commerce: Commerce) -> None:
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        try:
            await limiter.flush(commerce.database)
        except Exception:  # the edge of one flush: counted again in a second
            log.warning("limits_not_flushed", exc_info=True)
