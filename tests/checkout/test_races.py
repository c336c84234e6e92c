"""What many do at once: nothing is sold twice, one key is one order."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.auth import SYSTEM
from kernel.ids import public
from tests.conftest import opened, served
from tests.factories.api import guest, signed_in
from tests.factories.world import ADDRESS, World, add_product


async def scarce(shop: Commerce, world: World, name: str, units: int) -> Any:
    async with shop.database.work(SYSTEM) as work:
        return await add_product(shop, work, world.merchants["south"], world.locations["south"], name, 900, units=units)


async def race(http: httpx.AsyncClient, variant: Any, buyers: int) -> list[int]:
    """Each buyer has a cart of their own with one unit, and all check out at once; the answers' status codes."""
    carts = []
    for _ in range(buyers):
        buyer = guest(http)
        carts.append((buyer, await buyer.cart({variant: 1}, email="gil@demo.test")))
    answers = await asyncio.gather(*(buyer.checkout(cart, expect=None) for buyer, cart in carts))
    return [answer.status_code for answer in answers]


async def sold(sql: asyncpg.Connection, variant: Any) -> tuple[int, int, int]:
    """Units on hand, promised units, and units in confirmed orders."""
    level = await sql.fetchrow(
        "select on_hand, reserved + allocated as promised from inventory_levels where variant_id = $1", variant
    )
    ordered = await sql.fetchval(
        "select coalesce(sum(quantity), 0) from order_lines l join orders o on o.id = l.order_id "
        "where variant_id = $1 and o.status = 'confirmed'",
        variant,
    )
    return level["on_hand"], level["promised"], ordered


async def test_a_thousand_buyers_and_a_hundred_units(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    variant = await scarce(shop, world, "hot", 100)
    deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
    before = await sql.fetchval(deadlocks)
    codes = await race(http, variant, 1000)
    assert (codes.count(201), codes.count(409)) == (100, 900)
    await settle()
    assert await sold(sql, variant) == (100, 100, 100)
    assert await sql.fetchval(deadlocks) == before


async def test_two_items_wanted_in_opposite_order_do_not_deadlock(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    one, two = await scarce(shop, world, "left", 30), await scarce(shop, world, "right", 30)
    carts = []
    for n in range(80):
        buyer = guest(http)
        pair = {one: 1, two: 1} if n % 2 else {two: 1, one: 1}
        carts.append((buyer, await buyer.cart(pair, email="gil@demo.test")))
    answers = await asyncio.gather(*(buyer.checkout(cart, expect=None) for buyer, cart in carts))
    codes = [answer.status_code for answer in answers]
    assert (codes.count(201), codes.count(409)) == (30, 50)
    await settle()
    assert await sold(sql, one) == await sold(sql, two) == (30, 30, 30)


async def test_a_thousand_posts_of_one_key_are_one_order_also_after_a_restart(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, url: str
) -> None:
    variant = await scarce(shop, world, "single", 5)
    buyer = guest(http)
    cart = await buyer.cart({variant: 1}, email="gil@demo.test")
    key = str(uuid4())
    answers = await asyncio.gather(*(buyer.checkout(cart, expect=None, key=key) for _ in range(1000)))
    assert {answer.status_code for answer in answers} == {201}
    bodies = {json.dumps(answer.json(), sort_keys=True) for answer in answers}
    async with opened(url) as other, served(other) as restarted:
        again = guest(restarted)
        again.headers = buyer.headers
        bodies.add(json.dumps((await again.checkout(cart, expect=None, key=key)).json(), sort_keys=True))
    assert len(bodies) == 1
    assert await sold(sql, variant) == (5, 1, 1)
    charges = "select count(*) from simulator_charges where description = $1"
    assert await sql.fetchval(charges, json.loads(bodies.pop())["id"].removeprefix("grp_")) == 1
    other_request = {"json": {"shipping_address": ADDRESS, "payment_token": "tok_success_other"}, "key": key}
    await buyer.refused("POST", f"/v1/carts/{cart}/checkout", 422, "idempotency_key_reused", **other_request)


async def test_an_answer_that_was_never_stored_is_rendered_by_the_repetition(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process died between its commit and its answer: the same key still gets the order."""
    monkeypatch.setattr("commerce.gateway.service.WAIT_FOR_FIRST", 0.0)
    buyer = guest(http)
    cart = await buyer.cart({world.variants["pen"]: 1}, email="gil@demo.test")
    first = await buyer.checkout(cart, key="lost")
    await sql.execute("update gateway_idempotency_keys set status = null, body = null where key = 'lost'")
    again = await buyer.checkout(cart, key="lost")
    assert again == first


async def test_the_last_coupon_is_redeemed_once(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    carts = []
    for _ in range(20):
        buyer = guest(http)
        cart = await buyer.cart({world.variants["mug"]: 1}, email="gil@demo.test")
        await buyer.post(f"/v1/carts/{cart}/coupons", {"code": "LAST"})
        carts.append((buyer, cart))
    answers = await asyncio.gather(*(buyer.checkout(cart, expect=None) for buyer, cart in carts))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"coupon_used_up"}
    assert await sql.fetchval("select used from promotion_coupons where code = 'LAST'") == 1


async def test_a_gift_card_is_not_spent_twice(http: httpx.AsyncClient, sql: asyncpg.Connection, world: World) -> None:
    admin, ann = await signed_in(http, "admin"), await signed_in(http, "ann")
    card = await admin.post("/v1/gift-cards", {"amount": 1990, "currency": "EUR"})
    method = await ann.post("/v1/me/payment-methods", {"gift_card_code": card["code"]})
    carts = [await ann.cart({world.variants["mug"]: 1}) for _ in range(8)]
    pay = {"payment_token": None, "payment_method_id": method["id"]}
    answers = await asyncio.gather(*(ann.checkout(cart, expect=None, **pay) for cart in carts))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    shown = await ann.get("/v1/me/payment-methods")
    assert [m["balance"]["amount"] for m in shown if m["id"] == method["id"]] == [0]


async def test_what_is_added_to_a_cart_at_once_is_all_in_it(http: httpx.AsyncClient, world: World) -> None:
    buyer = guest(http)
    cart = await buyer.cart({world.variants["mug"]: 1})
    names = ("mug", "lamp", "mug", "chair", "mug", "lamp")
    adds = [{"variant_id": public("var", world.variants[name]), "quantity": 1} for name in names]
    answers = await asyncio.gather(*(buyer.call("POST", f"/v1/carts/{cart}/lines", json=body) for body in adds))
    assert [answer.status_code for answer in answers] == [201] * len(adds)
    lines = {line["variant_id"]: line["quantity"] for line in (await buyer.get(f"/v1/carts/{cart}"))["lines"]}
    assert lines == {public("var", world.variants[name]): n for name, n in (("mug", 4), ("lamp", 2), ("chair", 1))}
    last = max((answer.json() for answer in answers), key=lambda shown: sum(x["quantity"] for x in shown["lines"]))
    assert sum(line["quantity"] for line in last["lines"]) == 7
