"""A part of a transaction that may fail alone: undone whole, done as the system, and the rest goes on."""

from typing import Any

import asyncpg
import pytest

from commerce.app import Commerce
from commerce.identity import audit
from commerce.order.events import OrderPlaced
from kernel.auth import Principal
from kernel.db import Work
from kernel.errors import Conflict
from kernel.ids import new_id
from tests.factories.world import World

CUSTOMERS = "select count(*) from customers"


class Moved(Conflict):
    code = "test_moved"
    message = "It moved."


def ann(world: World) -> Principal:
    return Principal(customer_id=world.customers["ann"], user_id=new_id())


async def part(work: Work, key: Any) -> None:
    await work.run("insert into gateway_usage values ($1, now(), 1)", f"part:{key}")
    work.emit(OrderPlaced(group_id=key, order_ids=[], total=1, currency="EUR"))
    audit.append(work, "part.done", f"key:{key}")


async def test_what_fails_leaves_nothing_and_the_rest_goes_on(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    key, called = new_id(), []

    async def after() -> None:
        called.append(key)

    async def failing() -> None:
        async with work.attempt():
            await part(work, key)
            work.after_commit(after)
            assert (await work.value(CUSTOMERS), work.principal.subject) == (2, "system")
            raise Moved()

    async with shop.database.work(ann(world)) as work:
        assert await work.value(CUSTOMERS) == 1
        audit.append(work, "rest.done", f"key:{key}")
        with pytest.raises(Moved):
            await failing()
        assert await work.value(CUSTOMERS) == 1
        assert work.principal.customer_id == world.customers["ann"]
    assert await sql.fetchval("select count(*) from gateway_usage where subject = $1", f"part:{key}") == 0
    assert await sql.fetchval("select count(*) from outbox_events where key = $1", key) == 0
    done = await sql.fetch("select action from audit_log where object = $1", f"key:{key}")
    assert [row["action"] for row in done] == ["rest.done"]
    assert called == []


async def test_what_succeeds_is_the_systems_and_then_the_person_goes_on(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    key, who = new_id(), ann(world)
    async with shop.database.work(who) as work:
        async with work.attempt():
            await part(work, key)
        assert await work.value(CUSTOMERS) == 1
        audit.append(work, "rest.done", f"key:{key}")
    assert await sql.fetchval("select count(*) from outbox_events where key = $1", key) == 1
    done = await sql.fetch("select action, actor from audit_log where object = $1 order by number", f"key:{key}")
    assert [tuple(row) for row in done] == [("part.done", "system"), ("rest.done", who.subject)]


async def test_a_refusal_by_postgres_and_one_at_its_end_are_the_parts_own(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    key = new_id()

    async def refuse() -> None:
        raise Moved()

    async def breaking() -> None:
        async with work.attempt():
            await part(work, key)
            await work.run("update inventory_levels set on_hand = -1, reserved = -1")

    async def refused() -> None:
        async with work.attempt():
            await part(work, key)
            work.last(refuse)

    async with shop.database.work(ann(world)) as work:
        with pytest.raises(asyncpg.CheckViolationError):
            await breaking()
        with pytest.raises(Moved):
            await refused()
        assert await work.value(CUSTOMERS) == 1
    assert await sql.fetchval("select count(*) from gateway_usage where subject = $1", f"part:{key}") == 0
    assert await sql.fetchval("select count(*) from audit_log where object = $1", f"key:{key}") == 0
