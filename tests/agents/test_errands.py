"""Commands and queries reach an agent as messages: through the outbox, a transport and the inbox, answered once."""

from typing import Any
from uuid import UUID

import asyncpg
import httpx

from agents.models import Models
from commerce.app import Commerce
from graphs.automation import Automation
from graphs.supervisor import Supervisor
from kernel.auth import SYSTEM
from tests.agents.test_limits import never
from tests.conftest import settings
from tests.factories.api import signed_in
from tests.factories.world import World
from tests.fakes.models import Ranked, Script


async def carry_out(shop: Commerce, lines: list[Any]) -> Script:
    script = Script(lines=lines, asked=[], bound=[])
    supervisor = Supervisor(shop, Models(settings(model="offline"), script), never, Ranked, None)
    async with shop.database.work(SYSTEM) as work:
        errands = await shop.errands.claim(work)
    await Automation(shop, supervisor).carry_out(errands)
    return script


async def test_a_query_is_answered_with_tools_that_read(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, settle: Any
) -> None:
    support, ann = await signed_in(http, "support"), await signed_in(http, "ann")
    await ann.refused("POST", "/v1/agents/inventory/queries", 403, "forbidden", json={"text": "x"})
    await support.refused("POST", "/v1/agents/nobody/queries", 404, "agent_unknown", json={"text": "x"})
    sent = await support.post("/v1/agents/product/queries", {"text": "is there a mug?"}, 202)
    where = f"/v1/agents/errands/{sent['id']}"
    await support.refused("GET", where, 404, "agent_errand_unknown")
    await settle()
    assert (await support.get(where))["status"] == "queued"
    script = await carry_out(
        shop, [{"tool": "add_to_cart", "sku": "MUG"}, {"tool": "check_stock", "product": "mug"}, "Yes."]
    )
    assert "add_to_cart" not in script.bound[0]
    answer = await support.get(where)
    assert (answer["status"], answer["outcome"], answer["text"]) == ("done", "answered", "Yes.")
    await settle()
    rows = await sql.fetch("select topic, type from outbox_events where key = $1 order by sequence", UUID(sent["id"]))
    assert [tuple(row) for row in rows] == [("product.queries", "AgentQuery"), ("agent", "AgentAnswered")]
    calls = await sql.fetch("select tool, status from agent_tool_calls order by id")
    assert [tuple(row) for row in calls] == [("add_to_cart", "refused"), ("check_stock", "done")]


async def test_a_command_cannot_do_what_needs_a_persons_yes(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, support = await signed_in(http, "ann"), await signed_in(http, "support")
    group = await ann.checkout(await ann.cart({world.variants["mug"]: 1}))
    await settle()
    number = group["orders"][0]["number"]
    sent = await support.post("/v1/agents/order/commands", {"text": f"cancel {number}"}, 202)
    await settle()
    await carry_out(shop, [{"tool": "cancel_order", "order": number, "reason": "other"}, "A person has to decide."])
    assert await sql.fetchval("select status from orders where number = $1", number) == "confirmed"
    answer = await support.get(f"/v1/agents/errands/{sent['id']}")
    assert answer["text"] == "A person has to decide."


async def test_a_redelivered_command_is_one_run(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, settle: Any
) -> None:
    support = await signed_in(http, "support")
    sent = await support.post("/v1/agents/chat/commands", {"text": "say hello"}, 202)
    await settle()
    await sql.execute("update transport_cursors set position = 0")
    await sql.execute("delete from inbox_events where consumer = 'orchestration.errands'")
    await settle()
    for _ in range(2):
        await carry_out(shop, ["Hello."])
    assert await sql.fetchval("select count(*) from agent_runs where cause = $1", UUID(sent["id"])) == 1
    answered = "select count(*) from outbox_events where type = 'AgentAnswered' and key = $1"
    assert await sql.fetchval(answered, UUID(sent["id"])) == 1
