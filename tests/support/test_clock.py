"""The clock of a ticket in Postgres: it never moves silently, warns once, escalates once."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from commerce.app import Commerce
from commerce.support.schemas import MoveTicket, Rate, Reply, SetTargets, TicketView
from kernel.auth import SYSTEM, Principal
from kernel.errors import Conflict
from tests.factories.world import World
from tests.support.people import Hands, customer, opened_by, staff
from workers import schedule

FIRST, WHOLE = timedelta(minutes=480), timedelta(minutes=4320)
"""What the migrations promise for a normal question."""


@pytest.fixture
async def hands(shop: Commerce) -> AsyncIterator[Hands]:
    real, shop.database.clock = shop.database.clock, Hands()
    yield shop.database.clock
    shop.database.clock = real


@pytest.fixture(autouse=True)
async def _no_other_tickets(sql: asyncpg.Connection) -> None:
    """Each test watches its own tickets only; the superuser may do what the shop may not."""
    await sql.execute("truncate chat_handoffs, support_tickets, support_ticket_events, support_ticket_messages, "
                      "support_escalations, support_satisfaction")  # fmt: skip


async def kinds(sql: asyncpg.Connection, ticket: TicketView) -> list[str]:
    rows = await sql.fetch(
        "select kind, number from support_ticket_events where ticket_id = $1 order by number", ticket.id
    )
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    return [row["kind"] for row in rows]


async def said(shop: Commerce, who: Principal, ticket: TicketView, **fields: Any) -> TicketView:
    async with shop.database.work(who) as work:
        return await shop.support.reply(work, ticket.id, Reply(**{"body": "Hello.", **fields}))


async def moved(shop: Commerce, who: Principal, ticket: TicketView, status: str) -> TicketView:
    async with shop.database.work(who) as work:
        return await shop.support.move(work, ticket.id, MoveTicket(status=status))


async def desk(shop: Commerce, ticket: TicketView) -> Any:
    async with shop.database.work(staff(shop)) as work:
        return (await shop.support.view(work, ticket.id)).desk


async def emitted(sql: asyncpg.Connection, ticket: TicketView) -> list[tuple[str, dict[str, Any]]]:
    rows = await sql.fetch("select type, payload::text from outbox_events where key = $1 order by id", ticket.id)
    found = [(row["type"], json.loads(row["payload"])) for row in rows]
    return [(kind, {name: value for name, value in facts.items() if name != "ticket_id"}) for kind, facts in found]


async def test_every_pause_is_told_and_given_back_to_the_minute(
    shop: Commerce, sql: asyncpg.Connection, world: World, hands: Hands
) -> None:
    ann = customer(shop, world)
    ticket, opened_at = await opened_by(shop, ann), hands.now
    hands.on(hours=1)
    await said(shop, staff(shop), ticket)
    assert (await desk(shop, ticket)).paused_at == hands.now
    hands.on(hours=30)
    await said(shop, ann, ticket)
    found = await desk(shop, ticket)
    assert (found.resolution_due_at, found.paused_at) == (opened_at + WHOLE + timedelta(hours=30), None)
    assert found.first_response_due_at == opened_at + FIRST
    assert found.first_responded_at == opened_at + timedelta(hours=1)
    hands.on(hours=1)
    await moved(shop, staff(shop), ticket, "pending")
    hands.on(hours=2)
    await moved(shop, staff(shop), ticket, "solved")
    hands.on(hours=5)
    again = await said(shop, ann, ticket)
    assert again.status == "open"
    assert (await desk(shop, ticket)).resolution_due_at == opened_at + WHOLE + timedelta(hours=37)
    assert await kinds(sql, ticket) == [
        *("opened", "replied", "status_changed", "clock_paused", "replied", "status_changed", "clock_resumed"),
        *("status_changed", "clock_paused", "status_changed", "clock_resumed", "clock_stopped"),
        *("replied", "reopened", "clock_restarted"),
    ]


async def test_the_database_refuses_a_clock_that_moves_without_a_word(
    shop: Commerce, sql: asyncpg.Connection, world: World, hands: Hands
) -> None:
    ticket = await opened_by(shop, customer(shop, world))
    before = await sql.fetchrow("select * from support_tickets where id = $1", ticket.id)
    for change in (
        "status = 'pending', paused_at = now()",
        "status = 'solved', solved_at = now()",
        "resolution_due_at = resolution_due_at + interval '1 day'",
        "first_response_due_at = first_response_due_at + interval '1 day', events = events + 1",
    ):
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await sql.execute(f"update support_tickets set {change} where id = $1", ticket.id)
        assert refused.value.constraint_name == "support_tickets_clock_told"
    for change in ("status = 'pending'", "paused_at = now()", "status = 'closed'"):
        with pytest.raises(asyncpg.CheckViolationError):
            await sql.execute(f"update support_tickets set {change} where id = $1", ticket.id)
    assert await sql.fetchrow("select * from support_tickets where id = $1", ticket.id) == before


async def test_history_cannot_be_rewritten(shop: Commerce, world: World, hands: Hands) -> None:
    await opened_by(shop, customer(shop, world))
    for statement in ("update support_ticket_events set kind = 'noted'", "delete from support_ticket_events"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with shop.database.work(SYSTEM) as work:
                await work.run(statement)


async def test_a_target_is_warned_of_once_and_missed_once(
    shop: Commerce, sql: asyncpg.Connection, world: World, hands: Hands
) -> None:
    ticket = await opened_by(shop, customer(shop, world))
    hands.on(minutes=480 * 4 / 5 - 1)
    await schedule.sla_at_risk(shop)
    assert await kinds(sql, ticket) == ["opened"]
    hands.on(minutes=1)
    for _ in range(3):
        await schedule.sla_at_risk(shop)
    assert await kinds(sql, ticket) == ["opened", "first_response_at_risk"]
    hands.on(minutes=96)
    for _ in range(3):
        await schedule.sla_at_risk(shop)
    assert await kinds(sql, ticket) == ["opened", "first_response_at_risk", "first_response_breached", "escalated"]
    hands.on(days=5)
    for _ in range(3):
        await schedule.sla_at_risk(shop)
    assert (await kinds(sql, ticket))[4:] == ["resolution_breached", "escalated"]
    assert (await emitted(sql, ticket))[1:] == [
        ("SlaAtRisk", {"target": "first_response", "minutes_left": 96}),
        ("TicketEscalated", {"level": 1, "reason": "first_response_breached"}),
        ("TicketEscalated", {"level": 2, "reason": "resolution_breached"}),
    ]
    rows = await sql.fetch("select level, reason, actor from support_escalations order by level")
    assert [tuple(row) for row in rows] == [
        (1, "first_response_breached", "system"),
        (2, "resolution_breached", "system"),
    ]


async def test_nothing_is_missed_while_the_owner_is_waited_for(
    shop: Commerce, sql: asyncpg.Connection, world: World, hands: Hands
) -> None:
    ann = customer(shop, world)
    ticket = await opened_by(shop, ann)
    await said(shop, staff(shop), ticket)
    hands.on(days=30)
    await schedule.sla_at_risk(shop)
    assert (await kinds(sql, ticket))[-1] == "clock_paused"
    await said(shop, ann, ticket)
    hands.on(minutes=4320 * 4 / 5)
    await schedule.sla_at_risk(shop)
    assert (await kinds(sql, ticket))[-1] == "resolution_at_risk"
    assert (await emitted(sql, ticket))[-1] == ("SlaAtRisk", {"target": "resolution", "minutes_left": 864})


async def test_a_question_put_to_pending_unanswered_still_owes_its_first_response(
    shop: Commerce, sql: asyncpg.Connection, world: World, hands: Hands
) -> None:
    ticket = await opened_by(shop, customer(shop, world))
    await moved(shop, staff(shop), ticket, "pending")
    hands.on(days=1)
    await schedule.sla_at_risk(shop)
    assert (await kinds(sql, ticket))[-2:] == ["first_response_breached", "escalated"]


async def test_a_solved_ticket_closes_after_seven_days_and_stays_closed(
    shop: Commerce, sql: asyncpg.Connection, world: World, hands: Hands
) -> None:
    ann = customer(shop, world)
    ticket = await opened_by(shop, ann)
    await said(shop, staff(shop), ticket, then="solved")
    hands.on(days=6, hours=23)
    await schedule.sla_at_risk(shop)
    assert await sql.fetchval("select status from support_tickets where id = $1", ticket.id) == "solved"
    hands.on(hours=1)
    await schedule.sla_at_risk(shop)
    before = await kinds(sql, ticket)
    assert before[-2:] == ["clock_stopped", "status_changed"]
    for attempt in (
        said(shop, ann, ticket),
        said(shop, staff(shop), ticket, internal=True),
        moved(shop, ann, ticket, "open"),
        moved(shop, staff(shop), ticket, "open"),
    ):
        with pytest.raises(Conflict):
            await attempt
    assert await kinds(sql, ticket) == before
    assert await sql.fetchval("select count(*) from support_ticket_messages where ticket_id = $1", ticket.id) == 2
    async with shop.database.work(ann) as work:
        assert (await shop.support.rate(work, ticket.id, Rate(score=4))).score == 4


async def test_a_changed_target_holds_for_new_tickets_alone(
    shop: Commerce, sql: asyncpg.Connection, world: World, hands: Hands
) -> None:
    ann = customer(shop, world)
    old = await opened_by(shop, ann, priority="low")
    async with shop.database.work(shop.identity.as_role("admin")) as work:
        await shop.support.set_targets(work, "low", SetTargets(first_response_minutes=10, resolution_minutes=20))
    new = await opened_by(shop, ann, priority="low")
    assert (await desk(shop, old)).first_response_due_at == hands.now + timedelta(minutes=1440)
    assert (await desk(shop, new)).first_response_due_at == hands.now + timedelta(minutes=10)
    assert (await desk(shop, new)).resolution_due_at == hands.now + timedelta(minutes=20)
