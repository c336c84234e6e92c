"""Packages: picked units in boxes, each unit in one, each box of one order."""

from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from commerce.warehouse.errors import PackageClosed
from kernel.auth import SYSTEM
from kernel.ids import new_id, parse, public
from tests.factories.api import Caller, signed_in
from tests.factories.books import broken
from tests.factories.variants import add_choice
from tests.factories.world import World
from tests.order.test_fulfillment import pick, ship
from tests.order.test_items import bought

BOX = {"weight_g": 900, "length_mm": 300, "width_mm": 200, "height_mm": 100}


@pytest.fixture
async def shirt(shop: Commerce, world: World) -> dict[str, UUID]:
    return await add_choice(shop, world, {"red": 2000, "blue": 2000})


async def pack(north: Caller, order: Any, units: dict[str, int], expect: int | None = 201) -> Any:
    lines = [{"order_line_id": line, "quantity": count} for line, count in units.items()]
    return await north.post(f"/v1/warehouse/orders/{order['id']}/packages", {"lines": lines, **BOX}, expect)


async def packed(sql: asyncpg.Connection, order: Any) -> list[int]:
    query = "select packed from warehouse_picking_lines where order_id = $1 order by order_line_id"
    return [row[0] for row in await sql.fetch(query, parse("ord", order["id"]))]


async def events(sql: asyncpg.Connection, kind: str, order: Any) -> int:
    query = "select count(*) from outbox_events where type = $1 and payload->'order_ids' ? $2"
    return await sql.fetchval(query, kind, str(parse("ord", order["id"])))


async def test_picked_units_are_packed_once(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID], settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    order = await bought(ann, {shirt["red"]: 3})
    line = order["lines"][0]["id"]
    assert (await pack(north, order, {line: 1}, None)).json()["code"] == "package_units_not_there"
    await pick(north, order, 2)
    first = await pack(north, order, {line: 2})
    assert first == {
        "id": first["id"],
        "order_id": order["id"],
        "status": "open",
        **BOX,
        "packed_at": first["packed_at"],
        "sent_at": None,
        "lines": [{"order_line_id": line, "sku": order["lines"][0]["sku"], "quantity": 2}],
    }
    assert first["id"].startswith("pkg_")
    assert await events(sql, "OrderPacked", order) == 0
    assert (await pack(north, order, {line: 1}, None)).json()["code"] == "package_units_not_there"
    await pick(north, order, 1)
    second = await pack(north, order, {line: 1})
    assert await events(sql, "OrderPacked", order) == 1
    path = f"/v1/warehouse/orders/{order['id']}/packages"
    assert [found["id"] for found in await north.get(path)] == [first["id"], second["id"]]
    assert await packed(sql, order) == [3]
    await settle()
    assert "OrderPacked" in [event["kind"] for event in await ann.get(f"/v1/orders/{order['id']}/timeline")]
    assert await broken(sql) == {}


async def test_a_package_can_be_undone_until_it_is_sealed(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shop: Commerce, shirt: dict[str, UUID]
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    order = await bought(ann, {shirt["red"]: 2})
    line = order["lines"][0]["id"]
    await pick(north, order, 2)
    first = await pack(north, order, {line: 2})
    undone = await north.post(f"/v1/warehouse/packages/{first['id']}/cancel", expect=200)
    assert (undone["status"], undone["lines"], await packed(sql, order)) == ("cancelled", [], [0])
    await north.refused("POST", f"/v1/warehouse/packages/{first['id']}/cancel", 409, "package_closed")
    second = await pack(north, order, {line: 2})
    sealed = await north.post(f"/v1/warehouse/packages/{second['id']}/seal", expect=200)
    assert (sealed["status"], sealed["lines"][0]["quantity"]) == ("sealed", 2)
    await north.refused("POST", f"/v1/warehouse/packages/{second['id']}/cancel", 409, "package_closed")
    async with shop.database.work(SYSTEM) as work:
        gone = await shop.warehouse.packing.sent(work, parse("pkg", second["id"]))
    assert (gone.status, gone.sent_at is not None, gone.lines[0].quantity) == ("sent", True, 2)
    with pytest.raises(PackageClosed):
        async with shop.database.work(SYSTEM) as work:
            await shop.warehouse.packing.sent(work, parse("pkg", second["id"]))
    assert await packed(sql, order) == [2]


async def test_a_package_holds_lines_of_one_order_also_by_direct_sql(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID]
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    mine, other = await bought(ann, {shirt["red"]: 1}), await bought(ann, {shirt["blue"]: 1})
    for order in (mine, other):
        await pick(north, order, 1)
    lines = [order["lines"][0]["id"] for order in (mine, other)]
    assert (await pack(north, mine, {lines[0]: 1, lines[1]: 1}, None)).json()["code"] == "package_of_one_order"
    assert (await packed(sql, mine), await packed(sql, other)) == ([0], [0])
    assert await north.get(f"/v1/warehouse/orders/{mine['id']}/packages") == []
    package = await pack(north, mine, {lines[0]: 1})
    fill = "insert into warehouse_package_lines (package_id, order_line_id, order_id, quantity) values ($1, $2, $3, 1)"
    found, line = parse("pkg", package["id"]), parse("oln", lines[1])
    with pytest.raises(asyncpg.CheckViolationError) as wrong:
        await sql.execute(fill, found, line, parse("ord", mine["id"]))
    assert wrong.value.constraint_name == "package_of_one_order"
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await sql.execute(fill, found, line, parse("ord", other["id"]))
    with pytest.raises(asyncpg.CheckViolationError) as twice:
        await sql.execute("update warehouse_package_lines set quantity = 2 where package_id = $1", found)
    assert twice.value.constraint_name == "ck_warehouse_picking_lines_packed"
    assert (await packed(sql, mine), await packed(sql, other)) == ([1], [0])


async def test_what_left_without_a_package_is_not_packed_later(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID]
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    order = await bought(ann, {shirt["red"]: 3})
    await pick(north, order, 3)
    await ship(north, order, {0: 2})
    line = order["lines"][0]["id"]
    assert (await pack(north, order, {line: 2}, None)).json()["code"] == "package_units_not_there"
    assert await packed(sql, order) == [0]
    await pack(north, order, {line: 1})
    assert await packed(sql, order) == [1]


async def test_packages_are_the_merchants_own(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID]
) -> None:
    ann, north, south = [await signed_in(http, name) for name in ("ann", "north", "south")]
    order = await bought(ann, {shirt["red"]: 2})
    await pick(north, order, 2)
    line = order["lines"][0]["id"]
    package = await pack(north, order, {line: 1})
    assert (await pack(ann, order, {line: 1}, None)).json()["code"] == "forbidden"
    assert (await pack(south, order, {line: 1}, None)).json()["code"] == "pick_task_unknown"
    await south.refused("GET", f"/v1/warehouse/orders/{order['id']}/packages", 404, "pick_task_unknown")
    for path in (package["id"], public("pkg", new_id())):
        await south.refused("POST", f"/v1/warehouse/packages/{path}/cancel", 404, "package_unknown")
    assert await packed(sql, order) == [1]
