"""Bins hold what the level of their location says, whatever is done to either, and by whom."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from commerce.inventory.errors import LocationHasBins
from commerce.inventory.history import set_aside
from commerce.inventory.schemas import ReceiveStock
from commerce.warehouse.schemas import OpenWarehouse
from kernel.auth import SYSTEM
from kernel.ids import new_id, public
from tests.factories.api import signed_in
from tests.factories.books import broken
from tests.factories.floor import Floor, floor, key, location
from tests.factories.variants import add_choice
from tests.factories.world import World
from tests.order.test_fulfillment import pick, ship
from tests.order.test_items import bought
from tests.returns.world import asked, delivered, inspect, receive, wish


@pytest.fixture
async def ground_floor(http: httpx.AsyncClient, shop: Commerce, world: World) -> Floor:
    return await floor(shop, world, await signed_in(http, "north"), {"red": 10, "blue": 4})


async def level_of(sql: asyncpg.Connection, place: Floor, colour: str) -> Any:
    query = "select id from inventory_levels where variant_id = $1 and location_id = $2"
    return await sql.fetchval(query, place.variants[colour], place.location)


async def test_a_location_that_gets_bins_has_all_it_holds_at_its_dock(
    sql: asyncpg.Connection, ground_floor: Floor
) -> None:
    assert await ground_floor.lying("red") == {"DOCK-1": 10}
    assert await ground_floor.lying("blue") == {"DOCK-1": 4}
    assert sorted(ground_floor.bins) == ["A1", "A2", "B1", "B2", "DOCK-1", "RETURNS-1"]
    again = {"location_id": public("loc", ground_floor.location)}
    await ground_floor.north.refused("POST", "/v1/warehouse/locations", 409, "warehouse_exists", json=again)
    assert await broken(sql) == {}


async def test_units_go_from_bin_to_bin_and_never_more_than_are_there(
    sql: asyncpg.Connection, ground_floor: Floor
) -> None:
    await ground_floor.move("red", "DOCK-1", "A1", 6)
    await ground_floor.move("red", "A1", "B2", 2)
    assert await ground_floor.lying("red") == {"A1": 4, "B2": 2, "DOCK-1": 4}
    refused = await ground_floor.move("red", "A1", "B1", 5, None)
    assert (refused.status_code, refused.json()["code"]) == (409, "bin_units_not_there")
    assert await ground_floor.lying("red") == {"A1": 4, "B2": 2, "DOCK-1": 4}
    assert await ground_floor.level(sql, "red") == (10, 0, 0)
    assert await broken(sql) == {}


async def test_picked_units_lie_in_the_orders_tote_until_they_leave(
    http: httpx.AsyncClient, sql: asyncpg.Connection, ground_floor: Floor
) -> None:
    ann, north = await signed_in(http, "ann"), ground_floor.north
    await ground_floor.move("red", "DOCK-1", "A1", 3)
    await ground_floor.move("red", "DOCK-1", "B1", 2)
    order = await bought(ann, {ground_floor.variants["red"]: 4})
    await pick(north, order, 1)
    assert await ground_floor.lying("red") == {"A1": 2, "B1": 2, "DOCK-1": 5, "tote": 1}
    path = f"/v1/warehouse/picks/{order['id']}/lines/{order['lines'][0]['id']}"
    named = {"quantity": 3, "bin_id": ground_floor.bins["B1"]}
    await north.refused("POST", path, 409, "bin_units_not_there", json=named)
    assert (await ship(north, order, {0: 2}, None)).json()["code"] == "order_units_not_there"
    await north.post(path, {"quantity": 2, "bin_id": ground_floor.bins["B1"]}, 204)
    await pick(north, order, 1)
    assert await ground_floor.lying("red") == {"A1": 1, "DOCK-1": 5, "tote": 4}
    await ship(north, order, {0: 3})
    assert await ground_floor.lying("red") == {"A1": 1, "DOCK-1": 5, "tote": 1}
    assert await ground_floor.level(sql, "red") == (7, 1, 0)
    await ship(north, order, {0: 1})
    assert await ground_floor.lying("red") == {"A1": 1, "DOCK-1": 5}
    assert await ground_floor.level(sql, "red") == (6, 0, 0)
    assert await broken(sql) == {}


async def test_what_is_promised_at_a_place_without_bins_is_picked_as_ever(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shop: Commerce, world: World, ground_floor: Floor
) -> None:
    """The dock is empty of blue but for four; five are promised at the store, which has no bins."""
    ann, north = await signed_in(http, "ann"), ground_floor.north
    async with shop.database.work(SYSTEM) as work:
        blue = ground_floor.variants["blue"]
        store = ReceiveStock(location_id=world.locations["north"], variant_id=blue, quantity=9)
        await shop.inventory.receive(work, store)
    order = await bought(ann, {blue: 5})
    await pick(north, order, 5)
    assert await ground_floor.lying("blue") == {"DOCK-1": 4}
    parcel = await ship(north, order, {0: 5})
    assert parcel["location_id"] == public("loc", world.locations["north"])
    assert await ground_floor.level(sql, "blue") == (4, 0, 0)
    assert await broken(sql) == {}


async def test_what_comes_back_lies_in_the_returns_bin(
    http: httpx.AsyncClient, sql: asyncpg.Connection, ground_floor: Floor, settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), ground_floor.north
    order = await delivered(http, {ground_floor.variants["red"]: 2})
    assert await ground_floor.lying("red") == {"DOCK-1": 8}
    back = await asked(ann, wish(order, 2))
    await receive(north, back, 2)
    await inspect(north, back, 2)
    await settle()
    assert await ground_floor.lying("red") == {"DOCK-1": 8, "RETURNS-1": 2}
    assert await ground_floor.level(sql, "red") == (10, 0, 0)
    assert await broken(sql) == {}


async def test_stock_of_bins_changes_only_through_the_warehouse(
    sql: asyncpg.Connection, shop: Commerce, ground_floor: Floor
) -> None:
    red, place = ground_floor.variants["red"], ground_floor.location
    level = public("lvl", await level_of(sql, ground_floor, "red"))
    more = {"quantity": 1, "reason": "found one"}
    await ground_floor.north.refused("POST", f"/v1/merchant/stock/{level}/adjust", 409, "location_has_bins", json=more)
    with pytest.raises(LocationHasBins):
        async with shop.database.work(SYSTEM) as work:
            await shop.inventory.receive(work, ReceiveStock(location_id=place, variant_id=red, quantity=1))
    with pytest.raises(LocationHasBins):
        async with shop.database.work(SYSTEM) as work:
            await set_aside(work, new_id(), place, {red: 1})
    assert await ground_floor.level(sql, "red") == (10, 0, 0)


async def test_no_statement_parts_the_bins_from_the_level(
    sql: asyncpg.Connection, shop: Commerce, world: World, ground_floor: Floor
) -> None:
    level, dock = await level_of(sql, ground_floor, "red"), key(ground_floor.bins["DOCK-1"])
    other = await level_of(sql, ground_floor, "blue")
    strange = (await add_choice(shop, world, {"odd": 100}, units=0))["odd"]
    for statement, args in (
        ("update inventory_levels set on_hand = on_hand + 1 where id = $1", (level,)),
        ("update inventory_levels set on_hand = on_hand - 1 where id = $1", (level,)),
        ("update warehouse_bin_stock set quantity = quantity + 1 where level_id = $1", (level,)),
        ("update warehouse_bin_stock set quantity = 0 where level_id = $1 and bin_id = $2", (level, dock)),
        ("delete from warehouse_bin_stock where level_id = $1", (level,)),
        ("update inventory_locations set binned = false where id = $1", (ground_floor.location,)),
        (
            "insert into inventory_levels (id, variant_id, location_id, on_hand, reserved, allocated, backorder_limit, "
            "safety_stock) values (uuidv7(), $1, $2, 3, 0, 0, 0, 0)",
            (strange, ground_floor.location),
        ),
    ):
        with pytest.raises(asyncpg.CheckViolationError) as law:
            await sql.execute(statement, *args)
        assert law.value.constraint_name == "bins_are_the_level", statement
    await sql.execute("update inventory_levels set binned = false where id = $1", level)
    assert await sql.fetchval("select binned from inventory_levels where id = $1", level) is True
    with pytest.raises(asyncpg.UniqueViolationError):
        await sql.execute("update warehouse_bin_stock set level_id = $1 where level_id = $2", other, level)
    elsewhere = await sql.fetchval(
        "select id from inventory_levels where variant_id = $1 and location_id <> $2",
        *(ground_floor.variants["red"], ground_floor.location),
    )
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await sql.execute("update warehouse_bin_stock set level_id = $1 where level_id = $2", elsewhere, level)
    with pytest.raises(asyncpg.CheckViolationError):
        await sql.execute("update warehouse_bin_stock set quantity = -1 where level_id = $1", level)
    assert await ground_floor.lying("red") == {"DOCK-1": 10}
    assert await broken(sql) == {}


CHANGE = """
with level as (update inventory_levels set on_hand = on_hand + 1 where location_id = $1 returning id)
insert into inventory_movements (id, level_id, kind, on_hand, reserved, allocated, reference_id, at)
select uuidv7(), id, 'adjust', 1, 0, 0, null, now() from level
"""


async def test_a_location_cannot_get_bins_behind_the_back_of_one_who_changes_its_stock(
    sql: asyncpg.Connection, url: str, shop: Commerce, world: World
) -> None:
    """Both begin while neither is done: whoever is second sees the first, or is refused."""
    variant = (await add_choice(shop, world, {"red": 100}, units=0))["red"]
    places = [await location(shop, world, 500) for _ in range(2)]
    for place in places:
        async with shop.database.work(SYSTEM) as work:
            await shop.inventory.receive(work, ReceiveStock(location_id=place, variant_id=variant, quantity=5))

    async def give_bins(place: UUID) -> None:
        async with shop.database.work(SYSTEM) as work:
            await shop.warehouse.layout.open(work, OpenWarehouse(location_id=place))

    other = await asyncpg.connect(url)
    async with other.transaction():
        await other.execute(CHANGE, places[0])
        waiting = asyncio.create_task(give_bins(places[0]))
        await asyncio.sleep(0.3)
        assert not waiting.done(), "it waits for the level"
    await waiting
    async with shop.database.work(SYSTEM) as work:
        await shop.warehouse.layout.open(work, OpenWarehouse(location_id=places[1]))
        late = asyncio.create_task(other.execute(CHANGE, places[1]))
        await asyncio.sleep(0.3)
        assert not late.done(), "it waits for the bins"
    with pytest.raises(asyncpg.CheckViolationError):
        await late
    await other.close()
    lying = "select sum(quantity)::bigint from warehouse_bin_stock where location_id = $1"
    assert [await sql.fetchval(lying, place) for place in places] == [6, 5]
    assert await broken(sql) == {}


async def test_two_connections_cannot_hide_a_change_from_each_other(
    sql: asyncpg.Connection, url: str, ground_floor: Floor
) -> None:
    """One raises the level, the other fills the bin: together they would be right, each alone is wrong, and both fail."""
    level, dock = await level_of(sql, ground_floor, "red"), key(ground_floor.bins["DOCK-1"])
    one, two = await asyncpg.connect(url), await asyncpg.connect(url)
    first, second = one.transaction(), two.transaction()
    await first.start()
    await second.start()
    await one.execute("update inventory_levels set on_hand = on_hand + 1 where id = $1", level)
    await two.execute(
        "update warehouse_bin_stock set quantity = quantity + 1 where level_id = $1 and bin_id = $2", level, dock
    )
    for transaction in (first, second):
        with pytest.raises(asyncpg.CheckViolationError):
            await transaction.commit()
    await one.close()
    await two.close()
    assert await ground_floor.lying("red") == {"DOCK-1": 10}
    assert await broken(sql) == {}


async def test_many_pickers_at_once_take_no_unit_twice(
    http: httpx.AsyncClient, sql: asyncpg.Connection, ground_floor: Floor
) -> None:
    ann, north = await signed_in(http, "ann"), ground_floor.north
    orders = [await bought(ann, {ground_floor.variants["red"]: 2}) for _ in range(5)]
    paths = [f"/v1/warehouse/picks/{order['id']}/lines/{order['lines'][0]['id']}" for order in orders]
    answers = await asyncio.gather(*[north.post(path, {"quantity": 1}, None) for path in paths for _ in range(3)])
    assert sorted(answer.status_code for answer in answers) == [204] * 10 + [409] * 5
    assert await ground_floor.lying("red") == {"tote": 10}
    assert await broken(sql) == {}


async def test_bins_are_their_merchants_own(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shop: Commerce, world: World, ground_floor: Floor
) -> None:
    ann, south, support = [await signed_in(http, name) for name in ("ann", "south", "support")]
    before = await sql.fetch("select * from warehouse_bin_stock order by bin_id, level_id")
    for caller, status, code in ((ann, 403, "forbidden"), (south, 404, "warehouse_unknown")):
        await caller.refused("GET", f"{ground_floor.path}/bins", status, code)
    place = {"location_id": public("loc", ground_floor.location)}
    await south.refused("POST", "/v1/warehouse/locations", 404, "not_found", json=place)
    await support.refused("POST", f"{ground_floor.path}/zones", 403, "forbidden", json={"code": "Z"})
    assert await south.get("/v1/warehouse/stock") == []
    assert len(await support.get("/v1/warehouse/stock", params={"sku": ground_floor.skus["red"]})) == 1
    ends = {"from_bin_id": ground_floor.bins["DOCK-1"], "to_bin_id": ground_floor.bins["A1"]}
    move = {"variant_id": public("var", ground_floor.variants["red"]), "quantity": 1, **ends}
    await south.refused("POST", "/v1/warehouse/moves", 404, "bin_unknown", json=move)
    south_alone = shop.identity.principal(south.headers["Authorization"][7:], shop.database.clock())
    async with shop.database.work(south_alone) as work:
        for table in ("warehouses", "warehouse_zones", "warehouse_bins", "warehouse_bin_stock", "warehouse_moves"):
            assert await work.value(f"select count(*) from {table}") == 0, table
    assert await sql.fetch("select * from warehouse_bin_stock order by bin_id, level_id") == before
