"""What carriers see of parcels: signed, once, forward only, in whatever order it comes; the silent are asked."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.auth import SYSTEM
from kernel.ids import parse
from tests.conftest import opened
from tests.factories.api import Caller, signed_in
from tests.factories.parcels import arrive
from tests.factories.world import World
from tests.shipping.carrier import SETTINGS, Books, notice, played
from workers.schedule import parcels_late

HOOK = "/v1/webhooks/carriers/swift"
DAY = "2099-01-0{}T10:00:00Z"
"""After every dispatch of these tests; an arrival is never later than it was told."""


@pytest.fixture(scope="module")
async def shop(url: str) -> AsyncIterator[Commerce]:
    async with opened(url, **SETTINGS) as found:
        yield found


@pytest.fixture
async def north(http: httpx.AsyncClient) -> Caller:
    admin = await signed_in(http, "admin")
    await admin.call("PUT", "/v1/carriers/swift", 200, json={"name": "Swift", "adapter": "easypost"})
    return await signed_in(http, "north")


async def sent(north: Caller, world: World, http: httpx.AsyncClient, units: int = 1) -> tuple[Any, str]:
    """An order of Ann's whose one parcel Swift carries, and its number there."""
    ann = await signed_in(http, "ann")
    order = (await ann.checkout(await ann.cart({world.variants["mug"]: units})))["orders"][0]
    line = {"line_id": order["lines"][0]["id"], "quantity": units}
    path = f"/v1/warehouse/picks/{order['id']}/lines/{line['line_id']}"
    await north.post(path, {"quantity": units}, 204)
    number = f"SW{uuid4().hex[:10].upper()}"
    body = {"lines": [line], "carrier": "swift", "tracking_number": number}
    await north.post(f"/v1/orders/{order['id']}/shipments", body, key=str(uuid4()))
    return order, number


async def hear(http: httpx.AsyncClient, event: str, number: str, *details: tuple[str, str], **more: Any) -> int:
    body, headers = notice(event, number, *details, **more)
    return (await http.post(HOOK, content=body, headers=headers)).status_code


async def parcel(ann: Caller, order: Any) -> Any:
    (found,) = await ann.get(f"/v1/orders/{order['id']}/tracking")
    return found


async def emitted(sql: asyncpg.Connection, order: Any) -> list[str]:
    rows = await sql.fetch(
        "select type from outbox_events where topic = 'shipping' and key = $1 order by id",
        parse("grp", order["group_id"]),
    )
    return [row["type"] for row in rows]


async def test_a_parcel_is_followed_to_its_door(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, north: Caller, settle: Any
) -> None:
    ann = await signed_in(http, "ann")
    order, number = await sent(north, world, http)
    first = await parcel(ann, order)
    assert (first["status"], first["delayed"], first["history"][0]["kind"]) == ("dispatched", False, "dispatched")
    assert first["promised_on"] > first["dispatched_at"][:10]
    assert await hear(http, "evt_1", number, ("in_transit", DAY.format(1))) == 204
    assert (await parcel(ann, order))["status"] == "in_transit"
    steps = [("in_transit", DAY.format(1)), ("out_for_delivery", DAY.format(2))]
    assert await hear(http, "evt_2", number, *steps) == 204
    assert await hear(http, "evt_3", number, *steps, ("delivered", DAY.format(3)), signed_by="A. Doe") == 204
    last = await parcel(ann, order)
    assert (last["status"], last["signed_by"]) == ("delivered", "A. Doe")
    kinds = sorted(event["kind"] for event in last["history"])
    assert kinds == ["delivered", "dispatched", "in_transit", "out_for_delivery"]
    assert (await ann.get(f"/v1/orders/{order['id']}"))["status"] == "delivered"
    assert await emitted(sql, order) == ["ShipmentDispatched", "ShipmentOutForDelivery", "ShipmentDelivered"]
    await settle()
    history = [entry["kind"] for entry in await ann.get(f"/v1/orders/{order['id']}/timeline")]
    assert {"OrderShipped", "ShipmentOutForDelivery", "OrderDelivered"} <= set(history)
    told = [line["title"] for line in (await ann.get("/v1/me/notifications"))["items"]][:3]
    assert told[:2] == [
        f"A parcel of order {order['number']} has arrived",
        f"A parcel of order {order['number']} comes today",
    ]
    (proof,) = await sql.fetch("select source, signed_by from delivery_confirmations where signed_by <> ''")
    assert tuple(proof) == ("swift", "A. Doe")


async def test_an_order_says_what_it_was_promised_for(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    """By the day it was placed, not the day it is read; for its people and its merchant, and nobody else."""
    ann, north, south = [await signed_in(http, name) for name in ("ann", "north", "south")]
    order = (await ann.checkout(await ann.cart({world.variants["mug"]: 1})))["orders"][0]
    await sql.execute("update orders set placed_at = '2026-12-23T09:00:00Z' where id = $1", parse("ord", order["id"]))
    expected = {"ships_on": "2026-12-24", "earliest_on": "2026-12-28", "latest_on": "2026-12-30"}
    assert await ann.get(f"/v1/orders/{order['id']}/promise") == expected
    assert await north.get(f"/v1/orders/{order['id']}/promise") == expected
    await south.refused("GET", f"/v1/orders/{order['id']}/promise", 404, "order_not_found")


async def test_late_and_repeated_news_change_nothing(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, north: Caller
) -> None:
    ann = await signed_in(http, "ann")
    order, number = await sent(north, world, http)
    assert await hear(http, "evt_b", number, ("delivered", DAY.format(3))) == 204
    before = await parcel(ann, order)
    assert await hear(http, "evt_a", number, ("in_transit", DAY.format(1)), ("out_for_delivery", DAY.format(2))) == 204
    assert await hear(http, "evt_b", number, ("delivered", DAY.format(3))) == 204
    assert await hear(http, "evt_c", number, ("delivered", DAY.format(4)), ("failure", DAY.format(4))) == 204
    after = await parcel(ann, order)
    assert {**after, "history": []} == {**before, "history": []}
    assert after["status"] == "delivered"
    assert [event["kind"] for event in after["history"]].count("delivered") == 1
    assert await emitted(sql, order) == ["ShipmentDispatched", "ShipmentDelivered"]
    assert await sql.fetchval("select count(*) from carrier_notices where tracking = $1", number) == 3
    nobody = await arrive(north, order, None)
    assert (nobody.status_code, nobody.json()["code"]) == (404, "shipment_unknown")


async def test_what_is_not_the_carriers_own_is_refused(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, north: Caller
) -> None:
    order, number = await sent(north, world, http)
    assert await hear(http, "evt_x", number, ("delivered", DAY.format(1)), secret="another") == 401
    body, headers = notice("evt_x", number, ("delivered", DAY.format(1)))
    other = body.replace(b"evt_x", b"evt_y")
    for path, content, sent_headers in (
        (HOOK, other, headers),
        (HOOK, body, {}),
        ("/v1/webhooks/carriers/standard", body, headers),
        ("/v1/webhooks/carriers/nobody", body, headers),
    ):
        answer = await http.post(path, content=content, headers=sent_headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "carrier_signature_invalid"), path
    assert await hear(http, "evt_z", number, ("delivered", "no instant")) == 422
    assert await sql.fetchval("select count(*) from carrier_notices where tracking = $1", number) == 0
    assert (await parcel(await signed_in(http, "ann"), order))["status"] == "dispatched"
    assert await hear(http, "evt_z", number, ("in_transit", DAY.format(1)), secret="second-secret") == 204


async def test_a_lost_parcel_is_told_once_and_may_be_found(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, north: Caller
) -> None:
    ann = await signed_in(http, "ann")
    order, number = await sent(north, world, http)
    for event in ("l1", "l2"):
        lost = [{"status": "failure", "status_detail": "lost", "datetime": DAY.format(2)}]
        assert await hear(http, event, number, tracking_details=lost) == 204
    assert (await parcel(ann, order))["status"] == "lost"
    assert await emitted(sql, order) == ["ShipmentDispatched", "ShipmentLost"]
    assert (await ann.get(f"/v1/orders/{order['id']}"))["status"] == "shipped"
    assert await hear(http, "l3", number, ("delivered", DAY.format(4))) == 204
    assert (await ann.get(f"/v1/orders/{order['id']}"))["status"] == "delivered"


async def test_a_broken_promise_is_told_once(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, north: Caller
) -> None:
    order, number = await sent(north, world, http)
    await parcels_late(shop)
    assert await emitted(sql, order) == ["ShipmentDispatched"]
    await sql.execute("update shipments set promised_on = current_date - 1 where tracking = $1", number)
    await parcels_late(shop)
    await parcels_late(shop)
    assert await hear(http, f"late-{number}", number, tracking_details=[
        {"status": "in_transit", "status_detail": "delayed", "datetime": DAY.format(1)}
    ]) == 204  # fmt: skip
    assert await emitted(sql, order) == ["ShipmentDispatched", "ShipmentDelayed"]
    found = await parcel(await signed_in(http, "ann"), order)
    assert (found["delayed"], found["status"]) == (True, "dispatched")
    async with shop.database.work(SYSTEM) as work:
        assert await shop.fulfillment.late(work) == 0


async def test_the_silent_are_asked_and_nobody_else(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, north: Caller
) -> None:
    order, number = await sent(north, world, http)
    await sql.execute("update shipments set asked_at = now() where status <> 'delivered'")
    books = Books(trackers={number: [{"status": "out_for_delivery", "datetime": DAY.format(2)}]})
    with played(books):
        assert await shop.parcels.tracking.poll() == 0
        old = shop.database.clock() - timedelta(hours=7)
        await sql.execute("update shipments set asked_at = $2 where tracking = $1", number, old)
        assert await shop.parcels.tracking.poll() == 1
        assert await shop.parcels.tracking.poll() == 0
    assert books.asked == ["GET /trackers"]
    assert (await parcel(await signed_in(http, "ann"), order))["status"] == "out_for_delivery"
    assert await emitted(sql, order) == ["ShipmentDispatched", "ShipmentOutForDelivery"]


async def test_a_carrier_that_is_down_costs_a_poll_nothing(
    shop: Commerce, sql: asyncpg.Connection, http: httpx.AsyncClient, world: World, north: Caller
) -> None:
    _, number = await sent(north, world, http)
    old = shop.database.clock() - timedelta(hours=7)
    await sql.execute("update shipments set asked_at = $2 where tracking = $1", number, old)
    with played(Books(lose_answer_of="/trackers")):
        assert await shop.parcels.tracking.poll() == 1
    assert await sql.fetchval("select status from shipments where tracking = $1", number) == "dispatched"
