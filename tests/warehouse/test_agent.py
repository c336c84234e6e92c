"""What the warehouse agent does of itself: a short pick and a variance wake it once each, and a person has the last word."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from commerce.orchestration.schemas import NewRun
from kernel.ids import new_id, parse
from tests.agents.test_limits import never
from tests.agents.test_wakes import CALLS, work_off
from tests.factories.api import signed_in
from tests.factories.books import broken
from tests.factories.floor import Floor, floor
from tests.factories.world import World
from tests.order.test_items import bought
from tests.warehouse.test_goods import count, decide, enter
from tests.warehouse.test_waves import plan, short, start, stop, stops
from tools.bind import Binder, Errand
from tools.spec import TOOLS


@pytest.fixture
async def place(http: httpx.AsyncClient, shop: Commerce, world: World) -> Floor:
    found = await floor(shop, world, await signed_in(http, "north"), {"red": 10, "blue": 6}, variance_most=4)
    await found.move("red", "DOCK-1", "A1", 4)
    await found.move("blue", "DOCK-1", "B2", 6)
    return found


async def run(shop: Commerce, principal: Any) -> Errand:
    async with shop.database.work(principal) as work:
        begun = await shop.runs.begin(work, NewRun(agent="warehouse", trigger="chat", cause=new_id()))
    tools = tuple(tool for tool in TOOLS.values() if tool.context == "warehouse")
    from agents.roster import AGENTS

    return Binder(shop, never).errand(begun.id, principal, "warehouse", tools, AGENTS["warehouse"].limits)


async def call(shop: Commerce, principal: Any, tool: str, **args: Any) -> tuple[str, dict[str, Any]]:
    record = (await Binder(shop, never).call(await run(shop, principal), tool, "call", args)).record
    return record.status, record.result


async def woken(sql: asyncpg.Connection, kind: str, name: str, value: UUID) -> list[tuple[Any, ...]]:
    """The calls of the runs that an event caused."""
    query = f"select id from outbox_events where type = $1 and payload->>'{name}' = $2"
    event = await sql.fetchval(query, kind, str(value))
    return [tuple(row) for row in await sql.fetch(f"{CALLS} order by c.id", event)]


async def test_a_short_pick_wakes_the_agent_that_tells_the_merchant_once(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, place: Floor, settle: Any
) -> None:
    ann = await signed_in(http, "ann")
    order = await bought(ann, {place.variants["blue"]: 6})
    other = await bought(ann, {place.variants["red"]: 2})
    wave = await start(place, await plan(place))
    assert stops(wave) == [("A1", "RED", 2), ("B2", "LUE", 6)]
    told = await stop(place, wave, 2, found=4)
    for _ in range(2):
        await settle()
        await work_off(shop)
    assert await woken(sql, "ShortPick", "short_id", parse("sho", told["id"])) == [
        ("warehouse", "propose_replan", "done")
    ]
    lines = (await place.north.get("/v1/me/notifications"))["items"]
    mine = [line for line in lines if line["kind"] == "ShortPick" and place.skus["blue"] in line["title"]]
    assert [(line["title"], line["text"]) for line in mine] == [
        (f"B2 had 4 of 6 {place.skus['blue']}", "2 are nowhere: the order waits until goods come.")
    ]
    wave = await place.north.get(f"/v1/warehouse/waves/{wave['id']}")
    assert [(s["bin"], s["status"]) for s in wave["stops"]] == [("B2", "short"), ("A1", "open")]
    south = await signed_in(http, "south")
    assert [line for line in (await south.get("/v1/me/notifications"))["items"] if line["kind"] == "ShortPick"] == []
    assert {order["id"], other["id"]} == {s["order_id"] for s in wave["stops"]}
    assert await broken(sql) == {}


async def test_a_variance_wakes_the_agent_and_waits_for_one_who_did_not_count(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, place: Floor, settle: Any
) -> None:
    admin = await signed_in(http, "admin")
    counted = await enter(place.north, await count(place, "B2"), 1)
    await settle()
    await work_off(shop)
    assert await woken(sql, "CountVariance", "count_id", parse("cnt", counted["id"])) == [
        ("warehouse", "propose_variance", "done")
    ]
    (waiting,) = [
        p for p in (await admin.get("/v1/approvals?status=waiting"))["items"] if p["kind"] == "warehouse.variance"
    ]
    assert f"B2: {place.skus['blue']} 1 instead of 6" in waiting["summary"]
    assert await place.level(sql, "blue") == (6, 0, 0)
    await admin.post(f"/v1/approvals/{waiting['id']}/decision", {"accept": True}, 200, key=str(uuid4()))
    assert (await place.level(sql, "blue"), await place.lying("blue")) == ((1, 0, 0), {"B2": 1})
    row = await sql.fetchrow(
        "select status, decided_by, entered_by from warehouse_cycle_counts where id = $1", parse("cnt", counted["id"])
    )
    assert row["status"] == "applied"
    assert row["decided_by"] != row["entered_by"]
    assert await broken(sql) == {}


async def test_who_counted_cannot_accept_what_the_agent_proposes(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, place: Floor, settle: Any
) -> None:
    admin = await signed_in(http, "admin")
    counted = await enter(admin, await count(place, "B2"), 0)
    await settle()
    await work_off(shop)
    (waiting,) = [
        p for p in (await admin.get("/v1/approvals?status=waiting"))["items"] if p["kind"] == "warehouse.variance"
    ]
    answer = await admin.post(f"/v1/approvals/{waiting['id']}/decision", {"accept": True}, 200, key=str(uuid4()))
    assert answer["status"] == "failed"
    assert await place.lying("blue") == {"B2": 6}
    assert (await place.north.get(f"/v1/warehouse/counts/{counted['id']}"))["status"] == "waiting"
    assert (await decide(place.north, counted))["status"] == "applied"
    assert await place.lying("blue") == {}
    assert await broken(sql) == {}


async def test_a_merchant_finds_its_own_bins_and_nobody_elses(
    http: httpx.AsyncClient, shop: Commerce, place: Floor, principals: Any
) -> None:
    status, found = await call(shop, principals(shop, "north"), "find_in_warehouse", sku=place.skus["red"])
    assert status == "done"
    assert [(row["bin"], row["kind"], row["quantity"]) for row in found["items"]] == [
        ("A1", "shelf", 4),
        ("DOCK-1", "dock", 6),
    ]
    assert (await call(shop, principals(shop, "south"), "find_in_warehouse", sku=place.skus["red"]))[1]["items"] == []
    assert (await call(shop, principals(shop, "ann"), "find_in_warehouse"))[0] == "refused"


async def test_a_round_is_laid_anew_at_once_and_only_ones_own(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, place: Floor, principals: Any
) -> None:
    ann = await signed_in(http, "ann")
    await bought(ann, {place.variants["blue"]: 1})
    wave = await plan(place)
    await place.move("blue", "B2", "A2", 6)
    status, foreign = await call(shop, principals(shop, "south"), "propose_replan", wave=wave["id"])
    assert (status, foreign["error"]) == ("failed", "wave_unknown")
    status, mine = await call(shop, principals(shop, "north"), "propose_replan", wave=wave["id"])
    assert (status, mine["status"]) == ("done", "accepted")
    again = await place.north.get(f"/v1/warehouse/waves/{wave['id']}")
    assert stops(again) == [("A2", "LUE", 1)]
    status, none = await call(shop, principals(shop, "south"), "propose_variance")
    assert (status, none["error"]) == ("failed", "count_none_waits")
    assert await sql.fetchval("select count(*) from warehouse_cycle_counts where status = 'waiting'") == 0


async def test_a_short_pick_outside_of_a_wave_is_told_too(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, place: Floor, principals: Any
) -> None:
    ann = await signed_in(http, "ann")
    order = await bought(ann, {place.variants["red"]: 3})
    told = await short(place.north, place, order, "A1", 1)
    status, found = await call(shop, principals(shop, "north"), "propose_replan", short=told["id"])
    assert (status, found["status"]) == ("done", "accepted")
    assert "2 lie in other bins of the place" in found["summary"]
    south = await call(shop, principals(shop, "south"), "propose_replan", short=told["id"])
    assert (south[0], south[1]["error"]) == ("failed", "short_pick_unknown")
    assert await broken(sql) == {}
