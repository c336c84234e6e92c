"""Orders on their way: never more sent than ordered, stock leaves with the parcel, delivered when all has arrived."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.auth import SYSTEM
from kernel.ids import parse
from tests.factories.api import Caller, signed_in
from tests.factories.world import World


async def bought(http: httpx.AsyncClient, lines: dict[UUID, int], name: str = "ann") -> Any:
    buyer = await signed_in(http, name)
    group = await buyer.checkout(await buyer.cart(lines))
    return group["orders"][0]


async def ship(caller: Caller, order: Any, units: dict[int, int], expect: int | None = 201) -> Any:
    lines = [{"order_line_id": order["lines"][i]["id"], "quantity": n} for i, n in units.items()]
    body = {"lines": lines, "tracking": "T1"}
    return await caller.post(f"/v1/orders/{order['id']}/dispatches", body, expect, key=str(uuid4()))


async def arrive(caller: Caller, order: Any, expect: int | None = 200, **body: Any) -> Any:
    return await caller.post(f"/v1/orders/{order['id']}/delivered", body, expect, key=str(uuid4()))


async def stock(sql: asyncpg.Connection, variant: UUID) -> tuple[int, int]:
    """On hand and allocated; the movements must say the same."""
    level = await sql.fetchrow("select * from inventory_levels where variant_id = $1", variant)
    moved = await sql.fetchrow(
        "select sum(on_hand) as on_hand, sum(allocated) as allocated from inventory_movements where level_id = $1",
        level["id"],
    )
    assert (level["on_hand"], level["allocated"]) == (moved["on_hand"], moved["allocated"])
    return level["on_hand"], level["allocated"]


async def counts(sql: asyncpg.Connection, order: Any) -> list[Any]:
    order_id = parse("ord", order["id"])
    rows = await sql.fetch(
        "select shipped, cancelled, returned from order_lines where order_id = $1 order by id", order_id
    )
    status = await sql.fetchrow("select status, fulfillment_status from orders where id = $1", order_id)
    return [tuple(status), *(tuple(row) for row in rows)]


async def test_units_leave_in_parcels_until_all_have_arrived(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    north, ann = await signed_in(http, "north"), await signed_in(http, "ann")
    variant = world.variants["mug"]
    on_hand, allocated = await stock(sql, variant)
    order = await bought(http, {variant: 3})
    assert await stock(sql, variant) == (on_hand, allocated + 3)
    (first,) = await ship(north, order, {0: 2})
    assert first["lines"] == [{"order_line_id": order["lines"][0]["id"], "quantity": 2}]
    assert await counts(sql, order) == [("partially_shipped", "partially_shipped"), (2, 0, 0)]
    assert await stock(sql, variant) == (on_hand - 2, allocated + 1)
    await arrive(north, order, shipment_id=first["id"])
    assert (await counts(sql, order))[0][0] == "partially_shipped"
    await ship(north, order, {0: 1})
    assert (await counts(sql, order))[0] == ("shipped", "shipped")
    assert await stock(sql, variant) == (on_hand - 3, allocated)
    both = await arrive(north, order)
    assert [parcel["status"] for parcel in both] == ["delivered", "delivered"]
    assert (await ann.get(f"/v1/orders/{order['id']}"))["status"] == "delivered"
    assert await ann.get(f"/v1/orders/{order['id']}/dispatches") == both
    await settle()
    history = [entry["kind"] for entry in await ann.get(f"/v1/orders/{order['id']}/timeline")]
    assert history[-3:] == ["OrderShipped", "OrderShipped", "OrderDelivered"]
    tasks = await sql.fetchval("select status from warehouse_tasks where order_id = $1", parse("ord", order["id"]))
    assert tasks == "done"


@pytest.mark.parametrize(
    ("units", "status", "code"),
    [({0: 4}, 409, "order_shipped_too_many"), ({0: 1, 1: 1}, 404, "order_line_unknown")],
)
async def test_what_cannot_be_sent_is_not(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, units: dict[int, int], status: int, code: str
) -> None:
    north = await signed_in(http, "north")
    order = await bought(http, {world.variants["pen"]: 3})
    other = await bought(http, {world.variants["lamp"]: 1})
    before = await counts(sql, order), await stock(sql, world.variants["pen"])
    both = {**order, "lines": [*order["lines"], *other["lines"]]}
    refused = await ship(north, both, units, None)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert (await counts(sql, order), await stock(sql, world.variants["pen"])) == before


async def test_illegal_moves_change_nothing(http: httpx.AsyncClient, sql: asyncpg.Connection, world: World) -> None:
    north, south, ann = [await signed_in(http, name) for name in ("north", "south", "ann")]
    order = await bought(http, {world.variants["mug"]: 1})
    nothing = await arrive(north, order, None)
    assert (nothing.status_code, nothing.json()["code"]) == (404, "shipment_unknown")
    for caller, status, code in ((south, 404, "order_not_found"), (ann, 403, "forbidden")):
        refused = await ship(caller, order, {0: 1}, None)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert await counts(sql, order) == [("confirmed", "picking"), (0, 0, 0)]
    await ship(north, order, {0: 1})
    again = await ship(north, order, {0: 1}, None)
    assert (again.status_code, again.json()["code"]) == (409, "order_state")
    await arrive(north, order)
    done = await counts(sql, order)
    cancel = await ann.call("POST", f"/v1/orders/{order['id']}/cancel", json={"reason": "no longer needed"}, key="k1")
    assert (cancel.status_code, cancel.json()["code"]) == (409, "order_not_cancellable")
    twice = await arrive(north, order, None)
    assert (twice.status_code, twice.json()["code"]) == (404, "shipment_unknown")
    assert await counts(sql, order) == done == [("delivered", "delivered"), (1, 0, 0)]


async def test_a_purchase_of_ones_own_elsewhere_is_not_ones_to_send(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    """Ben is a customer and a member of south; what he buys at north's he sees, and cannot send."""
    async with shop.database.work(SYSTEM) as work:
        user = await work.value("select id from users where email = 'ben@demo.test'")
        await shop.merchant.add_member(work, world.merchants["south"], user)
    order = await bought(http, {world.variants["mug"]: 1}, "ben")
    refused = await ship(await signed_in(http, "ben"), order, {0: 1}, None)
    assert (refused.status_code, refused.json()["code"]) == (404, "order_not_found")
    assert await counts(sql, order) == [("confirmed", "picking"), (0, 0, 0)]
