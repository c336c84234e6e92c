"""Nobody sees or touches what is not theirs: by the repository, by row-level security alone, and at every route."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from sqlalchemy import true

from commerce.app import Commerce
from kernel.auth import ANONYMOUS, SYSTEM, Principal
from kernel.ids import parse
from kernel.repository import Repository
from tests.factories.api import guest, signed_in
from tests.factories.world import ADDRESS, World

WALLED = {
    "customers": 0, "customer_addresses": 0, "payment_methods": 0, "payment_intents": 0, "order_groups": 0, "orders": 0,
    "order_lines": 0, "order_addresses": 0, "order_cancellations": 0, "order_timeline_events": 0, "carts": 0,
    "cart_lines": 0, "cart_adjustments": 0, "checkout_sessions": 0, "notifications": 0, "warehouse_tasks": 0,
    "warehouse_picking_lines": 0, "email_messages": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
async def bought(http: httpx.AsyncClient, world: World, settle: Any) -> dict[str, Any]:
    """Ann has bought, cancelled and left a cart with a coupon: every walled table has rows of hers."""
    ann = await signed_in(http, "ann")
    group = await ann.checkout(await ann.cart({world.variants["mug"]: 1}))
    second = await ann.checkout(await ann.cart({world.variants["mug"]: 1}))
    order = second["orders"][0]["id"]
    await ann.post(f"/v1/orders/{order}/cancel", {"reason": "no longer needed"}, 200, key="c")
    cart = await ann.cart({world.variants["lamp"]: 1})
    await ann.post(f"/v1/carts/{cart}/coupons", {"code": "TEN"})
    await settle()
    return {"group": group, "cart": cart, "order": group["orders"][0]["id"]}


def strangers(world: World) -> dict[str, Principal]:
    everything = frozenset({"*"})
    return {
        "another customer": Principal(permissions=everything, customer_id=world.customers["ben"]),
        "another merchant": Principal(permissions=everything, merchant_ids=(world.merchants["south"],)),
        "a guest": Principal(permissions=everything, guest_key=b"x" * 32),
        "nobody": replace(ANONYMOUS, permissions=everything),
    }


async def test_row_level_security_alone_shows_nothing_foreign(
    shop: Commerce, sql: asyncpg.Connection, world: World, bought: dict[str, Any]
) -> None:
    """Plain SELECTs without any filter, as each stranger, find no row of Ann's or of Ann's merchant."""
    for table in WALLED:
        assert await sql.fetchval(f"select count(*) from {table}"), f"the test needs rows in {table}"
    own = {
        "another customer": {"customers", "customer_addresses", "payment_methods"},
        "another merchant": set(),
        "a guest": set(),
        "nobody": set(),
    }
    for name, stranger in strangers(world).items():
        async with shop.database.work(stranger) as work:
            for table in WALLED:
                found = await work.value(f"select count(*) from {table}")
                assert found == (1 if table in own[name] else 0), (name, table)


async def test_every_table_with_an_owner_is_walled(sql: asyncpg.Connection) -> None:
    """A table with a customer, a guest or a personal column has row-level security, forced."""
    rows = await sql.fetch(
        "select distinct c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid "
        "where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition "
        "and a.attname in ('customer_id', 'guest_key') and not a.attisdropped "
        "and not (c.relrowsecurity and c.relforcerowsecurity)"
    )
    assert {row["relname"] for row in rows} == {"users"}, "users are read by the system alone, before anybody is known"


async def test_services_stay_blind_without_the_repository_filter(
    shop: Commerce, world: World, bought: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Repository, "visible_to", lambda self, principal: true())
    for stranger in strangers(world).values():
        async with shop.database.work(stranger) as work:
            assert (await shop.order.page(work)).items == []
            assert await shop.order.orders_of(work, parse("grp", bought["group"]["id"])) == []
            assert await shop.payment.intent_of(work, parse("grp", bought["group"]["id"])) is None


async def test_a_write_cannot_reach_a_foreign_row(
    shop: Commerce, sql: asyncpg.Connection, world: World, bought: dict[str, Any]
) -> None:
    """UPDATE and DELETE without a filter touch nothing of Ann's."""
    before = await sql.fetch("select * from orders order by id")
    async with shop.database.work(strangers(world)["a guest"]) as work:
        assert await work.run("update orders set status = 'cancelled'") == 0
        assert await work.run("delete from carts") == 0
        assert await work.run("update payment_intents set captured = 0") == 0
    assert await sql.fetch("select * from orders order by id") == before


async def test_append_only_tables_cannot_be_changed_by_the_application(shop: Commerce) -> None:
    for table in ("ledger_entries", "payment_transactions", "inventory_movements", "audit_log", "price_history"):
        for statement in (f"update {table} set at = at", f"delete from {table}"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with shop.database.work(SYSTEM) as work:
                    await work.run(statement)


async def test_foreign_objects_are_missing_objects(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, bought: dict[str, Any]
) -> None:
    """Own, foreign and missing differ in nothing but the first: 404 with the same code for both others."""
    group, order, cart = bought["group"]["id"], bought["order"], bought["cart"]
    line = (await (await signed_in(http, "ann")).get(f"/v1/carts/{cart}"))["lines"][0]["id"]
    before = await sql.fetchval("select count(*) from saga_instances")
    address = {"address": ADDRESS}
    pay = {"shipping_address": ADDRESS, "payment_token": "tok_success"}
    calls = [
        ("GET", f"/v1/order-groups/{group}", "order_not_found", {}),
        ("GET", f"/v1/order-groups/{group}/events", "order_not_found", {}),
        ("GET", f"/v1/orders/{order}", "order_not_found", {}),
        ("GET", f"/v1/orders/{order}/timeline", "order_not_found", {}),
        ("POST", f"/v1/orders/{order}/cancel", "order_not_found", {"json": {"reason": "other"}, "key": "1"}),
        ("POST", f"/v1/orders/{order}/address", "order_not_found", {"json": address, "key": "2"}),
        ("GET", f"/v1/carts/{cart}", "cart_unknown", {}),
        ("PATCH", f"/v1/carts/{cart}", "cart_unknown", {"json": {"email": "x@demo.test"}}),
        ("PATCH", f"/v1/carts/{cart}/lines/{line}", "cart_unknown", {"json": {"quantity": 2}}),
        ("DELETE", f"/v1/carts/{cart}/lines/{line}", "cart_unknown", {}),
        ("DELETE", f"/v1/carts/{cart}/coupons/TEN", "cart_unknown", {}),
        ("POST", f"/v1/carts/{cart}/checkout", "cart_unknown", {"json": pay, "key": "3"}),
    ]
    ben = await signed_in(http, "ben")
    stray = guest(http)
    stray.headers["X-Cart-Token"] = "somebody-else"
    for caller in (ben, stray):
        for method, path, code, more in calls:
            foreign = await caller.refused(method, path, 404, code, **more)
            missing_path = path.replace(path.split("/")[3], path.split("/")[3][:4] + uuid4().hex)
            missing = await caller.refused(method, missing_path, 404, code, **more)
            assert foreign["detail"] == missing["detail"]
    assert await sql.fetchval("select count(*) from saga_instances") == before


async def test_each_role_meets_its_limits(http: httpx.AsyncClient, world: World, bought: dict[str, Any]) -> None:
    ann, north, support = await signed_in(http, "ann"), await signed_in(http, "north"), await signed_in(http, "support")
    south = await signed_in(http, "south")
    await guest(http).refused("GET", "/v1/me", 401, "unauthenticated")
    await guest(http).refused("GET", "/v1/sagas", 401, "unauthenticated")
    for path in ("/v1/sagas", "/v1/merchants", "/v1/merchant/orders", "/v1/merchant/stock", "/v1/warehouse/picks"):
        await ann.refused("GET", path, 403, "forbidden")
    await north.refused("GET", "/v1/sagas", 403, "forbidden")
    await support.refused("POST", "/v1/gift-cards", 403, "forbidden", json={"amount": 1, "currency": "EUR"})
    assert (await support.get(f"/v1/orders/{bought['order']}"))["id"] == bought["order"]
    assert bought["order"] in [order["id"] for order in (await north.get("/v1/merchant/orders"))["items"]]
    sold = (await north.get("/v1/merchant/orders"))["items"][0]
    assert [line["sku"] for line in sold["lines"]] == ["MUG"]
    assert "shipping_address" not in sold or sold["shipping_address"] is None
    assert (await south.get("/v1/merchant/orders"))["items"] == []
    mine = {row["variant_id"] for row in (await south.get("/v1/merchant/stock"))["items"]}
    assert mine == {f"var_{world.variants[name].hex}" for name in ("plate", "rug")}


async def test_a_merchant_manages_its_own_and_no_other_stock_and_prices(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    south, north = await signed_in(http, "south"), await signed_in(http, "north")
    level: UUID = await sql.fetchval("select id from inventory_levels where variant_id = $1", world.variants["mug"])
    body = {"quantity": -1, "reason": "broken in transit"}
    await south.refused("POST", f"/v1/merchant/stock/lvl_{level.hex}/adjust", 404, "not_found", json=body)
    await north.post(f"/v1/merchant/stock/lvl_{level.hex}/adjust", body, 204)
    price = {"variant_id": f"var_{world.variants['chair'].hex}", "channel": "web", "minor": 1}
    await south.refused("PUT", "/v1/prices", 404, "product_unknown", json=price)
    assert await sql.fetchval("select min(minor) from prices where variant_id = $1", world.variants["chair"]) == 19900


async def test_a_suspended_merchant_sells_nothing_at_once(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    admin, ann = await signed_in(http, "admin"), await signed_in(http, "ann")
    cart = await ann.cart({world.variants["plate"]: 1})
    await admin.post(f"/v1/merchants/mer_{world.merchants['south'].hex}/suspend", {}, 200)
    answer = await ann.checkout(cart, expect=None)
    assert (answer.status_code, answer.json()["code"]) == (409, "variant_not_for_sale")
    await settle()
    names = {product["name"] for product in (await ann.get("/v1/products"))["items"]}
    assert "Plate" not in names
    assert "Mug" in names
