"""A shop in which everything that can be read is there: an order, a ticket, a full cart, a feed, facts, a dead letter."""

import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import httpx
import pytest
import structlog

from agents.models import Models
from agents.roster import AGENTS
from commerce.app import Commerce
from commerce.approval import Accepted
from commerce.chat.schemas import Remember
from commerce.support.schemas import WriteArticle
from graphs.assistant import Assistant
from graphs.automation import Automation
from graphs.supervisor import Supervisor
from kernel.auth import SYSTEM, Principal
from kernel.ids import new_id, parse, public
from memory.checkpoints import checkpoints
from tests.agents.conftest import assistants, principals
from tests.agents.test_limits import never
from tests.approval.desk import person
from tests.conftest import settings
from tests.factories.api import signed_in
from tests.factories.parcels import send
from tests.factories.world import World
from tests.safety.puppet import Named, Puppet
from tests.support.people import opened_by
from tools.spec import TOOLS

__all__ = ["assistants", "principals"]
WIDE = "chat"
"""The agent that has every tool in these tests: no allow-list stands before the laws."""


@pytest.fixture
def quiet() -> Iterator[None]:
    """Failures that a test provokes by the hundred are not printed with their traces."""
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(wrapper_class=before)


@dataclass(frozen=True)
class Scene:
    """Who may talk, and the names of what is there for them."""

    people: dict[str, Principal]
    facts: dict[str, str]


@pytest.fixture(scope="module")
async def scene(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any, principals: Any
) -> Scene:
    people = {name: principals(shop, name) for name in ("ann", "ben", "north", "south", "guest")}
    people |= {name: await person(shop, name) for name in ("support", "admin")}
    ann, admin = await signed_in(http, "ann"), await signed_in(http, "admin")
    late = await _late(shop, await signed_in(http, "north"), ann, sql, world)
    group = await ann.checkout(await ann.cart({world.variants["mug"]: 1}))
    await ann.cart({world.variants["mug"]: 1})
    card = await admin.post("/v1/gift-cards", {"amount": 500, "currency": "EUR"})
    ticket = await opened_by(shop, people["ann"])
    await opened_by(shop, people["north"])
    await settle()
    async with shop.database.work(SYSTEM) as work:
        await shop.support.articles.write(work, WriteArticle(slug="zebra", title="Zebra", body="A zebra."))
    for name in ("ann", "north"):
        async with shop.database.work(people[name]) as work:
            await shop.chat.facts.remember(work, Remember(text="I wear size 42"))
    await sql.execute(
        "insert into dead_letters (id, consumer, type, event_id, key, sequence, message, status, cause, attempts, "
        "created_at, updated_at) values ($1, 'c', 'OrderPlaced', $1, $1, 1, '{}', 'dead', 'x', 1, now(), now())",
        new_id(),
    )
    facts = {
        "ann": str(world.customers["ann"]),
        "north": str(world.merchants["north"]),
        "card": card["code"],
        "group": str(parse("grp", group["id"])),
        "number": group["orders"][0]["number"],
        "ticket": ticket.number,
        "address": public("adr", world.addresses["ann"]),
        "parcel": late,
        "level": public("lvl", await _level(sql, world)),
    }
    return Scene(people, facts)


async def _late(shop: Commerce, north: Any, ann: Any, sql: asyncpg.Connection, world: World) -> str:
    """A parcel of Ann's that was promised for yesterday; she knows, and will not be told again."""
    group = await ann.checkout(await ann.cart({world.variants["mug"]: 1}))
    parcel = await send(north, group["orders"][0])
    await sql.execute("update shipments set promised_on = current_date - 1, delayed_at = now()")
    async with shop.database.work(SYSTEM) as work:
        news = await shop.parcels.care.news(work, parcel["id"])
        await shop.parcels.care.tell(work, Accepted(new_id(), news.arguments, news.amount))
    return parcel["id"]


async def _level(sql: asyncpg.Connection, world: World) -> Any:
    return await sql.fetchval("select id from inventory_levels where variant_id = $1", world.variants["mug"])


@pytest.fixture(scope="module")
async def wide() -> AsyncIterator[None]:
    """One agent with every tool there is."""
    before = AGENTS[WIDE]
    AGENTS[WIDE] = replace(before, tools=tuple(TOOLS.values()))
    yield
    AGENTS[WIDE] = before


@pytest.fixture(scope="module")
async def puppets(shop: Commerce, url: str, wide: None) -> AsyncIterator[tuple[Assistant, Automation]]:
    """An assistant and an automation whose model obeys whatever it reads."""
    models = Models(settings(model="offline"), Puppet())
    async with checkpoints(url, size=2) as saver:
        talking = Supervisor(shop, models, never, Named, saver)
        alone = Supervisor(shop, models, never, Named, None)
        yield Assistant(shop, talking), Automation(shop, alone)
