"""Exchanges: another variant of the same product, the difference to or from a named method, each unit once."""

from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.ids import parse, public
from tests.factories.api import signed_in
from tests.factories.books import shelf
from tests.factories.parcels import arrive, send
from tests.factories.world import World
from tests.returns.world import Shirts, asked, books, delivered, inspect, receive, shirts, wish


@pytest.fixture(scope="module")
async def shirt(shop: Commerce, world: World) -> Shirts:
    return await shirts(shop, world)


@pytest.fixture(autouse=True)
async def rules(http: httpx.AsyncClient) -> None:
    admin = await signed_in(http, "admin")
    policy = {"one_per_order": False, "abuse_from": 101}
    await admin.call("PUT", "/v1/return-policies", 204, json=policy)


def swap(order: Any, shirt: Shirts, size: str, quantity: int = 1, **more: Any) -> Any:
    wanted = {0: public("var", shirt.sizes[size])}
    return wish(order, quantity, wanted=wanted, resolution="exchange", **more)


def units(order: Any) -> dict[str, Any]:
    return {"order_line_id": order["lines"][0]["id"], "quantity": 1}


async def card(sql: asyncpg.Connection, world: World) -> str:
    return public("pm", world.cards["ann"])


async def replaced(sql: asyncpg.Connection, request: Any) -> dict[str, Any]:
    """The purchase a replacement became, by everybody's books."""
    row = await sql.fetchrow(
        """
        select g.status, g.total, o.subtotal, o.discount, o.payment_status, i.kind, i.captured,
          (select array_agg(t.status) from warehouse_tasks t where t.group_id = g.id) as picks,
          (select sum(r.quantity)::bigint from inventory_reservations r where r.reference_id = g.id
             and r.status = 'allocated') as units
        from return_requests r join order_groups g on g.id = r.replacement_id join orders o on o.group_id = g.id
        join payment_intents i on i.reference_id = g.id where r.id = $1
        """,
        parse("ret", request["id"]),
    )
    return dict(row) if row else {}


async def test_for_a_variant_that_costs_the_same(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: Shirts, settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    order = await delivered(http, {shirt.sizes["S"]: 1})
    small, medium = await shelf(sql, shirt.sizes["S"]), await shelf(sql, shirt.sizes["M"])
    request = await asked(ann, swap(order, shirt, "M", reason="wrong_size"))
    assert (request["difference"]["amount"], request["replacement_group_id"]) == (0, None)
    assert await shelf(sql, shirt.sizes["M"]) == (medium[0], medium[1] + 1)
    await receive(north, request, 1)
    await inspect(north, request, 1)
    await settle()
    done = await ann.get(f"/v1/returns/{request['id']}")
    assert (done["status"], done["refund_id"]) == ("completed", None)
    assert (done["lines"][0]["exchanged"], done["lines"][0]["refunded"]) == (1, 0)
    assert await shelf(sql, shirt.sizes["S"]) == (small[0] + 1, small[1])
    assert await replaced(sql, request) == {
        "status": "confirmed",
        "total": 0,
        "subtotal": 2000,
        "discount": 2000,
        "payment_status": "paid",
        "kind": "free",
        "captured": 0,
        "picks": ["open"],
        "units": 1,
    }
    shown = await ann.get(f"/v1/order-groups/{done['replacement_group_id']}")
    (replacement,) = shown["orders"]
    assert [line["options"] for line in replacement["lines"]] == [{"Size": "M"}]
    await send(north, replacement)
    await arrive(north, replacement)
    refused = await asked(ann, wish(replacement, 1), None)
    assert (refused.status_code, refused.json()["code"]) == (409, "return_of_exchange")
    assert await books(sql, order) == {"refunded": 0, "sales": 2490, "returned": [1]}


async def test_a_dearer_one_is_paid_by_the_named_card(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: Shirts, settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    order = await delivered(http, {shirt.sizes["S"]: 2})
    nameless = await asked(ann, swap(order, shirt, "L", 2), None)
    assert (nameless.status_code, nameless.json()["code"]) == (409, "exchange_payment_needed")
    request = await asked(ann, swap(order, shirt, "L", 2, payment_method_id=await card(sql, world)))
    assert request["difference"] == {"amount": 1200, "currency": "EUR"}
    assert await sql.fetchval("select count(*) from payment_intents where amount = 1200") == 0
    await receive(north, request, 2)
    await inspect(north, request, 2)
    await settle()
    found = await replaced(sql, request)
    assert (found["total"], found["discount"], found["kind"], found["captured"]) == (1200, 4000, "card", 1200)
    charges = await sql.fetchval(
        "select count(*) from simulator_charges c join simulator_operations o using (reference) "
        "where c.amount = 1200 and o.kind = 'capture' and o.amount = 1200"
    )
    assert charges == 1


async def test_a_cheaper_one_gives_the_difference_back_once(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: Shirts, settle: Any
) -> None:
    ann, north, staff = [await signed_in(http, name) for name in ("ann", "north", "support")]
    order = await delivered(http, {shirt.sizes["S"]: 1, world.variants["mug"]: 1})
    request = await asked(ann, swap(order, shirt, "XS"))
    assert request["difference"]["amount"] == -300
    await receive(north, request, 1)
    await inspect(north, request, 1)
    await settle()
    done = await ann.get(f"/v1/returns/{request['id']}")
    assert (done["status"], done["lines"][0]["exchanged"]) == ("completed", 1)
    assert (await ann.get(f"/v1/refunds/{done['refund_id']}"))["amount"]["amount"] == 300
    assert (await books(sql, order))["refunded"] == 300
    units = [{"order_line_id": order["lines"][0]["id"], "quantity": 1}]
    body = {"order_id": order["id"], "lines": units, "reason": "again"}
    refused = await staff.post("/v1/refunds", body, None, key=str(uuid4()))
    assert (refused.status_code, refused.json()["code"]) == (409, "refund_more_than_paid")
    mug = [{"order_line_id": order["lines"][1]["id"], "quantity": 1}]
    other = await staff.post("/v1/refunds", {**body, "lines": mug}, key=str(uuid4()))
    assert other["amount"]["amount"] == 1500


async def test_a_declined_difference_becomes_a_refund(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: Shirts, settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    poor = await ann.post("/v1/me/payment-methods", {"token": "tok_decline", "last4": "0002"})
    order = await delivered(http, {shirt.sizes["S"]: 1})
    large = await shelf(sql, shirt.sizes["L"])
    request = await asked(ann, swap(order, shirt, "L", payment_method_id=poor["id"]))
    await receive(north, request, 1)
    await inspect(north, request, 1)
    await settle()
    done = await ann.get(f"/v1/returns/{request['id']}")
    assert (done["status"], done["lines"][0]["refunded"], done["lines"][0]["exchanged"]) == ("completed", 1, 0)
    assert await shelf(sql, shirt.sizes["L"]) == large
    assert await replaced(sql, request) == {}
    assert (await books(sql, order))["refunded"] == 2000


async def test_a_gift_card_pays_or_must_cover_it(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: Shirts, settle: Any
) -> None:
    ann, north, admin = [await signed_in(http, name) for name in ("ann", "north", "admin")]
    methods = []
    for amount in (599, 600):
        code = (await admin.post("/v1/gift-cards", {"amount": amount, "currency": "EUR"}))["code"]
        methods.append((await ann.post("/v1/me/payment-methods", {"gift_card_code": code}))["id"])
    order = await delivered(http, {shirt.sizes["S"]: 1})
    short = await asked(ann, swap(order, shirt, "L", payment_method_id=methods[0]), None)
    assert (short.status_code, short.json()["code"]) == (409, "exchange_payment_needed")
    request = await asked(ann, swap(order, shirt, "L", payment_method_id=methods[1]))
    await receive(north, request, 1)
    await inspect(north, request, 1)
    await settle()
    found = await replaced(sql, request)
    assert (found["kind"], found["captured"]) == ("gift_card", 600)
    balances = {m["id"]: m["balance"] for m in await ann.get("/v1/me/payment-methods")}
    assert balances[methods[1]]["amount"] == 0


async def test_only_what_passed_is_exchanged(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: Shirts, settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    order = await delivered(http, {shirt.sizes["S"]: 3})
    medium = await shelf(sql, shirt.sizes["M"])
    request = await asked(ann, swap(order, shirt, "M", 3))
    await receive(north, request, 2, complete=True)
    await inspect(north, request, 1)
    await inspect(north, request, 1, passed=False, condition="used")
    await settle()
    found = await replaced(sql, request)
    assert (found["subtotal"], found["units"]) == (2000, 1)
    assert await shelf(sql, shirt.sizes["M"]) == (medium[0], medium[1] + 1)
    assert (await books(sql, order))["returned"] == [2]


async def test_what_cannot_be_exchanged(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: Shirts, settle: Any
) -> None:
    ann = await signed_in(http, "ann")
    order = await delivered(http, {shirt.sizes["S"]: 101 - 1 - await taken(sql, shirt)})
    other = wish(order, 1, wanted={0: public("var", world.variants["mug"])}, resolution="exchange")
    gone = swap(order, shirt, "S")
    foreign = swap(order, shirt, "L", payment_method_id=public("pm", world.cards["ben"]))
    for body, status, code in (
        (other, 409, "exchange_other_product"),
        (swap(order, shirt, "M") | {"resolution": "refund"}, 422, "exchange_replacement"),
        (foreign, 409, "exchange_payment_needed"),
        (gone, 409, "insufficient_stock"),
    ):
        refused = await asked(ann, body, None)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert (
        await sql.fetchval("select count(*) from return_requests where order_id = $1", parse("ord", order["id"])) == 0
    )


async def taken(sql: asyncpg.Connection, shirt: Shirts) -> int:
    """Units of size S that are no longer there to be sold."""
    on_hand, allocated = await shelf(sql, shirt.sizes["S"])
    return 100 - on_hand + allocated


async def test_taking_it_back_frees_the_replacement(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: Shirts, settle: Any
) -> None:
    ann = await signed_in(http, "ann")
    medium = await shelf(sql, shirt.sizes["M"])
    order = await delivered(http, {shirt.sizes["M"]: 1})
    request = await asked(ann, swap(order, shirt, "M"))
    await ann.post(f"/v1/returns/{request['id']}/cancel", None, 200, key=str(uuid4()))
    await settle()
    assert await shelf(sql, shirt.sizes["M"]) == (medium[0] - 1, medium[1])
    assert (await ann.get(f"/v1/returns/{request['id']}"))["status"] == "cancelled"
