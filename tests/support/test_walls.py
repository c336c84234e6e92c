"""A ticket is seen and touched by its owner and the house; a note by the house alone."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.auth import ANONYMOUS, Principal
from kernel.errors import Unauthenticated
from tests.factories.api import Caller, guest, signed_in
from tests.factories.world import World
from tests.support.people import opened_by

TABLES = (
    *("support_tickets", "support_ticket_messages", "support_ticket_events"),
    *("support_escalations", "support_satisfaction", "support_macros"),
)
ASKED = {"subject": "Where is it?", "body": "I wait for my mug."}


@pytest.fixture(scope="module")
async def asked(http: httpx.AsyncClient, world: World) -> dict[str, Any]:
    """Ann's ticket about her order, answered, noted, escalated, solved and rated: every walled table has rows of it."""
    ann, support = await signed_in(http, "ann"), await signed_in(http, "support")
    group = await ann.checkout(await ann.cart({world.variants["mug"]: 1}))
    order = group["orders"][0]["id"]
    ticket = await ann.post("/v1/support/tickets", {**ASKED, "order_id": order, "category": "delivery"})
    path = f"/v1/support/tickets/{ticket['id']}"
    await support.post(f"{path}/messages", {"body": "She sounds upset.", "internal": True})
    await support.post(f"{path}/escalate", {"note": "The carrier must answer."}, 200)
    await support.post(f"{path}/assign", {}, 200)
    await support.post(f"{path}/messages", {"body": "It arrives today.", "then": "solved"})
    await ann.post(f"{path}/satisfaction", {"score": 5, "comment": "quick"})
    await support.post("/v1/support/macros", {"code": "hello", "title": "Hello", "body": "Hello {{ name }}"})
    return {"ticket": ticket, "order": order}


async def dump(sql: asyncpg.Connection) -> list[Any]:
    return [[tuple(row) for row in await sql.fetch(f"select * from {table} order by 1, 2")] for table in TABLES]


async def test_a_foreign_ticket_is_a_missing_one_at_every_route(
    http: httpx.AsyncClient, sql: asyncpg.Connection, asked: dict[str, Any]
) -> None:
    ben, north = await signed_in(http, "ben"), await signed_in(http, "north")
    stray = guest(http)
    stray.headers["X-Ticket-Token"] = "somebody-else"
    before, ticket = await dump(sql), asked["ticket"]
    calls: list[tuple[str, str, dict[str, Any] | None]] = [
        ("GET", "", None),
        ("POST", "/messages", {"body": "Give me her address."}),
        ("POST", "/status", {"status": "open"}),
        ("POST", "/satisfaction", {"score": 1}),
    ]
    for who in (ben, north, stray):
        for method, path, body in calls:
            details = set()
            for ticket_id in (ticket["id"], f"tkt_{uuid4().hex}"):
                url = f"/v1/support/tickets/{ticket_id}{path}"
                details.add((await who.refused(method, url, 404, "ticket_unknown", json=body))["detail"])
            assert len(details) == 1
        await who.refused("GET", f"/v1/support/tickets/by-number/{ticket['number']}", 404, "ticket_unknown")
        assert (await who.get("/v1/support/tickets"))["items"] == []
    assert await dump(sql) == before


async def test_the_desk_is_the_houses_alone(
    http: httpx.AsyncClient, sql: asyncpg.Connection, asked: dict[str, Any]
) -> None:
    ann, before = await signed_in(http, "ann"), await dump(sql)
    path = f"/v1/support/tickets/{asked['ticket']['id']}"
    for method, url, body in (
        ("POST", f"{path}/assign", {}),
        ("POST", f"{path}/escalate", {"note": "now"}),
        ("POST", f"{path}/messages", {"body": "hidden", "internal": True}),
        ("POST", f"{path}/messages", {"body": "done", "then": "solved"}),
        ("GET", f"{path}/macros/hello", None),
        ("GET", "/v1/support/macros", None),
        ("POST", "/v1/support/macros", {"code": "x", "title": "x", "body": "x"}),
        ("PUT", "/v1/support/macros/hello", {"title": "x", "body": "x"}),
        ("GET", "/v1/support/targets", None),
        ("PUT", "/v1/support/targets/low", {"first_response_minutes": 1, "resolution_minutes": 1}),
        ("POST", "/v1/support/articles", {"slug": "x", "title": "x", "body": "x"}),
        ("PUT", "/v1/support/articles/x", {"title": "x", "body": "x"}),
    ):
        await ann.refused(method, url, 403, "forbidden", json=body)
    support = await signed_in(http, "support")
    minutes = {"first_response_minutes": 1, "resolution_minutes": 1}
    await support.refused("PUT", "/v1/support/targets/low", 403, "forbidden", json=minutes)
    await support.refused("POST", f"{path}/satisfaction", 403, "ticket_not_yours", json={"score": 5})
    assert await dump(sql) == before
    assert await sql.fetchval("select count(*) from support_articles") == 0


async def test_an_owner_never_sees_a_note(http: httpx.AsyncClient, asked: dict[str, Any]) -> None:
    ann, support = await signed_in(http, "ann"), await signed_in(http, "support")
    path = f"/v1/support/tickets/{asked['ticket']['id']}"
    mine, theirs = await ann.get(path), await support.get(path)
    assert [message["body"] for message in mine["messages"]] == ["I wait for my mug.", "It arrives today."]
    assert (mine["desk"], mine["score"]) == (None, 5)
    assert [message["body"] for message in theirs["messages"]][1] == "She sounds upset."
    assert theirs["desk"]["escalation"] == 1
    assert theirs["desk"]["assigned_to"] == (await support.get("/v1/me"))["id"]
    assert "upset" not in str(mine)


async def test_row_level_security_alone_shows_nothing_foreign_and_no_note(
    shop: Commerce, sql: asyncpg.Connection, world: World, asked: dict[str, Any]
) -> None:
    """Plain SELECTs without any filter, as strangers and as Ann herself."""
    everything = frozenset({"*"})
    for table in TABLES:
        assert await sql.fetchval(f"select count(*) from {table}"), f"the test needs rows in {table}"
    for who in (
        Principal(permissions=everything, customer_id=world.customers["ben"]),
        Principal(permissions=everything, merchant_ids=(world.merchants["north"],)),
        Principal(permissions=everything, guest_key=b"x" * 32),
        replace(ANONYMOUS, permissions=everything),
    ):
        async with shop.database.work(who) as work:
            assert [await work.value(f"select count(*) from {table}") for table in TABLES] == [0] * len(TABLES)
    ann = Principal(permissions=everything, customer_id=world.customers["ann"])
    async with shop.database.work(ann) as work:
        assert await work.value("select count(*) from support_tickets") == 1
        assert await work.value("select count(*) from support_ticket_messages where internal") == 0
        kinds = {row["kind"] for row in await work.rows("select kind from support_ticket_events")}
        assert kinds == {"opened", "replied", "status_changed", "clock_stopped", "rated"}
        assert await work.value("select count(*) from support_escalations") == 0
        assert await work.value("select count(*) from support_macros") == 0


async def test_not_even_the_database_takes_a_note_from_an_owner(
    shop: Commerce, sql: asyncpg.Connection, world: World, asked: dict[str, Any]
) -> None:
    ann = Principal(permissions=frozenset({"*"}), customer_id=world.customers["ann"])
    before = await dump(sql)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with shop.database.work(ann) as work:
            await work.run(
                "insert into support_ticket_messages (id, ticket_id, side, author, internal, body, created_at) "
                "select uuidv7(), id, 'staff', 'user:x', true, 'forged', now() from support_tickets"
            )
    assert await dump(sql) == before


async def test_a_foreign_order_cannot_be_asked_about(
    http: httpx.AsyncClient, sql: asyncpg.Connection, asked: dict[str, Any]
) -> None:
    before = await dump(sql)
    stray = guest(http)
    stray.headers["X-Ticket-Token"] = "somebody-else"
    south = await signed_in(http, "south")
    for who in (await signed_in(http, "ben"), south, stray):
        for order in (asked["order"], f"ord_{uuid4().hex}"):
            body = {**ASKED, "order_id": order, "email": "ben@demo.test"}
            await who.refused("POST", "/v1/support/tickets", 404, "order_not_found", json=body)
    assert await dump(sql) == before
    north: Caller = await signed_in(http, "north")
    made = await north.post("/v1/support/tickets", {**ASKED, "order_id": asked["order"], "category": "selling"})
    assert (made["order_id"], made["category"]) == (asked["order"], "selling")
    owner = await sql.fetchval("select m.slug from support_tickets t join merchants m on m.id = t.merchant_id")
    assert owner == "north"


async def test_nobody_without_a_key_opens_a_ticket(shop: Commerce, sql: asyncpg.Connection) -> None:
    before = await dump(sql)
    with pytest.raises(Unauthenticated):
        await opened_by(shop, shop.identity.guest(None), email="a@demo.test")
    assert await dump(sql) == before
