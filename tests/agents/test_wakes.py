"""Events set agents to work: once each, through the same tools and limits, by rule where no model answers."""

from typing import Any
from uuid import uuid4

import asyncpg
import httpx
from langchain_core.messages import ToolMessage

from agents.models import Models
from agents.rules import follow
from commerce.app import Commerce
from graphs.automation import Automation
from graphs.supervisor import Supervisor
from kernel.auth import SYSTEM
from tests.agents.test_limits import never
from tests.conftest import settings
from tests.factories.api import guest, signed_in
from tests.factories.world import World
from tests.fakes.models import Ranked

CALLS = (
    "select c.agent, c.tool, c.status from agent_tool_calls c join agent_runs r on r.id = c.run_id where r.cause = $1"
)


async def work_off(shop: Commerce) -> None:
    """What the agent worker does, without a language model."""
    supervisor = Supervisor(shop, Models(settings(model="offline")), never, Ranked, None)
    async with shop.database.work(SYSTEM) as work:
        errands = await shop.errands.claim(work, 20)
    await Automation(shop, supervisor).carry_out(errands)


async def cause(sql: asyncpg.Connection, kind: str) -> Any:
    return await sql.fetchval("select id from outbox_events where type = $1 order by id desc limit 1", kind)


async def test_a_ticket_wakes_support_once(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, settle: Any
) -> None:
    ann, admin = await signed_in(http, "ann"), await signed_in(http, "admin")
    article = {"slug": "delivery-times", "title": "Delivery times", "body": "Delivery takes one to three days."}
    await admin.post("/v1/support/articles", article)
    await ann.post("/v1/support/tickets", {"subject": "How long does delivery take?", "body": "I wonder."})
    await settle()
    event = await cause(sql, "TicketOpened")
    await sql.execute("update transport_cursors set position = 0")
    await sql.execute("delete from inbox_events where consumer = 'orchestration.wake'")
    await settle()
    await work_off(shop)
    await work_off(shop)
    (run,) = await sql.fetch("select * from agent_runs where cause = $1", event)
    assert (run["agent"], run["trigger"], run["status"], run["model"]) == ("support", "event", "done", "rule")
    calls = [tuple(row) for row in await sql.fetch(f"{CALLS} order by c.id", event)]
    assert calls == [("support", tool, "done") for tool in ("get_ticket", "search_help", "propose_note")]
    (note,) = await sql.fetch("select body from support_ticket_messages where internal")
    assert note["body"] == "These articles may answer it: “Delivery times”."
    (proposal,) = await sql.fetch("select agent, kind, status, run_id from agent_proposals")
    assert tuple(proposal) == ("support", "support.note", "accepted", run["id"])


async def test_the_grey_zone_wakes_payment(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    buyer = guest(http)
    await buyer.checkout(await buyer.cart({world.variants["chair"]: 30}, email="gil@demo.test"))
    await settle()
    await work_off(shop)
    event = await cause(sql, "FraudReviewRequested")
    calls = [tuple(row) for row in await sql.fetch(f"{CALLS} order by c.id", event)]
    assert calls == [("payment", "review_case", "done"), ("payment", "propose_review_verdict", "done")]
    support = await signed_in(http, "support")
    (waiting,) = (await support.get("/v1/approvals?status=waiting"))["items"]
    assert (waiting["agent"], waiting["kind"], waiting["needed"]) == ("payment", "payment.review_verdict", 1)
    assert "Release it" in waiting["summary"]
    await support.post(f"/v1/approvals/{waiting['id']}/decision", {"accept": True}, 200, key=str(uuid4()))
    await settle()
    assert await sql.fetchval("select status from orders") == "confirmed"


async def test_what_runs_low_wakes_inventory(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    north = await signed_in(http, "north")
    level = await sql.fetchrow("select * from inventory_levels where variant_id = $1", world.variants["pen"])
    assert level is not None
    path = f"/v1/merchant/stock/lvl_{level['id'].hex}/reorder-point"
    await north.call("PUT", path, 204, json={"point": level["on_hand"], "quantity": 5})
    async with shop.database.work(SYSTEM) as work:
        assert await shop.inventory.alerts.watch(work) == 1
    await settle()
    await work_off(shop)
    event = await cause(sql, "StockLow")
    calls = [tuple(row) for row in await sql.fetch(f"{CALLS} order by c.id", event)]
    assert calls == [("inventory", "stock_alerts", "done"), ("inventory", "propose_refill", "done")]
    (line,) = [line for line in (await north.get("/v1/me/notifications"))["items"] if line["kind"] == "StockLow"]
    assert line["title"] == "Pen (PEN) runs low"
    assert "Your reorder quantity is 5." in line["text"]
    assert "Pen" in await sql.fetchval("select answer from agent_runs where cause = $1", event)


async def test_an_agent_that_is_switched_off_does_nothing_about_an_event(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, settle: Any
) -> None:
    ann, admin = await signed_in(http, "ann"), await signed_in(http, "admin")
    await admin.call("PATCH", "/v1/agents/support", 200, json={"enabled": False})
    await ann.post("/v1/support/tickets", {"subject": "A question", "body": "Is anybody there?"})
    await settle()
    await work_off(shop)
    await admin.call("PATCH", "/v1/agents/support", 200, json={"enabled": True})
    calls = [tuple(row) for row in await sql.fetch(f"{CALLS} order by c.id", await cause(sql, "TicketOpened"))]
    assert calls == [("support", "get_ticket", "failed")]


def test_a_rule_stops_where_its_tool_refuses() -> None:
    def rule(_: dict[str, Any], told: Any) -> Any:
        return ("look", {}) if "look" not in told else "Seen."

    (call,) = follow(rule, {}, []).tool_calls
    assert call["name"] == "look"
    refused = ToolMessage('{"error": "x", "message": "There is none."}', tool_call_id=call["id"], name="look")
    assert follow(rule, {}, [refused]).content == "Nothing more was done: There is none."
    seen = ToolMessage("{}", tool_call_id=call["id"], name="look")
    assert follow(rule, {}, [seen]).content == "Seen."
