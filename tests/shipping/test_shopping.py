"""Rate shopping: everybody is asked at once and no longer than their time; who is silent hides no other offer."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from tests.conftest import opened, served
from tests.factories.api import Caller, signed_in
from tests.factories.world import World
from tests.shipping.carrier import SENDER, SETTINGS, URL, Books, played

PARCEL = {"country": "DE", "postal_code": "10115", "weight_g": 1500, "worth": 2000}


@pytest.fixture(scope="module")
async def shop(url: str) -> AsyncIterator[Commerce]:
    async with opened(url, **SETTINGS) as found:
        yield found


@pytest.fixture
async def north(http: httpx.AsyncClient, sql: asyncpg.Connection, shop: Commerce) -> Caller:
    """A merchant where Swift carries as well; nothing is remembered of earlier tests."""
    await sql.execute("delete from shipping_quotes")
    shop.carriers.adapters["easypost"]._failures = 0  # type: ignore[attr-defined]
    shop.carriers.adapters["easypost"]._rests_until = 0.0  # type: ignore[attr-defined]
    admin = await signed_in(http, "admin")
    swift = {"name": "Swift", "adapter": "easypost", "active": True}
    await admin.call("PUT", "/v1/carriers/swift", 200, json=swift)
    await admin.call("PUT", "/v1/carriers/swift/accounts", 204, json={"sender": SENDER, "reference": "ca_1"})
    return await signed_in(http, "north")


def offers(answer: Any) -> list[tuple[str, str, int, str]]:
    return [(q["carrier"], q["service"], q["price"]["amount"], q["source"]) for q in answer["quotes"]]


async def test_every_carrier_answers_and_is_not_asked_again_soon(north: Caller, sql: asyncpg.Connection) -> None:
    books = Books()
    with played(books):
        first = await north.post("/v1/shipping/quotes", PARCEL, 200)
        again = await north.post("/v1/shipping/quotes", PARCEL, 200)
        await north.post("/v1/shipping/quotes", {**PARCEL, "weight_g": 9000}, 200)
    assert offers(first) == [
        ("standard", "standard", 490, "table"),
        ("swift", "Swift.Ground", 710, "carrier"),
        ("standard", "express", 1290, "table"),
        ("swift", "Swift.Air", 1925, "carrier"),
    ]
    assert (first["silent"], first["fallback"]) == ([], False)
    assert [q["id"] for q in again["quotes"]] == [q["id"] for q in first["quotes"]]
    assert {q["source"] for q in again["quotes"]} == {"table", "cache"}
    assert books.asked == ["POST /shipments", "POST /shipments"]
    sent = books.shipments["shp_1"]
    assert (sent["from_address"]["street1"], sent["to_address"]["zip"]) == ("Dock 1", "10115")
    assert (sent["parcel"], sent["carrier_accounts"]) == ({"weight": 53}, ["ca_1"])
    assert await sql.fetchval("select count(*) from shipping_quotes") == 8
    assert all(q["ships_on"] < q["earliest_on"] <= q["latest_on"] for q in first["quotes"])


async def test_a_slow_carrier_costs_its_time_and_the_tables_stand_in(
    north: Caller, http: httpx.AsyncClient, sql: asyncpg.Connection
) -> None:
    admin = await signed_in(http, "admin")
    own = {"name": "The shop itself", "adapter": "table", "active": False}
    await admin.call("PUT", "/v1/carriers/standard", 200, json=own)
    books = Books()
    with played(books) as router:
        usual = await north.post("/v1/shipping/quotes", {**PARCEL, "weight_g": 700}, 200)

        async def slow(_: httpx.Request) -> httpx.Response:
            await asyncio.sleep(5)
            raise AssertionError("nobody waits for this")

        router.route(url__startswith=URL).mock(side_effect=slow)
        began = time.monotonic()
        answer = await north.post("/v1/shipping/quotes", PARCEL, 200)
    await admin.call("PUT", "/v1/carriers/standard", 200, json={**own, "active": True})
    assert {carrier for carrier, *_ in offers(usual)} == {"swift"}
    assert time.monotonic() - began < 2
    assert offers(answer) == [("standard", "standard", 490, "table"), ("standard", "express", 1290, "table")]
    assert (answer["silent"], answer["fallback"]) == (["swift"], True)
    kept = await sql.fetch(
        "select c.code from shipping_quotes q join carriers c on c.id = carrier_id where q.minor = 490"
    )
    assert [row["code"] for row in kept] == ["standard"]


async def test_a_carrier_that_fails_three_times_is_left_alone(north: Caller) -> None:
    asked = 0

    def broken(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return httpx.Response(503, text="down")

    with played(Books()) as router:
        router.route(url__startswith=URL).mock(side_effect=broken)
        for weight in range(1, 6):
            answer = await north.post("/v1/shipping/quotes", {**PARCEL, "weight_g": weight}, 200)
            assert answer["silent"] == ["swift"]
    assert asked == 3


async def test_offers_in_another_currency_are_none(north: Caller) -> None:
    with played(Books(currency="USD")):
        answer = await north.post("/v1/shipping/quotes", PARCEL, 200)
    assert {carrier for carrier, *_ in offers(answer)} == {"standard"}


async def test_who_may_not_ask_asks_nobody(
    north: Caller, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    ann, support = await signed_in(http, "ann"), await signed_in(http, "support")
    books = Books()
    with played(books):
        await ann.refused("POST", "/v1/shipping/quotes", 403, "forbidden", json=PARCEL)
        foreign = {**PARCEL, "merchant_id": f"mer_{world.merchants['south'].hex}"}
        await north.refused("POST", "/v1/shipping/quotes", 422, "shipping_merchant_needed", json=foreign)
        nobody = {**PARCEL, "merchant_id": f"mer_{world.variants['mug'].hex}"}
        await support.refused("POST", "/v1/shipping/quotes", 404, "shipping_merchant_unknown", json=nobody)
        await north.refused("PUT", "/v1/carriers/swift", 403, "forbidden", json={"name": "x", "adapter": "table"})
    assert await sql.fetchval("select count(*) from shipping_quotes") == 0
    assert await sql.fetchval("select name from carriers where code = 'swift'") == "Swift"


async def test_handling_moves_the_promise(north: Caller, http: httpx.AsyncClient, world: World, url: str) -> None:
    admin = await signed_in(http, "admin")
    books = Books()
    with played(books):
        before = await north.post("/v1/shipping/quotes", PARCEL, 200)
    rule = {"country": "DE", "timezone": "Europe/Berlin", "cutoff_minute": 840, "handling_days": 9}
    mine = {**rule, "merchant_id": f"mer_{world.merchants['north'].hex}"}
    await admin.refused("PUT", "/v1/shipping/handling", 422, "timezone_unknown", json={**mine, "timezone": "../x"})
    await admin.call("PUT", "/v1/shipping/handling", 204, json=mine)
    async with opened(url, **SETTINGS) as fresh, served(fresh) as other:
        after = await (await signed_in(other, "north")).post("/v1/shipping/quotes", PARCEL, 200)
    assert after["quotes"][0]["ships_on"] > before["quotes"][0]["latest_on"]


async def test_rates_say_when_a_parcel_would_be_there(http: httpx.AsyncClient) -> None:
    (first, *_) = await (await signed_in(http, "ann")).get("/v1/shipping-rates?country=DE")
    assert (first["code"], first["price"]) == ("standard", {"amount": 490, "currency": "EUR"})
    assert first["earliest_on"] < first["latest_on"]
