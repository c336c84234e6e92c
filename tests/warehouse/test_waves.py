"""Orders are picked in one short round; a bin that has too few is made true, and the missing units are found or awaited."""

from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from commerce.inventory.schemas import ReceiveStock
from kernel.auth import SYSTEM
from kernel.ids import parse, public
from tests.factories.api import Caller, signed_in
from tests.factories.books import broken
from tests.factories.floor import Floor, floor
from tests.factories.world import World
from tests.order.test_fulfillment import pick, ship
from tests.order.test_items import bought
from tests.warehouse.test_goods import announce, receive


@pytest.fixture
async def place(http: httpx.AsyncClient, shop: Commerce, world: World) -> Floor:
    """Red in both aisles, blue at the end of the second."""
    found = await floor(shop, world, await signed_in(http, "north"), {"red": 10, "blue": 6}, variance_most=4)
    await found.move("red", "DOCK-1", "A1", 4)
    await found.move("red", "DOCK-1", "B1", 6)
    await found.move("blue", "DOCK-1", "B2", 6)
    return found


async def plan(place: Floor, most: int = 20) -> Any:
    return await place.north.post("/v1/warehouse/waves", {"location_id": public("loc", place.location), "most": most})


async def start(place: Floor, wave: Any) -> Any:
    return await place.north.post(f"/v1/warehouse/waves/{wave['id']}/start", expect=200)


async def stop(place: Floor, wave: Any, position: int, expect: int | None = 200, **body: Any) -> Any:
    what = "short" if "found" in body else "pick"
    path = f"/v1/warehouse/waves/{wave['id']}/stops/{position}/{what}"
    return await place.north.post(path, body, expect, key=str(uuid4()))


async def short(
    north: Caller, place: Floor, order: Any, code: str, found: int, expect: int | None = 200, line: int = 0
) -> Any:
    path = f"/v1/warehouse/picks/{order['id']}/lines/{order['lines'][line]['id']}/short"
    return await north.post(path, {"bin_id": place.bins[code], "found": found}, expect, key=str(uuid4()))


def told(found: Any) -> tuple[int, ...]:
    return tuple(found[name] for name in ("wanted", "found", "elsewhere", "relocated", "backordered"))


def stops(wave: Any) -> list[tuple[str, str, int]]:
    return [(found["bin"], found["sku"][-3:], found["quantity"]) for found in wave["stops"]]


async def test_a_wave_is_one_short_round_through_the_bins_of_its_orders(
    http: httpx.AsyncClient, sql: asyncpg.Connection, place: Floor
) -> None:
    ann = await signed_in(http, "ann")
    red, blue = place.variants["red"], place.variants["blue"]
    orders = [await bought(ann, lines) for lines in ({red: 3}, {blue: 2}, {red: 2, blue: 1})]
    wave = await plan(place)
    assert stops(wave) == [("A1", "RED", 3), ("A1", "RED", 1), ("B1", "RED", 1), ("B2", "LUE", 2), ("B2", "LUE", 1)]
    assert (wave["status"], wave["length"], wave["alone"], wave["missing"]) == ("open", 36, 10 + 34 + 36, 0)
    again = {"location_id": public("loc", place.location)}
    await place.north.refused("POST", "/v1/warehouse/waves", 409, "wave_empty", json=again)
    refused = await stop(place, wave, 1, None)
    assert (refused.status_code, refused.json()["code"]) == (409, "wave_state")
    await start(place, wave)
    for found in wave["stops"]:
        wave = await stop(place, wave, found["position"])
    assert (wave["status"], [found["status"] for found in wave["stops"]]) == ("done", ["picked"] * 5)
    assert await place.lying("red") == {"B1": 5, "tote": 5}
    assert await place.lying("blue") == {"B2": 3, "tote": 3}
    picked = "select status from warehouse_tasks where order_id = any($1)"
    keys = [parse("ord", order["id"]) for order in orders]
    assert [row[0] for row in await sql.fetch(picked, keys)] == ["done"] * 3
    labor = await place.north.get("/v1/warehouse/labor")
    mine = [(row["kind"], row["lines"], row["units"]) for row in labor if row["kind"] == "pick"]
    assert mine == [("pick", 5, 8)]
    assert await broken(sql) == {}


async def test_a_stop_is_picked_once_and_never_above_what_it_wants(
    http: httpx.AsyncClient, sql: asyncpg.Connection, place: Floor
) -> None:
    ann, south = await signed_in(http, "ann"), await signed_in(http, "south")
    await bought(ann, {place.variants["blue"]: 3})
    wave = await start(place, await plan(place))
    assert (await stop(place, wave, 1, None, quantity=4)).json()["code"] == "wave_stop_done"
    assert (await stop(place, wave, 2, None)).json()["code"] == "wave_unknown"
    await south.refused("GET", f"/v1/warehouse/waves/{wave['id']}", 404, "wave_unknown")
    await ann.refused("GET", "/v1/warehouse/waves", 403, "forbidden")
    assert (await stop(place, wave, 1, quantity=1))["status"] == "started"
    assert (await stop(place, wave, 1))["status"] == "done"
    assert (await stop(place, wave, 1, None)).json()["code"] == "wave_state"
    assert await place.lying("blue") == {"B2": 3, "tote": 3}
    assert await broken(sql) == {}


async def test_missing_units_come_from_another_bin_of_the_round(
    http: httpx.AsyncClient, sql: asyncpg.Connection, place: Floor
) -> None:
    ann = await signed_in(http, "ann")
    order = await bought(ann, {place.variants["red"]: 4})
    wave = await start(place, await plan(place))
    assert stops(wave) == [("A1", "RED", 4)]
    found = await stop(place, wave, 1, found=1)
    assert told(found) == (4, 1, 3, 0, 0)
    assert await place.lying("red") == {"B1": 6, "tote": 1}
    assert await place.level(sql, "red") == (7, 4, 0)
    wave = await place.north.get(f"/v1/warehouse/waves/{wave['id']}")
    assert [(s["bin"], s["quantity"], s["picked"], s["status"]) for s in wave["stops"]] == [
        ("A1", 4, 1, "short"),
        ("B1", 3, 0, "open"),
    ]
    wave = await stop(place, wave, 2)
    assert wave["status"] == "done"
    await ship(place.north, order, {0: 4})
    assert (await place.lying("red"), await place.level(sql, "red")) == ({"B1": 3}, (3, 0, 0))
    assert await broken(sql) == {}


async def test_missing_units_are_promised_at_another_place(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shop: Commerce, world: World, place: Floor, settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), place.north
    blue, store = place.variants["blue"], world.locations["north"]
    async with shop.database.work(SYSTEM) as work:
        await shop.inventory.receive(work, ReceiveStock(location_id=store, variant_id=blue, quantity=5))
    order = await bought(ann, {blue: 6})
    assert told(await short(north, place, order, "B2", 4)) == (6, 4, 0, 2, 0)
    assert (await place.lying("blue"), await place.level(sql, "blue")) == ({"tote": 4}, (4, 4, 0))
    plan_ = await north.post(f"/v1/orders/{order['id']}/plan", {}, 200, key=str(uuid4()))
    assert {part["location_id"]: part["lines"][0]["quantity"] for part in plan_["parts"]} == {
        public("loc", place.location): 4,
        public("loc", store): 2,
    }
    await pick(north, order, 2)
    await ship(north, order, {0: 4}, location_id=public("loc", place.location))
    await ship(north, order, {0: 2})
    assert (await place.lying("blue"), await place.level(sql, "blue")) == ({}, (0, 0, 0))
    shown = await ann.get(f"/v1/orders/{order['id']}")
    assert (shown["status"], shown["lines"][0]["shipped"]) == ("shipped", 6)
    await settle()
    assert await broken(sql) == {}


async def test_missing_units_that_are_nowhere_wait_until_goods_come(
    http: httpx.AsyncClient, sql: asyncpg.Connection, place: Floor
) -> None:
    ann, north = await signed_in(http, "ann"), place.north
    order = await bought(ann, {place.variants["blue"]: 6})
    assert told(await short(north, place, order, "B2", 3)) == (6, 3, 0, 0, 3)
    assert (await place.lying("blue"), await place.level(sql, "blue")) == ({"tote": 3}, (3, 6, 3))
    path = f"/v1/warehouse/picks/{order['id']}/lines/{order['lines'][0]['id']}"
    await north.refused("POST", path, 409, "bin_units_not_there", json={"quantity": 1})
    body = {"location_id": public("loc", place.location)}
    await north.refused("POST", "/v1/warehouse/waves", 409, "wave_empty", json=body)
    goods = await announce(place, f"PO-{uuid4().hex}", blue=4)
    await receive(place, goods, blue=4)
    assert await place.level(sql, "blue") == (7, 6, 0)
    wave = await start(place, await plan(place))
    assert stops(wave) == [("DOCK-1", "LUE", 3)]
    await stop(place, wave, 1)
    await ship(north, order, {0: 6})
    assert (await place.lying("blue"), await place.level(sql, "blue")) == ({"DOCK-1": 1}, (1, 0, 0))
    shown = await north.get("/v1/warehouse/short-picks")
    assert [told(row) for row in shown if row["order_id"] == order["id"]] == [(6, 3, 0, 0, 3)]
    said = await sql.fetchval(
        "select count(*) from outbox_events where type = 'ShortPick' and payload->'order_ids' ? $1",
        str(parse("ord", order["id"])),
    )
    assert said == 1
    assert await broken(sql) == {}


async def test_a_bin_that_misses_more_than_the_limit_keeps_its_books_until_a_second_person_agrees(
    http: httpx.AsyncClient, sql: asyncpg.Connection, place: Floor
) -> None:
    """Six by the books, one is there: five are off. The bin is left alone, and what was promised stays promised."""
    ann, admin, north = await signed_in(http, "ann"), await signed_in(http, "admin"), place.north
    order = await bought(ann, {place.variants["blue"]: 6})
    assert told(await short(north, place, order, "B2", 1)) == (6, 1, 0, 0, 5)
    assert (await place.lying("blue"), await place.level(sql, "blue")) == ({"B2": 5, "tote": 1}, (6, 6, 0))
    path = f"/v1/warehouse/picks/{order['id']}/lines/{order['lines'][0]['id']}"
    await north.refused("POST", path, 409, "bin_units_not_there", json={"quantity": 1})
    (waiting,) = [c for c in await north.get("/v1/warehouse/counts") if c["kind"] == "short_pick"]
    assert (waiting["status"], waiting["variance"]) == ("waiting", 5)
    await admin.post(f"/v1/warehouse/counts/{waiting['id']}/decision", {"accept": True}, 200, key=str(uuid4()))
    assert (await place.lying("blue"), await place.level(sql, "blue")) == ({"tote": 1}, (1, 6, 5))
    assert await broken(sql) == {}


async def test_a_short_pick_that_is_none_is_refused(
    http: httpx.AsyncClient, sql: asyncpg.Connection, place: Floor
) -> None:
    ann, south, north = await signed_in(http, "ann"), await signed_in(http, "south"), place.north
    order = await bought(ann, {place.variants["blue"]: 2})
    assert (await short(north, place, order, "B2", 2, None)).json()["code"] == "pick_not_short"
    assert (await short(south, place, order, "B2", 0, None)).json()["code"] == "pick_task_unknown"
    assert (await short(ann, place, order, "B2", 0, None)).json()["code"] == "forbidden"
    assert (await place.lying("blue"), await place.level(sql, "blue")) == ({"B2": 6}, (6, 2, 0))
    assert (
        await sql.fetchval("select count(*) from warehouse_short_picks where order_id = $1", parse("ord", order["id"]))
        == 0
    )


async def test_a_round_is_laid_anew_by_what_lies_where_now(
    http: httpx.AsyncClient, sql: asyncpg.Connection, place: Floor
) -> None:
    ann, north = await signed_in(http, "ann"), place.north
    first = await bought(ann, {place.variants["red"]: 3})
    await bought(ann, {place.variants["blue"]: 1})
    wave = await plan(place)
    await north.post(f"/v1/orders/{first['id']}/hold", {"reason": "wait"}, 200, key=str(uuid4()))
    await place.move("blue", "B2", "A2", 6)
    again = await north.post(f"/v1/warehouse/waves/{wave['id']}/replan", expect=200)
    assert stops(again) == [("A2", "LUE", 1)]
    await north.post(f"/v1/orders/{first['id']}/release", {}, 200, key=str(uuid4()))
    assert stops(await plan(place)) == [("A1", "RED", 3)]
    gone = await north.post(f"/v1/warehouse/waves/{wave['id']}/cancel", expect=200)
    assert (gone["status"], gone["stops"]) == ("cancelled", [])
    assert await place.lying("red") == {"A1": 4, "B1": 6}
    assert await broken(sql) == {}


async def test_what_was_picked_for_a_cancelled_order_is_put_away_again(
    http: httpx.AsyncClient, sql: asyncpg.Connection, place: Floor, settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), place.north
    order = await bought(ann, {place.variants["red"]: 2})
    await pick(north, order, 1)
    await ann.post(f"/v1/orders/{order['id']}/cancel", {"reason": "no longer needed"}, 200, key=str(uuid4()))
    await settle()
    assert await place.level(sql, "red") == (10, 0, 0)
    (task,) = await north.post(f"{place.path}/putaway", expect=200)
    assert (task["quantity"], task["from_bin"], task["to_bin"]) == (1, order["id"], "B1")
    await north.post(f"/v1/warehouse/putaway/{task['id']}/done", {}, 200)
    assert await place.lying("red") == {"A1": 3, "B1": 7}
    assert await broken(sql) == {}


async def test_an_order_that_waits_for_goods_does_not_hold_up_the_next(
    http: httpx.AsyncClient, sql: asyncpg.Connection, place: Floor
) -> None:
    ann = await signed_in(http, "ann")
    order = await bought(ann, {place.variants["blue"]: 6})
    assert told(await short(place.north, place, order, "B2", 4)) == (6, 4, 0, 0, 2)
    await bought(ann, {place.variants["red"]: 1})
    assert stops(await plan(place, most=1)) == [("A1", "RED", 1)]
    assert await broken(sql) == {}
