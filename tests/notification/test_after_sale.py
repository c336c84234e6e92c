"""What a buyer hears after the sale: every step of a return, an exchange, a claim and a refund, once, in the feed and by mail."""

from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.ids import public
from tests.factories.api import guest, signed_in
from tests.factories.parcels import arrive, send
from tests.factories.world import World
from tests.refund.test_refunds import ask, bought
from tests.returns.world import asked, delivered, inspect, receive, shirts, wish

KINDS = (
    "ReturnAuthorized",
    "ReturnRejected",
    "ReturnReceived",
    "ReturnCompleted",
    "RefundSucceeded",
    "RefundFailed",
    "ClaimDecided",
)


@pytest.fixture(autouse=True)
async def rules(http: httpx.AsyncClient, sql: asyncpg.Connection) -> None:
    await sql.execute("delete from return_policies")
    admin = await signed_in(http, "admin")
    await admin.call("PUT", "/v1/return-policies", 204, json={"one_per_order": False, "abuse_from": 101})


async def feed(caller: Any, order: Any) -> list[str]:
    """Titles about an order, oldest first, of what came after its delivery."""
    items = (await caller.get("/v1/me/notifications?size=100"))["items"]
    return [line["title"] for line in reversed(items) if line["kind"] in KINDS and order["number"] in line["title"]]


async def mails(sql: asyncpg.Connection, order: Any, subject: str) -> list[str]:
    rows = await sql.fetch(
        "select text from email_messages where subject = $1 order by id", subject.format(order["number"])
    )
    return [row["text"] for row in rows]


async def test_every_step_of_a_return_is_told_once(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    order = await delivered(http, {world.variants["mug"]: 3})
    number = order["number"]
    request = await asked(ann, wish(order, 3))
    await settle()
    await receive(north, request, 1)
    await receive(north, request, 1, complete=True)
    await inspect(north, request, 1)
    await inspect(north, request, 1, passed=False, condition="used")
    await settle()
    await sql.execute("update transport_cursors set position = 0")
    await sql.execute("delete from inbox_events where consumer = 'notification.tell_after_sale'")
    await settle()
    assert await feed(ann, order) == [
        f"Your return of order {number} is accepted",
        f"Your return of order {number} has arrived",
        f"Your return of order {number} has arrived",
        f"15.00 EUR of order {number} went back to you",
        f"Your return of order {number} is done",
    ]
    label = (await ann.get(f"/v1/returns/{request['id']}"))["label"]
    (accepted,) = await mails(sql, order, "Your return of order {} is accepted")
    assert accepted.startswith(
        f"Hello Gil Guest,\n\nyou can send this of your order {number} back:\n\n  3 x Mug (mug)\n\n"
        f"Please use the label {label['tracking']}, so that it arrives by "
    )
    assert (
        "The postage is yours.\n\nOnce it is here and we have looked at it, your money goes to you: the way it was paid."
        in accepted
    )
    first, last = await mails(sql, order, "Your return of order {} has arrived")
    assert "a first part of your return" in first
    assert "the parcel with your return" in last
    (done,) = await mails(sql, order, "Your return of order {} is done")
    assert "your money went to you: the way it was paid." in done
    assert "1 x Mug (mug) did not pass our check." in done


async def test_a_return_that_is_refused_is_told_with_its_reason(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, staff = await signed_in(http, "ann"), await signed_in(http, "support")
    order = await delivered(http, {world.variants["chair"]: 6})
    request = await asked(ann, wish(order, 6))
    assert request["status"] == "requested"
    await staff.post(f"/v1/returns/{request['id']}/decision", {"accept": False}, 200, key=str(uuid4()))
    await settle()
    assert await feed(ann, order) == [f"Your return of order {order['number']} cannot be accepted"]
    (mail,) = await mails(sql, order, "Your return of order {} cannot be accepted")
    assert "6 x Chair (chair)" in mail
    assert request["explanation"] in mail


async def test_an_exchange_says_that_something_else_comes(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    shirt = await shirts(shop, world)
    order = await delivered(http, {shirt.sizes["S"]: 1})
    body = wish(order, 1, reason="wrong_size", wanted={0: public("var", shirt.sizes["M"])}, resolution="exchange")
    request = await asked(ann, body)
    await receive(north, request, 1)
    await inspect(north, request, 1)
    await settle()
    (accepted,) = await mails(sql, order, "Your exchange of order {} is accepted")
    assert "what you chose instead is sent to you." in accepted
    (done,) = await mails(sql, order, "Your exchange of order {} is done")
    assert "what you chose instead is an order of yours now" in done


async def test_a_refund_that_failed_and_one_that_went_through_are_told(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, staff = await signed_in(http, "ann"), await signed_in(http, "support")
    order = await bought(http, {world.variants["mug"]: 1}, "tok_refund_decline")
    refund = await ask(staff, order, {0: 1})
    await settle()
    assert await feed(ann, order) == [f"Your refund of order {order['number']} needs another way"]
    retry = {"destination": "store_credit"}
    await staff.post(f"/v1/refunds/{refund['id']}/retry", retry, 200, key=str(uuid4()))
    await settle()
    assert (await feed(ann, order))[1:] == [f"15.00 EUR of order {order['number']} went back to you"]
    (mail,) = await mails(sql, order, "15.00 EUR of order {} went back to you")
    assert "back: store credit.\nYou can pay with it from now on." in mail


@pytest.mark.parametrize(
    ("accept", "subject"), [(True, "Your money for order {} goes back"), (False, "About your report on order {}")]
)
async def test_a_claim_is_answered_also_to_a_guest(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any, accept: bool, subject: str
) -> None:
    buyer, north, staff = guest(http), await signed_in(http, "north"), await signed_in(http, "support")
    group = await buyer.checkout(await buyer.cart({world.variants["mug"]: 1}, email="gil@demo.test"))
    order = group["orders"][0]
    buyer.headers["X-Order-Token"] = group["order_token"]
    await send(north, order)
    await arrive(north, order)
    line = order["lines"][0]["id"]
    body = {"order_id": order["id"], "order_line_id": line, "kind": "broken", "text": "in two parts"}
    claim = await buyer.post("/v1/claims", body, key=str(uuid4()))
    await staff.post(f"/v1/claims/{claim['id']}/decision", {"accept": accept}, 200, key=str(uuid4()))
    await settle()
    (mail,) = await mails(sql, order, subject)
    assert f"order {order['number']} was broken" in mail
