"""Whatever comes twice at once has one effect: a yes in a chat, a yes to a proposal, a message to an agent."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from commerce.app import Commerce
from commerce.chat.errors import ThreadBusy
from commerce.chat.schemas import ChatAnswer
from commerce.orchestration.schemas import AskAgent
from graphs.assistant import Assistant
from graphs.automation import Automation
from kernel.auth import SYSTEM
from tests.agents.test_chat_writes import begun
from tests.approval.desk import AGENT, decide, effects, gesture, person, policy, ticket
from tests.factories.books import broken
from tests.factories.world import World
from tests.safety.conftest import Scene

SIDE_BY_SIDE = 10
Puppets = tuple[Assistant, Automation]


async def side_by_side(count: int, one: Callable[[int], Awaitable[None]]) -> None:
    """`one(0)` to `one(count - 1)`, a few at a time."""
    left = iter(range(count))

    async def worker() -> None:
        for number in left:
            await one(number)

    await asyncio.gather(*(worker() for _ in range(min(SIDE_BY_SIDE, count))))


async def confirms(puppets: Puppets, shop: Commerce, sql: asyncpg.Connection, scene: Scene, count: int) -> None:
    """Each of many questions gets two yeses at once, and a third one later."""
    ann, found = scene.people["ann"], Counter[str]()
    tickets = "select count(*) from support_tickets where subject like 'double-%'"
    used = "select count(*) from chat_confirmations where tool = 'open_ticket' and status = 'used'"
    noted = "select count(*) from audit_log where action = 'tool.open_ticket'"
    before = [await sql.fetchval(query) for query in (tickets, used, noted)]

    async def one(number: int) -> None:
        wish = f'support: open_ticket with {{"subject": "double-{number}", "text": "t"}}'
        thread = await begun(shop, ann)
        asked = await puppets[0].message(ann, thread, wish)
        assert asked.pending_confirmation is not None
        question = asked.pending_confirmation.id
        answers = await asyncio.gather(
            *(puppets[0].confirm(ann, thread, question, True) for _ in range(2)), return_exceptions=True
        )
        answers.append(await puppets[0].confirm(ann, thread, question, True))
        for answer in answers:
            assert isinstance(answer, ChatAnswer | ThreadBusy), answer
            found[type(answer).__name__] += 1
        assert isinstance(answers[-1], ChatAnswer)
        assert [(action.tool, action.status) for action in answers[-1].actions] == [("open_ticket", "done")]

    await side_by_side(count, one)
    assert found.total() == 3 * count
    after = [await sql.fetchval(query) for query in (tickets, used, noted)]
    assert [now - then for now, then in zip(after, before, strict=True)] == [count] * 3


async def test_a_hundred_double_yeses(puppets: Puppets, shop: Commerce, sql: Any, scene: Scene) -> None:
    await confirms(puppets, shop, sql, scene, 100)


@pytest.mark.soak
async def test_a_thousand_double_yeses(puppets: Puppets, shop: Commerce, sql: Any, scene: Scene) -> None:
    await confirms(puppets, shop, sql, scene, 1_000)


async def one_question(puppets: Puppets, shop: Commerce, sql: asyncpg.Connection, scene: Scene, count: int) -> None:
    """One question, many yeses at once: who comes second waits, or hears the same answer."""
    ben, thread = scene.people["ben"], await begun(shop, scene.people["ben"])
    asked = await puppets[0].message(ben, thread, 'order: add_to_cart with {"sku": "PEN", "quantity": 7}')
    assert asked.pending_confirmation is not None
    question = asked.pending_confirmation.id
    done: list[ChatAnswer] = []

    async def one(_: int) -> None:
        try:
            done.append(await puppets[0].confirm(ben, thread, question, True))
        except ThreadBusy:
            await asyncio.sleep(0.01)

    before = await sql.fetchval("select coalesce(sum(quantity), 0) from cart_lines")
    await side_by_side(count, one)
    assert {[(a.tool, a.status) for a in answer.actions][-1] for answer in done} <= {("add_to_cart", "done")}
    assert await sql.fetchval("select coalesce(sum(quantity), 0) from cart_lines") == before + 7
    made = "select count(*) from agent_tool_calls c join agent_runs r on r.id = c.run_id where r.cause = $1"
    assert await sql.fetchval(made, question) == 1


async def test_a_hundred_yeses_to_one_question(puppets: Puppets, shop: Commerce, sql: Any, scene: Scene) -> None:
    await one_question(puppets, shop, sql, scene, 100)


@pytest.mark.soak
async def test_a_thousand_yeses_to_one_question(puppets: Puppets, shop: Commerce, sql: Any, scene: Scene) -> None:
    await one_question(puppets, shop, sql, scene, 1_000)


async def approvals(shop: Commerce, sql: asyncpg.Connection, world: World, count: int) -> None:
    """Each of many proposals is accepted by two people at once: one gift card each, and its money once."""
    people = [await person(shop, "support"), await person(shop, "admin")]
    agent = replace(AGENT, act=f"doubles-{count}")
    assert agent.act
    await policy(shop, "support.goodwill", agent.act, accept_most=None, times_a_day=10_000)
    made = []
    for number in range(count):
        made.append(await gesture(shop, await ticket(shop, world, ("ann", "ben")[number % 2]), 1, agent))

    async def one(number: int) -> None:
        views = await asyncio.gather(*(decide(shop, who, made[number].proposal) for who in people))
        assert [view.status for view in views] == ["accepted", "accepted"]

    await side_by_side(count, one)
    assert [await effects(sql, proposal.proposal) for proposal in made] == [(1, 1, 1)] * count
    given = "select sum(balance) from payment_gift_cards where id = any($1)"
    assert await sql.fetchval(given, [proposal.proposal for proposal in made]) == count
    assert await broken(sql) == {}


async def test_a_hundred_double_approvals(shop: Commerce, sql: asyncpg.Connection, world: World) -> None:
    await approvals(shop, sql, world, 100)


@pytest.mark.soak
async def test_a_thousand_double_approvals(shop: Commerce, sql: asyncpg.Connection, world: World) -> None:
    await approvals(shop, sql, world, 1_000)


async def redeliveries(
    puppets: Puppets, shop: Commerce, sql: asyncpg.Connection, scene: Scene, settle: Any, count: int
) -> None:
    """Many commands, each delivered twice, carried out by two workers at once: one run, one note, one answer each."""
    ask = f'propose_note with {{"ticket": "{scene.facts["ticket"]}", "text": "note"}}'
    queries = (
        "select count(*) from agent_runs where trigger = 'command' and status = 'done'",
        "select count(*) from support_ticket_messages where internal and body = 'note'",
        "select count(*) from outbox_events e join agent_runs r on r.cause = e.key "
        "where e.type = 'AgentAnswered' and r.trigger = 'command'",
    )
    before = [await sql.fetchval(query) for query in queries]
    async with shop.database.work(SYSTEM) as work:
        for _ in range(count):
            await shop.errands.send(work, "command", "support", AskAgent(text=ask))
    await settle()
    await sql.execute("update transport_cursors set position = 0")
    await sql.execute("delete from inbox_events where consumer = 'orchestration.errands'")
    await settle()

    async def worker() -> None:
        while True:
            async with shop.database.work(SYSTEM) as work:
                errands = await shop.errands.claim(work)
            if not errands:
                return
            await puppets[1].carry_out(errands)

    await asyncio.gather(worker(), worker())
    after = [await sql.fetchval(query) for query in queries]
    assert [now - then for now, then in zip(after, before, strict=True)] == [count] * 3


async def test_a_hundred_redelivered_commands(
    puppets: Puppets, shop: Commerce, sql: asyncpg.Connection, scene: Scene, settle: Any
) -> None:
    await redeliveries(puppets, shop, sql, scene, settle, 100)


@pytest.mark.soak
async def test_a_thousand_redelivered_commands(
    puppets: Puppets, shop: Commerce, sql: asyncpg.Connection, scene: Scene, settle: Any
) -> None:
    await redeliveries(puppets, shop, sql, scene, settle, 1_000)
