"""Jobs by the clock: one that fails comes again soon, and making room for next month never makes a customer wait long."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from commerce.app import Commerce
from workers import schedule
from workers.schedule import RETRY_SECONDS, Job


async def state(sql: asyncpg.Connection, name: str) -> tuple[str | None, timedelta]:
    row = await sql.fetchrow("select last_error, next_at - last_at as wait from schedules where name = $1", name)
    return row["last_error"], row["wait"]


async def test_a_failed_job_comes_again_in_a_minute(
    shop: Commerce, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = [ConnectionError(), None]

    async def run(_: Commerce) -> None:
        if failed := outcome.pop(0):
            raise failed

    monkeypatch.setattr(schedule, "JOBS", [Job("rare", timedelta(hours=12), run)])
    await schedule.register(shop)
    assert await schedule.run_due(shop) == 1
    error, wait = await state(sql, "rare")
    assert error == "ConnectionError"
    assert abs(wait - timedelta(seconds=RETRY_SECONDS)) < timedelta(seconds=2)
    assert await schedule.run_due(shop) == 0
    await sql.execute("update schedules set next_at = now()")
    assert await schedule.run_due(shop) == 1
    assert await state(sql, "rare") == (None, timedelta(hours=12))


async def test_new_partitions_give_way_to_whoever_holds_the_tables(
    shop: Commerce, sql: asyncpg.Connection, url: str
) -> None:
    """A customer's transaction is open; the job gives up well before anybody would be called a deadlock's victim."""
    await sql.execute("drop table if exists orders_p" + (await month(sql)))
    customer = await asyncpg.connect(url)
    began = asyncio.get_running_loop().time()
    async with customer.transaction():
        await customer.execute("lock table orders in row exclusive mode")
        await customer.execute("lock table order_groups in row exclusive mode")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await schedule.make_partitions(shop)
        assert asyncio.get_running_loop().time() - began < 0.9
    await customer.close()
    await schedule.make_partitions(shop)
    assert await sql.fetchval("select to_regclass('orders_p' || $1) is not null", await month(sql))


async def month(sql: asyncpg.Connection) -> str:
    """The last month the job makes."""
    return str(await sql.fetchval("select to_char(now() + interval '3 months', 'YYYYMM')"))
