"""A process dies, or freezes past its lease, at every point of a label's sagas: there is one label, bought once."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.ids import new_id, parse
from kernel.saga import EXTERNAL_POINTS
from tests.conftest import opened
from tests.factories.api import signed_in
from tests.factories.world import World
from tests.faults import labeller
from tests.faults.forks import FORKS
from tests.faults.test_crashes import gone, stopped
from tests.shipping.carrier import Books
from tests.shipping.test_labels import packed

LEASE = 1.0
STEPS = {"buy": "label.buy.do", "void": "label_void.void.do"}
POINTS = [(story, f"{step}.{place}") for story, step in STEPS.items() for place in EXTERNAL_POINTS]
BEFORE = ("label.buy.do.before_intent", "label_void.void.do.before_intent")
"""Killed inside the transaction that asks: the wish is lost with it."""


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
def carrier(books: Books) -> Iterator[str]:
    with labeller.carrier(books) as address:
        yield address


@pytest.fixture
async def second(url: str, carrier: str) -> AsyncIterator[Commerce]:
    """The worker that takes over."""
    async with opened(url, carrier_url=carrier, carrier_key="key", saga_lease=LEASE) as found:
        yield found


async def begun(
    http: httpx.AsyncClient, world: World, url: str, carrier: str, story: str, point: str, action: str
) -> tuple[labeller.Errand, Any]:
    admin = await signed_in(http, "admin")
    await admin.call("PUT", "/v1/carriers/swift", 200, json={"name": "Swift", "adapter": "easypost"})
    _, package = await packed(http, await signed_in(http, "north"), world)
    errand = labeller.Errand(
        url, carrier, parse("pkg", package["id"]), new_id(), story, point, action, LEASE if action == "kill" else 2.0
    )
    process = FORKS.Process(target=labeller.main, args=(errand,))
    process.start()
    return errand, process


async def finish(second: Commerce, sql: asyncpg.Connection) -> None:
    for _ in range(200):
        await second.engine.run_due()
        if not await sql.fetchval(
            "select count(*) from saga_instances where status = 'running' and kind like 'label%'"
        ):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the saga did not end")


async def check(sql: asyncpg.Connection, books: Books, errand: labeller.Errand) -> None:
    """One label at most, at its carrier and here; given back once, or not at all."""
    rows = await sql.fetch("select status, pdf is not null from shipping_labels where package_id = $1", errand.package)
    lost = errand.point in BEFORE
    status = "voided" if errand.story == "void" and not lost else "bought"
    assert [tuple(row) for row in rows] == ([] if lost and errand.story == "buy" else [(status, True)])
    assert (books.bought, len(books.shipments)) == ((0, 0) if not rows else (1, 1))
    assert books.refunded == (1 if status == "voided" else 0)


@pytest.mark.parametrize(("story", "point"), POINTS)
async def test_a_killed_process_is_replaced(
    http: httpx.AsyncClient,
    sql: asyncpg.Connection,
    world: World,
    url: str,
    books: Books,
    carrier: str,
    second: Commerce,
    story: str,
    point: str,
) -> None:
    errand, process = await begun(http, world, url, carrier, story, point, "kill")
    assert await gone(process) == -signal.SIGKILL
    await finish(second, sql)
    await check(sql, books, errand)


async def test_a_frozen_process_is_replaced_and_fenced(
    http: httpx.AsyncClient,
    sql: asyncpg.Connection,
    world: World,
    url: str,
    books: Books,
    carrier: str,
    second: Commerce,
) -> None:
    errand, process = await begun(http, world, url, carrier, "buy", "label.buy.do.after_effect", "stop")
    await stopped(process.pid)
    await asyncio.sleep(2.0)
    await finish(second, sql)
    await check(sql, books, errand)
    os.kill(process.pid, signal.SIGCONT)
    await gone(process)
    await check(sql, books, errand)
