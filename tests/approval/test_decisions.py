"""A proposal is decided once, by the people it needs, on exactly what they were shown; a refusal changes nothing."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from commerce.app import Commerce
from commerce.approval.errors import (
    ContraryDecision,
    OwnProposal,
    PersonNeeded,
    ProposalChanged,
    ProposalLapsed,
    ProposalOver,
    UnknownProposal,
)
from commerce.orchestration.errors import AgentSwitchedOff
from commerce.orchestration.schemas import ChangeAgent
from commerce.support.schemas import MoveTicket
from kernel.auth import SYSTEM
from kernel.errors import AgoraError, Forbidden
from kernel.ids import new_id
from tests.approval.desk import AGENT, TWO, WAITS, decide, effects, everything, gesture, person, policy, ticket
from tests.conftest import opened
from tests.factories.world import World
from tests.support.people import customer
from workers import schedule

GOODWILL = "support.goodwill"


@pytest.fixture(scope="module", autouse=True)
async def roomy(shop: Commerce) -> None:
    """The kind's own limits without those of a day: many tests share it."""
    await policy(shop, GOODWILL, accept_most=1_000, two_from=10_000, most=50_000)


async def test_a_small_gesture_is_given_at_once(shop: Commerce, sql: asyncpg.Connection, world: World) -> None:
    made = await gesture(shop, await ticket(shop, world), 1_000)
    assert (made.status, made.rule, made.code) == ("accepted", "APPROVAL-10", None)
    assert await effects(sql, made.proposal) == (1, 1, 1)
    card = await sql.fetchrow("select balance, currency from payment_gift_cards where id = $1", made.proposal)
    assert tuple(card) == (1_000, "EUR")
    owner = await sql.fetchval("select customer_id from payment_methods where gift_card_id = $1", made.proposal)
    assert owner == world.customers["ann"]
    said = await sql.fetch("select decider, accept, note from agent_decisions where proposal_id = $1", made.proposal)
    assert [tuple(row) for row in said] == [("policy", True, "APPROVAL-10")]


async def test_one_person_decides_and_the_customer_hears_of_it(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    number, support = await ticket(shop, world), await person(shop, "support")
    made = await gesture(shop, number)
    assert (made.status, made.rule) == ("waiting", "APPROVAL-7")
    assert await effects(sql, made.proposal) == (0, 0, 0)
    seen = await decide(shop, support, made.proposal, note="Fair.")
    assert (seen.status, seen.needed) == ("accepted", 1)
    assert [(d.decider, d.accept, d.note) for d in seen.decisions] == [(support.subject, True, "Fair.")]
    assert await effects(sql, made.proposal) == (1, 1, 1)
    async with shop.database.work(customer(shop, world)) as work:
        told = await shop.support.find(work, number)
    assert told.messages[-1].body.startswith("We have added a gift card of 50.00 EUR")
    kinds = await sql.fetch("select type from outbox_events where key = $1 order by sequence", made.proposal)
    assert [row["type"] for row in kinds] == ["ProposalMade", "ProposalAccepted"]


async def test_the_same_answer_again_is_the_same_and_the_contrary_is_refused(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    support, admin = await person(shop, "support"), await person(shop, "admin")
    made = await gesture(shop, await ticket(shop, world))
    first = await decide(shop, support, made.proposal)
    before = await everything(sql)
    assert await decide(shop, support, made.proposal) == first
    assert await decide(shop, admin, made.proposal) == first
    with pytest.raises(ContraryDecision):
        await decide(shop, support, made.proposal, False)
    with pytest.raises(ProposalOver):
        await decide(shop, admin, made.proposal, False)
    assert await everything(sql) == before


async def test_a_no_ends_it_and_frees_what_it_held(shop: Commerce, sql: asyncpg.Connection, world: World) -> None:
    support, admin = await person(shop, "support"), await person(shop, "admin")
    caps = "select scope, used, times from agent_caps where agent = 'support' order by scope"
    before = await sql.fetch(caps)
    made = await gesture(shop, await ticket(shop, world))
    assert await sql.fetch(caps) != before
    seen = await decide(shop, support, made.proposal, False, note="Too much.")
    assert (seen.status, seen.result) == ("rejected", None)
    assert await sql.fetch(caps) == before
    with pytest.raises(ProposalOver):
        await decide(shop, admin, made.proposal)
    assert await effects(sql, made.proposal) == (0, 0, 0)


async def test_from_the_second_limit_on_two_different_people_agree(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    support, admin = await person(shop, "support"), await person(shop, "admin")
    made = await gesture(shop, await ticket(shop, world, "ben"), TWO)
    assert (made.status, made.rule) == ("waiting", "APPROVAL-8")
    for _ in range(2):
        assert (await decide(shop, support, made.proposal)).status == "waiting"
        assert await effects(sql, made.proposal) == (0, 0, 0)
    seen = await decide(shop, admin, made.proposal)
    assert (seen.status, len(seen.decisions)) == ("accepted", 2)
    assert await effects(sql, made.proposal) == (1, 1, 1)


async def test_postgres_itself_wants_the_people_it_needs(shop: Commerce, sql: asyncpg.Connection, world: World) -> None:
    """The laws hold for whoever writes past the service: too few people, a changed content, a second decision."""
    made = await gesture(shop, await ticket(shop, world, "ben"), WAITS)
    mine = ("where id = $1", made.proposal)
    for change in (
        "status = 'accepted', decided_at = now()",
        "amount = 1",
        "arguments = '{}'",
        "needed = 2",
        "digest = decode('00', 'hex')",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await sql.execute(f"update agent_proposals set {change} {mine[0]}", mine[1])
    row = await sql.fetchrow("select * from agent_proposals where id = $1", made.proposal)
    vote = "insert into agent_decisions values ($1, $2, true, '', $3, $4, now())"
    with pytest.raises(asyncpg.CheckViolationError):
        await sql.execute(vote, made.proposal, row["subject"], row["digest"], row["subject"])
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await sql.execute(vote, made.proposal, "user:x", b"another hash", row["subject"])
    await decide(shop, await person(shop, "support"), made.proposal, False)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await sql.execute("update agent_proposals set status = 'accepted' where id = $1", made.proposal)
    async with shop.database.work(SYSTEM) as work:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await work.run("delete from agent_decisions")


async def test_what_was_not_decided_in_time_cannot_be_used(
    ground: Any, url: str, shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    support = await person(shop, "support")
    caps = "select scope, used, times from agent_caps where agent = 'support' order by scope"
    before = await sql.fetch(caps)
    made = await gesture(shop, await ticket(shop, world, "ben"))
    clock = shop.database.clock
    async with opened(url) as later:
        later.database.clock = lambda: clock() + timedelta(days=4)
        unchanged = await everything(sql)
        with pytest.raises(ProposalLapsed):
            await decide(later, support, made.proposal)
        with pytest.raises(ProposalLapsed):
            await decide(later, support, made.proposal, False)
        assert await everything(sql) == unchanged
        await schedule.expire_proposals(later)
        with pytest.raises(ProposalLapsed):
            await decide(later, support, made.proposal)
    assert await sql.fetchval("select status from agent_proposals where id = $1", made.proposal) == "expired"
    assert [r for r in await sql.fetch(caps) if r["scope"] == "agent"] == [r for r in before if r["scope"] == "agent"]
    last = "select type from outbox_events where key = $1 order by sequence desc limit 1"
    assert await sql.fetchval(last, made.proposal) == "ProposalExpired"
    assert await effects(sql, made.proposal) == (0, 0, 0)


async def test_another_hash_is_refused(shop: Commerce, sql: asyncpg.Connection, world: World) -> None:
    """The hash that was shown must be the proposal's; and a row that somebody changed in the database is not it either."""
    support = await person(shop, "support")
    made = await gesture(shop, await ticket(shop, world, "ben"))
    before = await everything(sql)
    with pytest.raises(ProposalChanged):
        await decide(shop, support, made.proposal, digest="0" * 64)
    assert await everything(sql) == before
    digest = await sql.fetchval("select encode(digest, 'hex') from agent_proposals where id = $1", made.proposal)
    await sql.execute("alter table agent_proposals disable trigger agent_proposals_guard")
    await sql.execute("update agent_proposals set amount = amount * 100 where id = $1", made.proposal)
    await sql.execute("alter table agent_proposals enable trigger agent_proposals_guard")
    before = await everything(sql)
    for accept in (True, False):
        with pytest.raises(ProposalChanged):
            await decide(shop, support, made.proposal, accept, digest=digest)
    assert await everything(sql) == before
    assert await effects(sql, made.proposal) == (0, 0, 0)


async def test_who_may_not_decide_changes_nothing(shop: Commerce, sql: asyncpg.Connection, world: World) -> None:
    support, north = await person(shop, "support"), await person(shop, "north", world)
    number = await ticket(shop, world, "ben")
    own = await gesture(shop, number, WAITS, support)
    before = await everything(sql)
    refused: list[tuple[Any, type[AgoraError]]] = [
        (support, OwnProposal),
        (replace(support, act="support"), PersonNeeded),
        (SYSTEM, PersonNeeded),
        (AGENT, Forbidden),
        (north, UnknownProposal),
        (customer(shop, world), Forbidden),
        (replace(await person(shop, "admin"), permissions=frozenset({"approval:decide"})), Forbidden),
    ]
    for who, error in refused:
        for accept in (True, False):
            with pytest.raises(error):
                await decide(shop, who, own.proposal, accept)
    with pytest.raises(UnknownProposal):
        await decide(shop, support, new_id())
    assert await everything(sql) == before
    assert (await decide(shop, await person(shop, "admin"), own.proposal)).status == "accepted"


async def test_a_switched_off_agent_neither_proposes_nor_is_carried_out(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    support, number = await person(shop, "support"), await ticket(shop, world, "ben")
    made = await gesture(shop, number)
    async with shop.database.work(SYSTEM) as work:
        await shop.runs.switch(work, "support", ChangeAgent(enabled=False))
    before = await everything(sql)
    with pytest.raises(AgentSwitchedOff):
        await gesture(shop, number, 1)
    with pytest.raises(AgentSwitchedOff):
        await decide(shop, support, made.proposal)
    assert await everything(sql) == before
    async with shop.database.work(SYSTEM) as work:
        await shop.runs.switch(work, "support", ChangeAgent(enabled=True))
    assert (await decide(shop, support, made.proposal)).status == "accepted"
    assert await effects(sql, made.proposal) == (1, 1, 1)


async def test_when_the_state_moved_on_it_fails_and_changes_nothing_else(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    support, number = await person(shop, "support"), await ticket(shop, world, "ben")
    caps = "select scope, used, times from agent_caps where agent = 'support' order by scope"
    before = await sql.fetch(caps)
    made = await gesture(shop, number)
    async with shop.database.work(SYSTEM) as work:
        solved = await shop.support.find(work, number)
        await shop.support.move(work, solved.id, MoveTicket(status="solved"))
    async with shop.database.work(SYSTEM) as work:
        work.now += timedelta(days=8)
        await shop.support.close_solved(work)
    messages = await sql.fetchval("select count(*) from support_ticket_messages")
    seen = await decide(shop, support, made.proposal)
    assert (seen.status, seen.code, seen.result) == ("failed", "ticket_closed", None)
    assert await effects(sql, made.proposal) == (0, 0, 0)
    assert await sql.fetchval("select count(*) from support_ticket_messages") == messages
    assert await sql.fetch(caps) == before
    assert (await decide(shop, support, made.proposal)).status == "failed"
    facts = await sql.fetch("select type from outbox_events where key = $1 order by sequence", made.proposal)
    assert [row["type"] for row in facts] == ["ProposalMade", "ProposalFailed"]


async def test_the_same_proposal_again_is_the_one_that_waits(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    number = await ticket(shop, world, "ben")
    made = await gesture(shop, number)
    before = await everything(sql)
    assert await gesture(shop, number) == made
    assert await everything(sql) == before


@pytest.mark.parametrize(
    ("limits", "minor", "rule"),
    [
        ({"enabled": False}, 1, "APPROVAL-1"),
        ({"most": 99}, 100, "APPROVAL-2"),
        ({"agent_most_a_day": 99}, 100, "APPROVAL-5"),
        ({"times_a_day": 0}, 1, "APPROVAL-5"),
        ({"party_most_a_day": 99}, 100, "APPROVAL-6"),
    ],
)
async def test_a_limit_rejects_and_books_nothing(
    shop: Commerce, sql: asyncpg.Connection, world: World, limits: dict[str, Any], minor: int, rule: str
) -> None:
    agent = replace(AGENT, act=f"agent-{rule}-{len(limits)}-{next(iter(limits))}")
    assert agent.act
    await policy(shop, GOODWILL, agent.act, accept_most=1_000_000, **limits)
    made = await gesture(shop, await ticket(shop, world), minor, agent)
    assert (made.status, made.rule) == ("rejected", rule)
    assert await effects(sql, made.proposal) == (0, 0, 0)
    assert await sql.fetchval("select coalesce(sum(used + times), 0) from agent_caps where agent = $1", agent.act) == 0
    said = await sql.fetchrow("select decider, accept, note from agent_decisions where proposal_id = $1", made.proposal)
    assert tuple(said) == ("policy", False, rule)
