"""Orders on their way: never more sent than ordered, stock leaves with the parcel, delivered when all has arrived."""

from typing import Any
from uuid import UUID

import asyncpg
import httpx

from commerce.app import Commerce
from kernel.auth import SYSTEM
from kernel.ids import parse
from tests.factories.api import signed_in
from tests.factories.books import shelf
from tests.factories.parcels import arrive, send
from tests.factories.world import World


async def bought(http: httpx.AsyncClient, lines: dict[UUID, int], name: str = "ann") -> Any:
    buyer = await signed_in(http, name)
    group = await buyer.checkout(await buyer.cart(lines))
    return group["orders"][0]


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
    on_hand, allocated = await shelf(sql, variant)
    order = await bought(http, {variant: 3})
    assert await shelf(sql, variant) == (on_hand, allocated + 3)
    first = await send(north, order, {0: 2})
    assert [(line["line_id"], line["quantity"]) for line in first["lines"]] == [(order["lines"][0]["id"], 2)]
    assert await counts(sql, order) == [("partially_shipped", "partially_shipped"), (2, 0, 0)]
    assert await shelf(sql, variant) == (on_hand - 2, allocated + 1)
    await arrive(north, order, shipment_id=first["id"])
    assert (await counts(sql, order))[0][0] == "partially_shipped"
    await send(north, order, {0: 1})
    assert (await counts(sql, order))[0] == ("shipped", "shipped")
    assert await shelf(sql, variant) == (on_hand - 3, allocated)
    both = await arrive(north, order)
    assert [parcel["status"] for parcel in both] == ["delivered", "delivered"]
    assert (await ann.get(f"/v1/orders/{order['id']}"))["status"] == "delivered"
    parcels = await ann.get(f"/v1/orders/{order['id']}/shipments")
    assert [parcel["id"] for parcel in parcels] == [parcel["id"] for parcel in both]
    await settle()
    history = [entry["kind"] for entry in await ann.get(f"/v1/orders/{order['id']}/timeline")]
    sent = [kind for kind in history if kind in ("OrderShipped", "OrderDelivered")]
    assert sent == ["OrderShipped", "OrderShipped", "OrderDelivered"]
    tasks = await sql.fetchval("select status from warehouse_tasks where order_id = $1", parse("ord", order["id"]))
    assert tasks == "done"


async def test_illegal_moves_change_nothing(http: httpx.AsyncClient, sql: asyncpg.Connection, world: World) -> None:
    north, south, ann = [await signed_in(http, name) for name in ("north", "south", "ann")]
    order = await bought(http, {world.variants["mug"]: 1})
    nothing = await arrive(north, order, None)
    assert (nothing.status_code, nothing.json()["code"]) == (404, "shipment_unknown")
    await send(north, order)
    for caller, status, code in ((south, 404, "order_not_found"), (ann, 403, "forbidden")):
        refused = await arrive(caller, order, None)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert await counts(sql, order) == [("shipped", "shipped"), (1, 0, 0)]
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
    await send(await signed_in(http, "north"), order)
    refused = await arrive(await signed_in(http, "ben"), order, None)
    assert (refused.status_code, refused.json()["code"]) == (404, "order_not_found")
    assert await counts(sql, order) == [("shipped", "shipped"), (1, 0, 0)]
