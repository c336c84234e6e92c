"""A ticket through the API as a customer, a guest, a merchant and the house; by the chat's hand-over; and its mails."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from commerce.support import HandOver, OpenTicket, Turn
from kernel.auth import SYSTEM
from kernel.errors import Forbidden
from kernel.ids import parse
from tests.factories.api import guest, signed_in
from tests.factories.world import World
from tests.support.people import customer, member, opened_by

ASKED = {"subject": "Where is it?", "body": "I wait for my mug."}


async def mails(sql: asyncpg.Connection, recipient: str) -> list[tuple[str, str]]:
    rows = await sql.fetch("select subject, text from email_messages where recipient = $1 order by id", recipient)
    return [tuple(row) for row in rows]


async def test_a_question_is_answered_and_rated(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, support = await signed_in(http, "ann"), await signed_in(http, "support")
    ticket = await ann.post("/v1/support/tickets", {**ASKED, "category": "payment", "priority": "urgent"})
    assert (ticket["status"], ticket["priority"], ticket["channel"]) == ("open", "high", "web")
    assert (ticket["number"].startswith("T-"), ticket["ticket_token"]) == (True, None)
    path = f"/v1/support/tickets/{ticket['id']}"
    await ann.refused("POST", f"{path}/satisfaction", 409, "ticket_not_solved", json={"score": 5})
    answered = await support.post(f"{path}/messages", {"body": "It arrives today."})
    assert answered["status"] == "pending"
    assert (await ann.post(f"{path}/messages", {"body": "It did not."}))["status"] == "open"
    assert (await support.post(f"{path}/status", {"status": "solved"}, 200))["status"] == "solved"
    await settle()
    number = ticket["number"]
    feed = (await ann.get("/v1/me/notifications"))["items"]
    assert [item["title"] for item in feed] == [
        f"Your request {number} is solved",
        f"An answer to your request {number}",
        f"We have your request {number}",
    ]
    found = await mails(sql, "ann@demo.test")
    assert [subject for subject, _ in found] == [item["title"] for item in reversed(feed)]
    assert "Hello Ann," in found[1][1]
    assert "It arrives today." in found[1][1]
    rated = await ann.post(f"{path}/satisfaction", {"score": 2, "comment": "late"})
    assert rated["score"] == 2
    await ann.refused("POST", f"{path}/satisfaction", 409, "ticket_already_rated", json={"score": 5})
    rows = await sql.fetch("select score, comment from support_satisfaction")
    assert [tuple(row) for row in rows] == [(2, "late")]
    assert (await ann.get(f"/v1/support/tickets/by-number/{number.lower()}"))["id"] == ticket["id"]


async def test_an_answer_that_solves_is_one_mail_and_an_owners_own_solution_none(
    http: httpx.AsyncClient, sql: asyncpg.Connection, settle: Any
) -> None:
    ben, support = await signed_in(http, "ben"), await signed_in(http, "support")
    first = await ben.post("/v1/support/tickets", ASKED)
    await support.post(f"/v1/support/tickets/{first['id']}/messages", {"body": "Done.", "then": "solved"})
    second = await ben.post("/v1/support/tickets", ASKED)
    await ben.post(f"/v1/support/tickets/{second['id']}/status", {"status": "solved"}, 200)
    await settle()
    assert [subject for subject, _ in await mails(sql, "ben@demo.test")] == [
        f"We have your request {first['number']}",
        f"An answer to your request {first['number']}",
        f"We have your request {second['number']}",
    ]
    ids = [parse("tkt", ticket["id"]) for ticket in (first, second)]
    rows = await sql.fetch(
        "select payload->>'by' as by from outbox_events where type = 'TicketResolved' and key = any($1) order by id",
        ids,
    )
    assert [row["by"] for row in rows] == ["reply", "owner"]


async def test_an_owner_may_solve_and_reopen_and_nothing_else(http: httpx.AsyncClient, sql: asyncpg.Connection) -> None:
    ben = await signed_in(http, "ben")
    ticket = await ben.post("/v1/support/tickets", ASKED)
    path = f"/v1/support/tickets/{ticket['id']}/status"
    for wanted in ("open", "pending", "closed"):
        await ben.refused("POST", path, 409, "ticket_state", json={"status": wanted})
    await ben.post(path, {"status": "solved"}, 200)
    await ben.refused("POST", path, 409, "ticket_state", json={"status": "closed"})
    assert (await ben.post(path, {"status": "open"}, 200))["status"] == "open"
    rows = await sql.fetch(
        "select kind from support_ticket_events where ticket_id = $1 order by number", parse("tkt", ticket["id"])
    )
    kinds = [row["kind"] for row in rows]
    assert kinds == ["opened", "status_changed", "clock_stopped", "reopened", "clock_restarted"]


async def test_a_guest_holds_the_key_to_the_ticket(
    http: httpx.AsyncClient, sql: asyncpg.Connection, settle: Any
) -> None:
    gil = guest(http)
    await gil.refused("POST", "/v1/support/tickets", 422, "ticket_email_required", json=ASKED)
    ticket = await gil.post("/v1/support/tickets", {**ASKED, "email": "gil@demo.test"})
    path = f"/v1/support/tickets/{ticket['id']}"
    await gil.refused("GET", path, 404, "ticket_unknown")
    gil.headers["X-Ticket-Token"] = ticket["ticket_token"]
    seen = await gil.get(path)
    assert (seen["number"], seen["ticket_token"]) == (ticket["number"], None)
    await (await signed_in(http, "support")).post(f"{path}/messages", {"body": "Soon."})
    assert (await gil.post(f"{path}/messages", {"body": "Thank you."}))["status"] == "open"
    await settle()
    subjects = [subject for subject, _ in await mails(sql, "gil@demo.test")]
    number = ticket["number"]
    assert subjects == [f"We have your request {number}", f"An answer to your request {number}"]


async def test_a_guest_who_asks_about_an_order_is_answered_at_its_address(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    gia = guest(http)
    group = await gia.checkout(await gia.cart({world.variants["mug"]: 1}, email="gia@demo.test"))
    made = await gia.post("/v1/support/tickets", {**ASKED, "order_id": group["orders"][0]["id"]})
    row = await sql.fetchrow(
        "select email, guest_key is not null from support_tickets where number = $1", made["number"]
    )
    assert tuple(row) == ("gia@demo.test", True)


async def test_a_merchant_is_told_in_its_feed(http: httpx.AsyncClient, settle: Any) -> None:
    south, support = await signed_in(http, "south"), await signed_in(http, "support")
    ticket = await south.post("/v1/support/tickets", {**ASKED, "category": "selling"})
    await support.post(f"/v1/support/tickets/{ticket['id']}/messages", {"body": "Publish it first."})
    await settle()
    titles = [item["title"] for item in (await south.get("/v1/me/notifications"))["items"]]
    number = ticket["number"]
    assert titles == [f"An answer to your request {number}", f"We have your request {number}"]
    assert [line["id"] for line in (await south.get("/v1/support/tickets"))["items"]] == [ticket["id"]]


async def test_one_key_opens_one_ticket(http: httpx.AsyncClient, sql: asyncpg.Connection) -> None:
    ann, gus = await signed_in(http, "ann"), guest(http)
    gus.headers["X-Ticket-Token"] = "a token that a device made"
    for who, body in ((ann, ASKED), (gus, {**ASKED, "email": "gus@demo.test"})):
        before, key = await sql.fetchval("select count(*) from support_tickets"), str(uuid4())
        answers = await asyncio.gather(*(who.post("/v1/support/tickets", body, key=key) for _ in range(8)))
        assert len({answer["id"] for answer in answers}) == 1
        assert await sql.fetchval("select count(*) from support_tickets") == before + 1
        other = {**body, "subject": "Another one"}
        await who.refused("POST", "/v1/support/tickets", 422, "idempotency_key_reused", json=other, key=key)


async def test_two_who_answer_at_once_leave_one_whole_history(http: httpx.AsyncClient, sql: asyncpg.Connection) -> None:
    ann, support = await signed_in(http, "ann"), await signed_in(http, "support")
    ticket = await ann.post("/v1/support/tickets", ASKED)
    path = f"/v1/support/tickets/{ticket['id']}/messages"
    await asyncio.gather(*(who.post(path, {"body": f"{n}"}) for n in range(6) for who in (ann, support)))
    rows = await sql.fetch(
        "select number, kind from support_ticket_events where ticket_id = $1 order by number",
        parse("tkt", ticket["id"]),
    )
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["kind"] for row in rows].count("replied") == 12
    steps = [row["kind"] for row in rows if row["kind"].startswith("clock_")]
    assert set(steps[::2]) == {"clock_paused"}
    assert set(steps[1::2]) <= {"clock_resumed"}


async def test_the_desk_pages_and_filters(http: httpx.AsyncClient, sql: asyncpg.Connection) -> None:
    support, cursor, seen = await signed_in(http, "support"), "", []
    while True:
        page = await support.get(f"/v1/support/tickets?size=3&status=open{cursor}")
        seen += [(line["number"], line["status"]) for line in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    rows = await sql.fetch("select number, status from support_tickets where status = 'open' order by id desc")
    assert seen == [tuple(row) for row in rows]
    assert len(seen) > 3


async def test_only_members_of_the_team_are_given_tickets(http: httpx.AsyncClient, sql: asyncpg.Connection) -> None:
    ann, support, admin = await signed_in(http, "ann"), await signed_in(http, "support"), await signed_in(http, "admin")
    ticket = await ann.post("/v1/support/tickets", ASKED)
    path = f"/v1/support/tickets/{ticket['id']}/assign"
    for nobody in ((await ann.get("/v1/me"))["id"], f"usr_{uuid4().hex}"):
        await support.refused("POST", path, 404, "assignee_unknown", json={"user_id": nobody})
    row = "select assigned_to, events from support_tickets where number = $1"
    assert tuple(await sql.fetchrow(row, ticket["number"])) == (None, 1)
    boss = (await admin.get("/v1/me"))["id"]
    given = await support.post(path, {"user_id": boss}, 200)
    assert given["desk"]["assigned_to"] == boss
    assert [line["kind"] for line in given["desk"]["history"]] == ["opened", "assigned"]
    assert (await support.get("/v1/support/targets"))[0]["priority"] == "high"
    body = {"first_response_minutes": 60, "resolution_minutes": 30}
    await admin.refused("PUT", "/v1/support/targets/high", 422, "invalid_request", json=body)


async def test_a_chat_hands_over_what_it_knows(shop: Commerce, world: World) -> None:
    turns = [Turn(who="customer", text="Where is my mug?"), Turn(who="agent", text="I fetch a person.")]
    command = OpenTicket(subject="A late mug", body="Where is my mug?", channel="chat")
    ann = customer(shop, world).acting("support", frozenset({"support:own"}))
    async with shop.database.work(ann) as work:
        mine = await shop.support.open(work, command, HandOver(summary="The mug is two days late.", transcript=turns))
    assert (mine.channel, mine.desk, mine.messages[0].by_agent) == ("chat", None, True)
    async with shop.database.work(SYSTEM) as work:
        desk = (await shop.support.find(work, mine.number)).desk
    assert desk is not None
    assert desk.summary == "The mug is two days late."
    assert desk.transcript == [turn.model_dump() for turn in turns]
    assert (desk.history[0].act, desk.history[0].kind) == ("support", "opened")


async def test_what_the_house_opens_is_nobodys(shop: Commerce, sql: asyncpg.Connection, world: World) -> None:
    found = await opened_by(shop, SYSTEM, priority="urgent", email="bank@demo.test")
    row = await sql.fetchrow("select * from support_tickets where id = $1", found.id)
    assert (row["customer_id"], row["guest_key"], row["merchant_id"], row["priority"]) == (None, None, None, "urgent")
    for who in (customer(shop, world), member(shop, world)):
        async with shop.database.work(who) as work:
            assert found.id not in [line.id for line in (await shop.support.mine(work, size=100)).items]


async def test_without_its_permission_every_method_refuses(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    ticket = await opened_by(shop, customer(shop, world))
    before = await sql.fetchrow("select * from support_tickets where id = $1", ticket.id)
    powerless = replace(SYSTEM, permissions=frozenset())
    service = shop.support
    calls: list[Any] = [
        lambda work: service.open(work, OpenTicket(**ASKED)),
        lambda work: service.mine(work),
        lambda work: service.view(work, ticket.id),
        lambda work: service.find(work, ticket.number),
        lambda work: service.watch(work),
        lambda work: service.close_solved(work),
        lambda work: service.targets(work),
    ]
    for call in calls:
        with pytest.raises(Forbidden):
            async with shop.database.work(powerless) as work:
                await call(work)
    assert await sql.fetchrow("select * from support_tickets where id = $1", ticket.id) == before
