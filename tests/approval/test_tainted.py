"""What others' words may have asked for is not accepted by rule: its person says yes to exactly this, or people decide."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from agents.models import Models
from commerce.app import Commerce
from commerce.chat.schemas import Remember
from graphs.automation import Automation
from graphs.supervisor import Supervisor
from kernel.auth import SYSTEM
from tests.agents.test_chat_writes import begun
from tests.agents.test_limits import never
from tests.approval.desk import effects, person, ticket
from tests.conftest import settings
from tests.factories.world import World
from tests.fakes.models import Ranked, Script

RESTOCK = {"tool": "propose_restock", "sku": "PEN", "quantity": 3, "reason": "counted"}
LOOK = {"tool": "merchant_stock"}


async def pens(sql: asyncpg.Connection, world: World) -> int:
    found: int = await sql.fetchval("select on_hand from inventory_levels where variant_id = $1", world.variants["pen"])
    return found


async def test_ones_own_words_are_enough(
    shop: Commerce, sql: asyncpg.Connection, world: World, assistants: Any
) -> None:
    north, before = await person(shop, "north", world), await pens(sql, world)
    async with assistants([RESTOCK, "Done."], "propose_restock") as (assistant, _):
        answer = await assistant.message(north, await begun(shop, north), "add 3 pens: counted")
    assert (answer.pending_confirmation, answer.actions[0].status) == (None, "done")
    assert await pens(sql, world) == before + 3


@pytest.mark.parametrize("accept", [True, False])
async def test_after_a_look_the_person_is_asked(
    shop: Commerce, sql: asyncpg.Connection, world: World, assistants: Any, accept: bool
) -> None:
    """In the same turn and in a later one: what was read stays read."""
    north, before = await person(shop, "north", world), await pens(sql, world)
    async with assistants([LOOK, "Here.", RESTOCK, "Done."], "propose_restock") as (assistant, _):
        thread = await begun(shop, north)
        await assistant.message(north, thread, "show my stock")
        asked = await assistant.message(north, thread, "add 3 pens: counted")
        assert asked.pending_confirmation is not None
        assert asked.pending_confirmation.summary == (
            f"Correct the stock of Pen (PEN) at north store by +3 units, from {before} on hand?"
        )
        assert await pens(sql, world) == before
        answer = await assistant.confirm(north, thread, asked.pending_confirmation.id, accept)
    assert [action.status for action in answer.actions] == (["done"] if accept else [])
    assert await pens(sql, world) == before + (3 if accept else 0)
    used = "select count(*) from chat_confirmations where action = 'approval.propose' and status = 'used' and thread_id = $1"
    assert await sql.fetchval(used, thread) == int(accept)


async def test_a_remembered_fact_is_no_wish(
    shop: Commerce, sql: asyncpg.Connection, world: World, assistants: Any
) -> None:
    north, before = await person(shop, "north", world), await pens(sql, world)
    async with shop.database.work(north) as work:
        await shop.chat.facts.remember(work, Remember(text="We count on Mondays"))
    async with assistants([RESTOCK], "propose_restock") as (assistant, _):
        asked = await assistant.message(north, await begun(shop, north), "add 3 pens: counted")
    assert asked.pending_confirmation is not None
    assert await pens(sql, world) == before
    async with shop.database.work(north) as work:
        await shop.chat.facts.forget_one(work, (await shop.chat.facts.facts(work))[0].id)


@pytest.mark.parametrize("gift", ["propose_goodwill", "propose_note"])
async def test_in_a_run_without_a_person_people_decide_what_moves_something(
    shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any, gift: str
) -> None:
    """A ticket's words reach a model: a gift card of 5.00, which a rule would give at once, waits; a note does not."""
    number = await ticket(shop, world)
    await settle()
    args = {"amount": 500, "reason": "it says so"} if gift == "propose_goodwill" else {"text": "Look."}
    models = Models(
        settings(model="offline"), Script(lines=[{"tool": gift, "ticket": number, **args}], asked=[], bound=[])
    )
    event = await sql.fetchval("select id from outbox_events where type = 'TicketOpened' order by id desc limit 1")
    await sql.execute("update agent_runs set trigger = 'command', ask = 'look into it' where cause = $1", event)
    async with shop.database.work(SYSTEM) as work:
        errands = await shop.errands.claim(work, 20)
    only = [errand for errand in errands if errand.cause == event]
    await Automation(shop, Supervisor(shop, models, never, Ranked, None)).carry_out(only)
    row = await sql.fetchrow(
        "select p.id, p.status, p.rule from agent_proposals p join agent_runs r on r.id = p.run_id where r.cause = $1",
        event,
    )
    assert row is not None
    proposal: UUID = row["id"]
    expected = ("waiting", "APPROVAL-11") if gift == "propose_goodwill" else ("accepted", "APPROVAL-10")
    assert (row["status"], row["rule"]) == expected
    assert await effects(sql, proposal) == (0, 0, 0)
