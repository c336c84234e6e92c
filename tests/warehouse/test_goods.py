"""Goods come in, are put away, counted and sent on; whatever is done, bins and levels tell the same."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.ids import parse, public
from tests.factories.api import Caller, signed_in
from tests.factories.books import broken
from tests.factories.floor import Floor, floor, location
from tests.factories.world import World
from tests.order.test_items import bought


@pytest.fixture
async def place(http: httpx.AsyncClient, shop: Commerce, world: World) -> Floor:
    return await floor(shop, world, await signed_in(http, "north"), {"red": 10, "blue": 4}, variance_most=3)


def goods(place: Floor, **units: int) -> list[dict[str, Any]]:
    return [{"variant_id": public("var", place.variants[colour]), "quantity": n} for colour, n in units.items()]


async def announce(place: Floor, reference: str, **units: int) -> Any:
    body = {"location_id": public("loc", place.location), "reference": reference, "lines": goods(place, **units)}
    return await place.north.post("/v1/warehouse/receiving", body)


async def receive(place: Floor, order: Any, close: bool = False, **units: int) -> Any:
    body = {"lines": goods(place, **units), "close": close}
    return await place.north.post(f"/v1/warehouse/receiving/{order['id']}/goods", body, 200, key=str(uuid4()))


async def shelve(place: Floor) -> None:
    """Carries all that waits into the shelf."""
    for task in await place.north.post(f"{place.path}/putaway", expect=200):
        await place.north.post(f"/v1/warehouse/putaway/{task['id']}/done", {}, 200)


async def count(place: Floor, *codes: str) -> Any:
    body = {"location_id": public("loc", place.location), "bin_ids": [place.bins[code] for code in codes]}
    return await place.north.post("/v1/warehouse/counts", body)


async def enter(caller: Caller, counted: Any, *found: int, expect: int | None = 200) -> Any:
    lines = [
        {"bin_id": line["bin_id"], "variant_id": line["variant_id"], "counted": n}
        for line, n in zip(counted["lines"], found, strict=False)
    ]
    return await caller.post(
        f"/v1/warehouse/counts/{counted['id']}/entries", {"lines": lines}, expect, key=str(uuid4())
    )


async def decide(caller: Caller, counted: Any, accept: bool = True, expect: int | None = 200) -> Any:
    path = f"/v1/warehouse/counts/{counted['id']}/decision"
    return await caller.post(path, {"accept": accept}, expect, key=str(uuid4()))


async def event(sql: asyncpg.Connection, kind: str, name: str, value: UUID) -> list[Any]:
    query = f"select payload from outbox_events where type = $1 and payload->>'{name}' = $2 order by id"
    return [row[0] for row in await sql.fetch(query, kind, str(value))]


async def test_goods_come_to_the_dock_also_more_or_other_than_announced(sql: asyncpg.Connection, place: Floor) -> None:
    order = await announce(place, "PO-1", red=5)
    await place.north.refused(
        "POST", "/v1/warehouse/receiving", 409, "receiving_exists",
        json={"location_id": public("loc", place.location), "reference": "PO-1", "lines": goods(place, red=1)},
    )  # fmt: skip
    shown = await receive(place, order, red=3)
    assert [(line["expected"], line["received"], line["difference"]) for line in shown["lines"]] == [(5, 3, -2)]
    assert (await place.lying("red"), await place.level(sql, "red")) == ({"DOCK-1": 13}, (13, 0, 0))
    shown = await receive(place, order, close=True, red=4, blue=1)
    found = {line["sku"][-3:]: (line["expected"], line["received"], line["difference"]) for line in shown["lines"]}
    assert (shown["status"], found) == ("closed", {"RED": (5, 7, 2), "LUE": (0, 1, 1)})
    again = await place.north.post(
        f"/v1/warehouse/receiving/{order['id']}/goods", {"lines": goods(place, red=1)}, None, key=str(uuid4())
    )
    assert (again.status_code, again.json()["code"]) == (409, "receiving_closed")
    assert await place.lying("red") == {"DOCK-1": 17}
    said = await sql.fetch(
        "select payload from outbox_events where type = 'GoodsReceived' and payload->>'receiving_id' = $1 order by id",
        str(parse("rcv", order["id"])),
    )
    assert len(said) == 2
    assert await broken(sql) == {}


async def test_goods_of_another_merchant_are_not_received(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, place: Floor
) -> None:
    body = {"location_id": public("loc", place.location), "reference": "PO-x", "lines": goods(place, red=1)}
    foreign = [{"variant_id": public("var", world.variants["rug"]), "quantity": 1}]
    await place.north.refused("POST", "/v1/warehouse/receiving", 404, "goods_unknown", json={**body, "lines": foreign})
    south, support = await signed_in(http, "south"), await signed_in(http, "support")
    await south.refused("POST", "/v1/warehouse/receiving", 404, "warehouse_unknown", json=body)
    await support.refused("POST", "/v1/warehouse/receiving", 403, "forbidden", json=body)
    count = "select count(*) from warehouse_receiving_orders where reference = 'PO-x'"
    assert await sql.fetchval(count) == 0


async def test_units_are_put_where_their_like_lies_else_into_the_emptiest_bin(
    sql: asyncpg.Connection, place: Floor
) -> None:
    await place.move("blue", "DOCK-1", "A1", 2)
    await place.move("red", "DOCK-1", "B1", 1)
    tasks = await place.north.post(f"{place.path}/putaway", expect=200)
    assert [(t["sku"][-3:], t["quantity"], t["from_bin"], t["to_bin"]) for t in tasks] == [
        ("LUE", 2, "DOCK-1", "A1"),
        ("RED", 9, "DOCK-1", "B1"),
    ]
    assert await place.north.post(f"{place.path}/putaway", expect=200) == tasks, "planned again, nothing is new"
    red = next(t for t in tasks if t["sku"].endswith("RED"))
    part = {"quantity": 4, "bin_id": place.bins["A2"]}
    assert (await place.north.post(f"/v1/warehouse/putaway/{red['id']}/done", part, 200))["quantity"] == 5
    await place.north.post(f"/v1/warehouse/putaway/{red['id']}/done", {}, 200)
    path = f"/v1/warehouse/putaway/{red['id']}/done"
    await place.north.refused("POST", path, 409, "putaway_closed", json={})
    assert await place.lying("red") == {"A2": 4, "B1": 6}
    assert await broken(sql) == {}


async def test_an_article_nobody_has_yet_goes_to_the_emptiest_bin(sql: asyncpg.Connection, place: Floor) -> None:
    tasks = await place.north.post(f"{place.path}/putaway", expect=200)
    assert sorted(t["to_bin"] for t in tasks) == ["A1", "A2"], "the second does not go where the first will lie"
    await shelve(place)
    assert {*await place.lying("red"), *await place.lying("blue")} == {"A1", "A2"}
    assert await broken(sql) == {}


async def test_a_task_whose_units_were_taken_is_planned_anew(sql: asyncpg.Connection, place: Floor) -> None:
    before = await place.north.post(f"{place.path}/putaway", expect=200)
    await place.move("red", "DOCK-1", "B2", 8)
    red = next(t for t in before if t["sku"].endswith("RED"))
    await place.north.refused("POST", f"/v1/warehouse/putaway/{red['id']}/done", 409, "bin_units_not_there", json={})
    after = await place.north.post(f"{place.path}/putaway", expect=200)
    assert [(t["quantity"], t["to_bin"]) for t in after if t["sku"].endswith("RED")] == [(2, "B2")]
    await shelve(place)
    assert await place.lying("red") == {"B2": 10}


async def test_a_small_variance_applies_at_once(sql: asyncpg.Connection, place: Floor) -> None:
    await shelve(place)
    counted = await count(place, "A1", "A2")
    assert [(line["expected"], line["counted"]) for line in counted["lines"]] == [(None, None)] * 2
    assert (await enter(place.north, counted, 8, expect=None)).json()["code"] == "count_incomplete"
    found = {line["sku"][-3:]: line for line in counted["lines"]}
    order = [found["RED"], found["LUE"]]
    done = await enter(place.north, {**counted, "lines": order}, 8, 5)
    assert (done["status"], done["variance"]) == ("applied", 3)
    assert (await place.level(sql, "red"), await place.level(sql, "blue")) == ((8, 0, 0), (5, 0, 0))
    assert (sum((await place.lying("red")).values()), sum((await place.lying("blue")).values())) == (8, 5)
    reasons = "select quantity, reason from inventory_adjustments where level_id = (select id from inventory_levels where variant_id = $1 and location_id = $2)"
    assert [tuple(row) for row in await sql.fetch(reasons, place.variants["red"], place.location)] == [
        (-2, "cycle count")
    ]
    assert (await enter(place.north, counted, 8, 5, expect=None)).json()["code"] == "count_state"
    assert await broken(sql) == {}


async def test_a_large_variance_waits_for_a_second_person(
    http: httpx.AsyncClient, sql: asyncpg.Connection, place: Floor
) -> None:
    admin, support = await signed_in(http, "admin"), await signed_in(http, "support")
    counted = await count(place, "DOCK-1")
    order = sorted(counted["lines"], key=lambda line: line["sku"])
    waiting = await enter(place.north, {**counted, "lines": order}, 4, 3)
    assert (waiting["status"], waiting["variance"]) == ("waiting", 7)
    assert (await place.level(sql, "red"), await place.lying("red")) == ((10, 0, 0), {"DOCK-1": 10})
    assert len(await event(sql, "CountVariance", "count_id", parse("cnt", counted["id"]))) == 1
    assert (await decide(place.north, counted, expect=None)).json()["code"] == "count_second_person"
    assert (await decide(support, counted, expect=None)).json()["code"] == "forbidden"
    assert (await place.level(sql, "red"))[0] == 10
    with pytest.raises(asyncpg.CheckViolationError):
        await sql.execute(
            "update warehouse_cycle_counts set decided_by = entered_by where id = $1", parse("cnt", counted["id"])
        )
    assert (await decide(admin, counted))["status"] == "applied"
    assert (await place.level(sql, "red"), await place.level(sql, "blue")) == ((3, 0, 0), (4, 0, 0))
    assert await place.lying("red") == {"DOCK-1": 3}
    assert (await decide(admin, counted, expect=None)).json()["code"] == "count_state"
    assert await broken(sql) == {}


async def test_a_rejected_variance_changes_nothing_and_an_outdated_one_cannot(
    http: httpx.AsyncClient, sql: asyncpg.Connection, place: Floor
) -> None:
    admin = await signed_in(http, "admin")
    await place.move("blue", "DOCK-1", "A1", 4)
    first = await enter(place.north, await count(place, "DOCK-1"), 0)
    assert (await decide(admin, first, accept=False))["status"] == "rejected"
    assert await place.lying("red") == {"DOCK-1": 10}
    second = await enter(place.north, await count(place, "DOCK-1"), 1)
    await place.move("red", "DOCK-1", "B1", 5)
    refused = await decide(admin, second, expect=None)
    assert (refused.status_code, refused.json()["code"]) == (409, "count_outdated")
    assert (await place.lying("red"), await place.level(sql, "red")) == ({"B1": 5, "DOCK-1": 5}, (10, 0, 0))
    assert await broken(sql) == {}


async def test_promised_units_that_a_count_misses_are_short_until_more_come(
    http: httpx.AsyncClient, sql: asyncpg.Connection, place: Floor
) -> None:
    ann = await signed_in(http, "ann")
    await bought(ann, {place.variants["blue"]: 4})
    adjust = {"bin_id": place.bins["DOCK-1"], "variant_id": public("var", place.variants["blue"]), "reason": "broken"}
    done = await place.north.post("/v1/warehouse/adjustments", {**adjust, "quantity": -3}, key=str(uuid4()))
    assert (done["status"], done["reason"]) == ("applied", "broken")
    assert await place.level(sql, "blue") == (1, 4, 3)
    sellable = await place.north.get("/v1/merchant/stock", params={"size": 100})
    blue = [row for row in sellable["items"] if row["variant_id"] == public("var", place.variants["blue"])]
    assert [row["available"] for row in blue if row["on_hand"]] == [0]
    order = await announce(place, "PO-short", blue=2)
    await receive(place, order, blue=2)
    assert await place.level(sql, "blue") == (3, 4, 1)
    await receive(place, order, blue=5)
    assert await place.level(sql, "blue") == (8, 4, 0)
    assert await broken(sql) == {}


async def test_units_go_from_place_to_place_and_are_in_neither_on_the_way(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shop: Commerce, world: World, place: Floor
) -> None:
    south, ann = await signed_in(http, "south"), await signed_in(http, "ann")
    other = await location(shop, world, 900)
    body = {"variant_id": public("var", place.variants["red"]), "quantity": 4}
    body |= {"from_location_id": public("loc", place.location), "to_location_id": public("loc", other)}
    path = "/v1/warehouse/transfers"
    await place.north.refused("POST", path, 409, "transfer_not_possible", json=body, key=str(uuid4()))
    bin_ = {"from_bin_id": place.bins["DOCK-1"]}
    foreign = {**body, **bin_, "to_location_id": public("loc", world.locations["south"])}
    await place.north.refused("POST", path, 404, "not_found", json=foreign, key=str(uuid4()))
    await south.refused("POST", path, 404, "not_found", json={**body, **bin_}, key=str(uuid4()))
    await bought(ann, {place.variants["red"]: 7})
    await place.north.refused("POST", path, 409, "stock_not_free", json={**body, **bin_}, key=str(uuid4()))
    assert await place.level(sql, "red") == (10, 7, 0)
    sent = await place.north.post(path, {**body, **bin_, "quantity": 3}, key=str(uuid4()))
    assert (await place.level(sql, "red"), await place.lying("red")) == ((7, 7, 0), {"DOCK-1": 7})
    assert [row["id"] for row in await place.north.get(path)] == [sent["id"]]
    arrival = f"{path}/{sent['id']}/arrival"
    assert (await place.north.post(arrival, {"quantity": 2}, 200, key=str(uuid4())))["received"] == 2
    await place.north.refused("POST", arrival, 409, "transfer_done", json={}, key=str(uuid4()))
    there = "select on_hand from inventory_levels where variant_id = $1 and location_id = $2"
    assert await sql.fetchval(there, place.variants["red"], other) == 2
    back = {**body, "from_location_id": public("loc", other), "to_location_id": public("loc", place.location)}
    sent = await place.north.post(path, {**back, "quantity": 2}, key=str(uuid4()))
    await place.north.post(f"{path}/{sent['id']}/arrival", {}, 200, key=str(uuid4()))
    assert (await place.level(sql, "red"), await place.lying("red")) == ((9, 7, 0), {"DOCK-1": 9})
    assert await broken(sql) == {}
