"""An order leaves the house by plan: from where its stock is, parcel by parcel, never a unit more than was picked."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from commerce.inventory.schemas import CreateLocation, ReceiveStock
from kernel.auth import SYSTEM
from kernel.ids import new_id, parse, public
from tests.factories.api import Caller, signed_in
from tests.factories.books import broken
from tests.factories.variants import add_choice
from tests.factories.world import World
from tests.order.test_items import bought, change, wish


@pytest.fixture
async def shirt(shop: Commerce, world: World) -> dict[str, UUID]:
    return await add_choice(shop, world, {"red": 2000, "blue": 2000, "gold": 3500})


async def second_location(shop: Commerce, world: World, variant: UUID, units: int) -> UUID:
    """Another place of the same merchant that has the variant; the first place gives its units up."""
    async with shop.database.work(SYSTEM) as work:
        location = await shop.inventory.create_location(
            work,
            CreateLocation(
                merchant_id=world.merchants["north"], code=f"b-{new_id().hex[-6:]}", name="back store", country="DE"
            ),
        )
        command = ReceiveStock(location_id=location, variant_id=variant, quantity=units)
        await shop.inventory.receive(work, command)
        level = await work.value(
            "select id from inventory_levels where variant_id = $1 and location_id = $2",
            *(variant, world.locations["north"]),
        )
        await work.run("update inventory_levels set safety_stock = 10 where id = $1", level)
    return location


async def pick(north: Caller, order: Any, quantity: int, line: int = 0) -> None:
    path = f"/v1/warehouse/picks/{order['id']}/lines/{order['lines'][line]['id']}"
    assert (await north.post(path, {"quantity": quantity}, None)).status_code == 204


async def ship(north: Caller, order: Any, units: dict[int, int], expect: int | None = 201, **more: Any) -> Any:
    lines = [{"line_id": order["lines"][i]["id"], "quantity": n} for i, n in units.items()]
    return await north.post(f"/v1/orders/{order['id']}/shipments", {"lines": lines, **more}, expect, key=str(uuid4()))


async def level(sql: asyncpg.Connection, variant: UUID) -> tuple[int, int]:
    row = await sql.fetchrow(
        "select sum(on_hand)::bigint as on_hand, sum(allocated)::bigint as allocated from inventory_levels where variant_id = $1",
        variant,
    )
    return row["on_hand"], row["allocated"]


async def test_an_order_is_shipped_in_two_parcels(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: dict[str, UUID], settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    order = await bought(ann, {shirt["red"]: 3})
    plan = await north.post(f"/v1/orders/{order['id']}/plan", {}, 200, key=str(uuid4()))
    assert plan["unplanned"] == 0
    (part,) = plan["parts"]
    assert (part["location_id"], part["lines"][0]["quantity"]) == (public("loc", world.locations["north"]), 3)
    assert (await ship(north, order, {0: 1}, None)).json()["code"] == "order_units_not_there"
    await pick(north, order, 2)
    assert (await ship(north, order, {0: 3}, None)).json()["code"] == "order_units_not_there"
    parcel = await ship(north, order, {0: 2}, carrier="POST", tracking_number="T1")
    assert (parcel["lines"][0]["quantity"], parcel["tracking_number"]) == (2, "T1")
    shown = await ann.get(f"/v1/orders/{order['id']}")
    assert (shown["status"], shown["fulfillment_status"], shown["lines"][0]["shipped"]) == (
        *("partially_shipped", "partially_shipped"),
        2,
    )
    assert await level(sql, shirt["red"]) == (8, 1)
    assert await broken(sql) == {}
    up = wish(order, shirt["red"], shirt["blue"])
    path = f"/v1/orders/{order['id']}/lines"
    await ann.refused("POST", path, 409, "order_not_changeable", json=up, key=str(uuid4()))
    await pick(north, order, 1)
    await ship(north, order, {0: 1})
    shown = await ann.get(f"/v1/orders/{order['id']}")
    assert (shown["status"], shown["lines"][0]["shipped"]) == ("shipped", 3)
    assert (await ship(north, order, {0: 1}, None)).json()["code"] == "order_not_shippable"
    assert await level(sql, shirt["red"]) == (7, 0)
    parcels = await ann.get(f"/v1/orders/{order['id']}/shipments")
    assert [line["quantity"] for found in parcels for line in found["lines"]] == [2, 1]
    await settle()
    kinds = [event["kind"] for event in await ann.get(f"/v1/orders/{order['id']}/timeline")]
    assert kinds.count("OrderShipped") == 2
    assert await broken(sql) == {}


async def test_an_order_from_two_locations_is_split_and_changes_with_its_items(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shop: Commerce, world: World, shirt: dict[str, UUID], settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    back = await second_location(shop, world, shirt["gold"], 5)
    order = await bought(ann, {shirt["red"]: 1, shirt["gold"]: 2})
    path = f"/v1/orders/{order['id']}"
    plan = await north.post(f"{path}/plan", {}, 200, key=str(uuid4()))
    assert {part["location_id"]: part["lines"][0]["quantity"] for part in plan["parts"]} == {
        public("loc", world.locations["north"]): 1,
        public("loc", back): 2,
    }
    splits = "select units from order_splits where order_id = $1 order by units"
    assert [row[0] for row in await sql.fetch(splits, parse("ord", order["id"]))] == [1, 2]
    await settle()
    assert "OrderSplit" in [event["kind"] for event in await ann.get(f"{path}/timeline")]
    gold = next(i for i, line in enumerate(order["lines"]) if line["variant_id"] == public("var", shirt["gold"]))
    await pick(north, order, 2, gold)
    await pick(north, order, 1, 1 - gold)
    assert (await ship(north, order, {0: 1, 1: 1}, None)).json()["code"] == "order_units_not_there"
    parcel = await ship(north, order, {gold: 2})
    assert parcel["location_id"] == public("loc", back)
    assert await level(sql, shirt["gold"]) == (13, 0)
    other = await bought(ann, {shirt["red"]: 1, shirt["gold"]: 1})
    await north.post(f"/v1/orders/{other['id']}/plan", {}, 200, key=str(uuid4()))
    down = wish(other, shirt["gold"], shirt["blue"])
    assert (await change(ann, other, down))["change"]["status"] == "applied"
    assert (await north.get(f"/v1/orders/{other['id']}/plan"))["parts"] == []
    plan = await north.post(f"/v1/orders/{other['id']}/plan", {}, 200, key=str(uuid4()))
    assert [part["location_id"] for part in plan["parts"]] == [public("loc", world.locations["north"])]
    assert await sql.fetch(splits, parse("ord", other["id"])) == []
    assert await broken(sql) == {}


async def test_who_may_not_ships_nothing(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID]
) -> None:
    ann, north, south = [await signed_in(http, name) for name in ("ann", "north", "south")]
    order = await bought(ann, {shirt["red"]: 1})
    await pick(north, order, 1)
    before = await level(sql, shirt["red"])
    assert (await ship(ann, order, {0: 1}, None)).json()["code"] == "forbidden"
    assert (await ship(south, order, {0: 1}, None)).json()["code"] == "order_not_found"
    await north.post(f"/v1/orders/{order['id']}/hold", {"reason": "wait"}, 200, key=str(uuid4()))
    assert (await ship(north, order, {0: 1}, None)).json()["code"] == "order_on_hold"
    await north.post(f"/v1/orders/{order['id']}/release", {}, 200, key=str(uuid4()))
    assert await level(sql, shirt["red"]) == before
    assert (
        await sql.fetchval(
            "select count(*) from order_partial_shipments where order_id = $1", parse("ord", order["id"])
        )
        == 0
    )
    await ship(north, order, {0: 1})
    with pytest.raises(asyncpg.CheckViolationError):
        await sql.execute("update order_lines set shipped = 2 where order_id = $1", parse("ord", order["id"]))


async def test_a_channel_that_charges_at_shipment_charges_with_the_first_parcel(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shop: Commerce, shirt: dict[str, UUID], settle: Any
) -> None:
    admin, ann, north = [await signed_in(http, name) for name in ("admin", "ann", "north")]
    await admin.call("PUT", "/v1/channels/web/policy", 200, json={"capture": "at_shipment"})
    group = await ann.checkout(await ann.cart({shirt["red"]: 2}))
    await admin.call("PUT", "/v1/channels/web/policy", 200, json={})
    order = group["orders"][0]
    assert (group["payment"]["status"], order["payment_status"]) == ("authorised", "authorised")
    up = wish(order, shirt["red"], shirt["blue"])
    path = f"/v1/orders/{order['id']}/lines"
    await ann.refused("POST", path, 409, "payment_not_settled", json=up, key=str(uuid4()))
    await pick(north, order, 2)
    for _ in range(2):
        await ship(north, order, {0: 1})
        await settle()
        await sql.execute("update saga_instances set due_at = now() where kind = 'capture' and status = 'running'")
        await settle()
    shown = await ann.get(f"/v1/order-groups/{group['id']}")
    assert (shown["payment"]["status"], shown["orders"][0]["payment_status"]) == ("captured", "paid")
    charged = await sql.fetch(
        "select o.amount from simulator_operations o join simulator_charges c using (reference) "
        "where o.kind = 'capture' and c.description = $1",
        group["id"][4:],
    )
    assert [row[0] for row in charged] == [4490]
    assert await broken(sql) == {}
