"""The ground of all tests: one embedded server, a migrated template with a small world, and a copy of it per module."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from api.app import create_app
from api.middleware import Edge
from cli.runtime import connect
from commerce.app import Commerce, wire
from commerce.payment.adapters.simulator import Simulator
from kernel.embedded_postgres import EmbeddedPostgres
from kernel.settings import Settings
from kernel.transport import PostgresTransport
from migrations import upgrade as migrations
from tests.factories.world import World, build
from workers.consumer import Reader
from workers.relay import relay
from workers.subscriptions import GROUP, consumers

ROOT = Path(__file__).parents[1]
SECRET = "a secret of the tests, long enough to sign with"
LEASE = 2.0


@dataclass(frozen=True)
class Ground:
    server: str
    template: str
    world: World


def settings(**changes: Any) -> Settings:
    known = {
        "environment": "test",
        "saga_lease": LEASE,
        "data_dir": ROOT / ".agora" / "tests",
        "rate_limit": 10_000_000,
    }
    return Settings(**{**known, **changes})


@asynccontextmanager
async def opened(url: str, **changes: Any) -> AsyncIterator[Commerce]:
    """The services on a database of their own connection pool, as another process would have them."""
    found = settings(**changes)
    database = await connect(found, url)
    try:
        yield wire(database, Simulator(database, "http://shop.test", SECRET), SECRET, found)
    finally:
        await database.close()


@pytest.fixture(scope="session")
async def ground() -> AsyncIterator[Ground]:
    url, postgres = os.environ.get("DATABASE_URL"), None
    if url is None:
        postgres = EmbeddedPostgres(ROOT / ".agora" / "tests")
        url = await postgres.start()
    template = f"agora_template_{secrets.token_hex(4)}"
    try:
        database = await migrations.create_database(url, template)
        await asyncio.to_thread(migrations.upgrade, database)
        async with opened(database) as shop:
            world = await build(shop)
        yield Ground(url, template, world)
    finally:
        await migrations.drop_database(url, template)
        if postgres and not postgres.attached:
            await postgres.stop()


@pytest.fixture(scope="module")
async def url(ground: Ground) -> AsyncIterator[str]:
    """A database of this module's own."""
    name = f"agora_test_{secrets.token_hex(4)}"
    connection = await asyncpg.connect(ground.server)
    await connection.execute(f'create database "{name}" template "{ground.template}"')
    await connection.close()
    yield migrations.in_database(ground.server, name)
    await migrations.drop_database(ground.server, name)


@pytest.fixture(scope="session")
def world(ground: Ground) -> World:
    return ground.world


@pytest.fixture(scope="module")
async def shop(url: str) -> AsyncIterator[Commerce]:
    async with opened(url) as found:
        yield found


@asynccontextmanager
async def served(shop: Commerce, **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client on the whole application, its start and stop included."""
    app = create_app(shop, settings(**changes))
    assert isinstance(app, Edge)
    async with app.app.router.lifespan_context(app.app):  # type: ignore[attr-defined]
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.test", timeout=30) as client:
            yield client


@pytest.fixture(scope="module")
async def http(shop: Commerce) -> AsyncIterator[httpx.AsyncClient]:
    async with served(shop) as client:
        yield client


@pytest.fixture(scope="module")
async def sql(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's eyes: no row-level security."""
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def settle(shop: Commerce) -> Callable[[], Any]:
    """Lets every event be relayed and handled, and every due saga run, until nothing is left to do."""
    transport = PostgresTransport(shop.database)
    reader = await Reader.open(shop.database, transport, GROUP, consumers(shop))

    async def run() -> None:
        while await shop.engine.run_due() + await relay(shop.database, transport) + await reader.step():
            pass

    return run
