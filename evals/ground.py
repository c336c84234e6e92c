"""Where cases run: the whole application in this process, on a database of its own that is put back for every case."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx

from api.app import create_app
from api.middleware import Edge
from commerce.app import Commerce, wire
from commerce.payment.adapters.simulator import Simulator
from evals.endpoint import Endpoint, endpoint
from evals.worlds.build import PASSWORD, World, build
from kernel import db
from kernel.settings import Settings
from kernel.transport import PostgresTransport
from migrations import upgrade as migrations
from workers.agents import AgentWorker
from workers.consumer import Reader
from workers.relay import relay
from workers.subscriptions import GROUP, consumers

SIGNED_IN_SECONDS = 300.0
"""How long a token is used: half of its life."""
KEEP = "world"
"""The schema that holds a copy of every table as the world left it."""
Row = dict[str, Any]

# Accounts of the ledger stay: they are names without a state, and the process remembers which it has opened.
TABLES = """
select c.relname as name,
       (select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
        where attrelid = c.oid and attnum > 0 and not attisdropped and attgenerated = '') as columns,
       (select string_agg(quote_ident(attname), ', ') from pg_attribute a join pg_index i on i.indrelid = a.attrelid
        where a.attrelid = c.oid and i.indisprimary and a.attnum = any(i.indkey)) as key
from pg_class c where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace
  and c.relname not in ('alembic_version', 'ledger_accounts') order by 1
"""
_SEQUENCES = """
select string_agg(format('select setval(%L, %s, %L)', sequencename, coalesce(last_value, start_value),
                         last_value is not null), '; ')
from pg_sequences where schemaname = 'public'
"""


@dataclass(frozen=True, slots=True)
class Changed:
    """A row the case made, changed (`before` and `after`) or removed."""

    table: str
    before: Row | None
    after: Row | None


@dataclass(slots=True)
class Ground:
    """One shop. `model` is the local endpoint that plays a model, unless the planner or a live model answers."""

    shop: Commerce
    settings: Settings
    world: World
    sql: "asyncpg.Connection"
    http: httpx.AsyncClient
    model: Endpoint
    restore: str = ""
    compare: str = ""
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    _worker: AgentWorker | None = None

    async def keep(self) -> None:
        """Takes the copy that `reset` puts back and `difference` compares with."""
        tables = await self.sql.fetch(TABLES)
        await self.sql.execute(f"create schema {KEEP}")
        for name, columns, _ in tables:
            await self.sql.execute(f"create table {KEEP}.{name} as select {columns} from public.{name}")
        back = [
            f"delete from public.{name}; insert into public.{name} ({columns}) select {columns} from {KEEP}.{name}"
            for name, columns, _ in tables
        ]
        self.restore = "; ".join([*back, await self.sql.fetchval(_SEQUENCES)])
        self.compare = " union all ".join(
            f"select '{name}', to_jsonb(n)::text, to_jsonb(o)::text "
            f"from (select {columns} from public.{name}) n full join {KEEP}.{name} o using ({key}) "
            "where n.* is distinct from o.*"
            for name, columns, key in tables
        )

    async def reset(self) -> None:
        """The world as it was made; some 50 ms."""
        async with self.sql.transaction():
            await self.sql.execute("set local session_replication_role = replica")
            await self.sql.execute(self.restore)

    async def difference(self) -> list[Changed]:
        """Every row that is not as the world was made."""
        import orjson

        rows = await self.sql.fetch(self.compare)
        return [
            Changed(name, orjson.loads(before) if before else None, orjson.loads(after) if after else None)
            for name, after, before in rows
        ]

    async def settle(self) -> None:
        """Lets sagas run, events be relayed and handled, and agents answer, until nothing is left to do."""
        transport = PostgresTransport(self.shop.database)
        reader = await Reader.open(self.shop.database, transport, GROUP, consumers(self.shop))
        if self._worker is None:
            self._worker = AgentWorker(self.shop, self.settings)
        while (
            await self.shop.engine.run_due()
            + await relay(self.shop.database, transport)
            + await reader.step()
            + await self._worker.step()
        ):
            pass

    async def headers(self, who: str) -> dict[str, str]:
        """What tells the API who calls; a guest gets a token with the first thread."""
        if who == "guest":
            return {}
        token, at = self._tokens.get(who, ("", 0.0))
        if time.monotonic() - at > SIGNED_IN_SECONDS:
            form = {"username": f"{who}@evals.test", "password": PASSWORD}
            answer = await self.http.post("/v1/auth/token", data=form)
            answer.raise_for_status()
            token = answer.json()["access_token"]
            self._tokens[who] = token, time.monotonic()
        return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def ground(server: str, base: Settings, model: str) -> AsyncIterator[Ground]:
    """A new shop on the server at this URL; `model` is offline, scripted, recorded or live (the settings' endpoint)."""
    name = f"agora_evals_{secrets.token_hex(4)}"
    url = await migrations.create_database(server, name)
    try:
        async with AsyncExitStack() as stack:
            await asyncio.to_thread(migrations.upgrade, url)
            played = await stack.enter_async_context(endpoint())
            found = base.model_copy(update=settings_of(model, played))
            database = await db.connect(url, size=8)
            stack.push_async_callback(database.close)
            secret = secrets.token_urlsafe(48)
            shop = wire(database, Simulator(database, found.base_url, secret), secret, found)
            world = await build(shop)
            sql = await asyncpg.connect(url)
            stack.push_async_callback(sql.close)
            client = await stack.enter_async_context(served(shop, found))
            made = Ground(shop, found, world, sql, client, played)
            made._worker = AgentWorker(shop, found.model_copy(update={"model": "offline"}))  # the world is made by rule
            await made.settle()
            made._worker = None
            await made.keep()
            yield made
    finally:
        await migrations.drop_database(server, name)


def settings_of(model: str, played: Endpoint) -> dict[str, Any]:
    from pydantic import SecretStr

    common = {"environment": "test", "rate_limit": 10_000_000}
    if model == "offline":
        return {**common, "model": "offline"}
    if model == "live":
        return {**common, "model": "auto"}
    key = SecretStr("played")
    return {**common, "model": "auto", "openai_base_url": played.base_url, "openai_api_key": key}


@asynccontextmanager
async def served(shop: Commerce, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client on the whole application, its start and stop included."""
    app = create_app(shop, settings)
    assert isinstance(app, Edge)
    async with app.app.router.lifespan_context(app.app):  # type: ignore[attr-defined]
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://evals.test", timeout=60) as client:
            yield client
