"""kill -9 in the middle of a chat turn: the same yes again brings the answer, and the effect is there once.

And in the middle of a run that an event began: once its lease is over the next worker goes on with it."""

import asyncio
import signal
from typing import Any

import asyncpg
import pytest

from commerce.app import Commerce
from tests.agents.test_chat_writes import begun
from tests.agents.test_wakes import CALLS, cause, work_off
from tests.factories.api import signed_in
from tests.faults import talker, waker
from tests.faults.forks import FORKS

POINTS = (
    "chat.begin.after_commit",
    "chat.tool.before_commit",
    "chat.tool.after_commit",
    "chat.model.before_kept",
    "chat.answer.before_commit",
)


@pytest.mark.parametrize("point", POINTS)
async def test_a_turn_that_dies_is_gone_on_with(
    shop: Commerce, url: str, sql: asyncpg.Connection, assistants: Any, principals: Any, point: str
) -> None:
    ann = principals(shop, "ann")
    before = await sql.fetchval("select coalesce(sum(quantity), 0) from cart_lines")
    async with assistants([{"tool": "add_to_cart", "sku": "PEN", "quantity": 2}], "add_to_cart") as (assistant, script):
        thread = await begun(shop, ann)
        asked = await assistant.message(ann, thread, "two pens")
        yes = talker.Yes(url, ann, thread, asked.pending_confirmation.id, point)
        process = FORKS.Process(target=talker.main, args=(yes,))
        process.start()
        await asyncio.to_thread(process.join, 60)
        assert process.exitcode == -signal.SIGKILL, "the process must have died there"
        script.lines = ["Done."]
        answer = await assistant.confirm(ann, thread, yes.confirmation, True)
        assert answer.messages[0].text == "Done."
        assert [(a.tool, a.status) for a in answer.actions] == [("add_to_cart", "done")]
    assert await sql.fetchval("select coalesce(sum(quantity), 0) from cart_lines") == before + 2
    assert await sql.fetchval("select count(*) from agent_runs where cause = $1", yes.confirmation) == 1
    assert await sql.fetchval("select status from chat_confirmations where id = $1", yes.confirmation) == "used"


EVENT_POINTS = (
    *((point, n) for point in ("chat.tool.before_commit", "chat.tool.after_commit") for n in (1, 2, 3)),
    *(("chat.model.before_kept", n) for n in (1, 2, 3, 4)),
    *((f"errand.answer.{place}", 1) for place in ("before_commit", "after_commit")),
)
"""Around each of the three tools and the four turns of a run about a new ticket, and around its answer."""


@pytest.mark.parametrize(("point", "passing"), EVENT_POINTS)
async def test_a_run_about_an_event_that_dies_is_gone_on_with(
    shop: Commerce, http: Any, url: str, sql: asyncpg.Connection, settle: Any, point: str, passing: int
) -> None:
    """One note, one proposal, one answer, each tool called once: whichever instant the process dies at."""
    ann, admin = await signed_in(http, "ann"), await signed_in(http, "admin")
    article = {"slug": "delivery-times", "title": "Delivery times", "body": "Delivery takes one to three days."}
    await admin.post("/v1/support/articles", article, None)
    await ann.post("/v1/support/tickets", {"subject": "How long does delivery take?", "body": "I wonder."})
    await settle()
    event = await cause(sql, "TicketOpened")
    process = FORKS.Process(target=waker.main, args=(waker.Death(url, point, passing),))
    process.start()
    await asyncio.to_thread(process.join, 60)
    assert process.exitcode == -signal.SIGKILL, "the process must have died there"
    await work_off(shop)  # its lease holds: nobody takes the run from it
    ended = "errand.answer.after_commit"
    assert await sql.fetchval("select status from agent_runs where cause = $1", event) == (
        "done" if point == ended else "queued"
    )
    await sql.execute("update agent_runs set due_at = now() where cause = $1", event)
    await work_off(shop)
    await settle()
    (run,) = await sql.fetch("select id, status, attempts from agent_runs where cause = $1", event)
    assert (run["status"], run["attempts"]) == ("done", 1 if point == ended else 2)
    calls = [tuple(row) for row in await sql.fetch(f"{CALLS} order by c.id", event)]
    assert calls == [("support", tool, "done") for tool in ("get_ticket", "search_help", "propose_note")]
    assert await sql.fetchval("select count(*) from agent_model_calls where run_id = $1", run["id"]) == 4
    assert await sql.fetchval("select count(*) from agent_proposals where run_id = $1", run["id"]) == 1
    notes = "select count(*) from support_ticket_messages where internal and ticket_id = (select max(id::text)::uuid from support_tickets)"
    assert await sql.fetchval(notes) == 1
    answers = "select count(*) from outbox_events where type = 'AgentAnswered' and key = $1"
    assert await sql.fetchval(answers, event) == 1
