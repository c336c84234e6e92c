"""What runs low is told once, to its own merchant, and again only after there was enough."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.auth import SYSTEM
from tests.factories.api import signed_in
from tests.factories.world import World


@pytest.fixture
async def level(sql: asyncpg.Connection, world: World) -> AsyncIterator[dict[str, Any]]:
    """The mug's level with no alert of an earlier test."""
    row = await sql.fetchrow("select * from inventory_levels where variant_id = $1", world.variants["mug"])
    assert row is not None
    yield dict(row)
    await sql.execute("delete from inventory_alerts")
    await sql.execute("delete from inventory_reorder_points")


async def watch(shop: Commerce) -> int:
    async with shop.database.work(SYSTEM) as work:
        return await shop.inventory.alerts.watch(work)


async def told(sql: asyncpg.Connection, level: UUID) -> list[str]:
    rows = await sql.fetch(
        "select type from outbox_events where key = $1 and type like 'Stock%' and type <> 'StockAdjusted' "
        "order by sequence",
        level,
    )
    return [row["type"] for row in rows]


async def test_a_level_is_low_once_back_once_and_low_again(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, level: dict[str, Any], world: World
) -> None:
    owner = await signed_in(http, "north")
    left, path = level["on_hand"], f"/v1/merchant/stock/lvl_{level['id'].hex}"
    await owner.call("PUT", f"{path}/reorder-point", 204, json={"point": left - 1, "quantity": 24})
    assert await watch(shop) == 0
    await owner.post(f"{path}/adjust", {"quantity": -1, "reason": "broken"}, 204)
    assert [await watch(shop), await watch(shop)] == [1, 0]
    (alert,) = await owner.get("/v1/merchant/stock/alerts")
    assert (alert["available"], alert["point"], alert["quantity"], alert["sold_30_days"]) == (left - 1, left - 1, 24, 0)
    await owner.post(f"{path}/adjust", {"quantity": 5, "reason": "found"}, 204)
    assert [await watch(shop), await watch(shop)] == [1, 0]
    assert await owner.get("/v1/merchant/stock/alerts") == []
    await owner.post(f"{path}/adjust", {"quantity": -5, "reason": "lost"}, 204)
    assert await watch(shop) == 1
    assert await told(sql, level["id"]) == ["StockLow", "StockBack", "StockLow"]


async def test_two_watchers_at_once_tell_it_once(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, level: dict[str, Any], world: World
) -> None:
    owner = await signed_in(http, "north")
    path = f"/v1/merchant/stock/lvl_{level['id'].hex}/reorder-point"
    await owner.call("PUT", path, 204, json={"point": level["on_hand"], "quantity": 1})
    before = len(await told(sql, level["id"]))
    async with shop.database.work(SYSTEM) as one:
        assert await shop.inventory.alerts.watch(one) == 1
        async with shop.database.work(SYSTEM) as two:
            await two.run("set local lock_timeout = '100ms'")
            with pytest.raises(Exception, match="lock timeout"):
                await shop.inventory.alerts.watch(two)
    assert await watch(shop) == 0
    assert len(await told(sql, level["id"])) == before + 1


async def test_another_merchants_level_is_a_missing_one_and_stays_as_it_is(
    http: httpx.AsyncClient, sql: asyncpg.Connection, level: dict[str, Any], world: World
) -> None:
    stranger, ann = await signed_in(http, "south"), await signed_in(http, "ann")
    path = f"/v1/merchant/stock/lvl_{level['id'].hex}/reorder-point"
    await stranger.refused("PUT", path, 404, "not_found", json={"point": 1, "quantity": 1})
    await ann.refused("PUT", path, 403, "forbidden", json={"point": 1, "quantity": 1})
    await stranger.refused("PUT", path, 422, "invalid_request", json={"point": -1, "quantity": 0})
    assert await sql.fetchval("select count(*) from inventory_reorder_points") == 0


async def test_row_level_security_alone_shows_no_foreign_alert(
    shop: Commerce, sql: asyncpg.Connection, level: dict[str, Any], world: World
) -> None:
    owner = world.merchants["north"]
    await sql.execute("insert into inventory_alerts values (uuidv7(), $1, $2, now(), null)", level["id"], owner)
    for name, merchant in world.merchants.items():
        who = replace(shop.identity.as_role("merchant"), merchant_ids=(merchant,))
        async with shop.database.work(who) as work:
            seen = await work.value("select count(*) from inventory_alerts")
        assert seen == (1 if name == "north" else 0)
