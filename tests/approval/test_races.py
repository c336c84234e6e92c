"""Many at once: one effect however often it is approved, and no cap is exceeded by proposals side by side."""

import asyncio
from collections import Counter
from dataclasses import replace

import asyncpg
import pytest

from commerce.app import Commerce
from kernel.errors import AgoraError
from tests.approval.desk import AGENT, TWO, WAITS, decide, effects, gesture, person, policy, ticket
from tests.factories.world import World

GOODWILL = "support.goodwill"


async def approved_by_many(shop: Commerce, sql: asyncpg.Connection, world: World, times: int, minor: int) -> None:
    people = [await person(shop, "support"), await person(shop, "admin")]
    agent = replace(AGENT, act=f"many-{times}-{minor}")
    made = await gesture(shop, await ticket(shop, world), minor, agent)
    views = await asyncio.gather(*(decide(shop, people[n % 2], made.proposal) for n in range(times)))
    assert views[-1].status == "accepted"
    assert await effects(sql, made.proposal) == (1, 1, 1)
    card = await sql.fetchval("select balance from payment_gift_cards where id = $1", made.proposal)
    entries = await sql.fetchval("select sum(amount) from ledger_entries where reference_id = $1", made.proposal)
    assert (card, entries) == (minor, minor)
    events = await sql.fetch("select type from outbox_events where key = $1 order by sequence", made.proposal)
    assert [row["type"] for row in events] == ["ProposalMade", "ProposalAccepted"]


@pytest.mark.parametrize("minor", [WAITS, TWO])
async def test_a_hundred_approvals_at_once_are_one_effect(
    shop: Commerce, sql: asyncpg.Connection, world: World, minor: int
) -> None:
    await approved_by_many(shop, sql, world, 100, minor)


@pytest.mark.soak
@pytest.mark.parametrize("minor", [WAITS, TWO])
async def test_a_thousand_approvals_at_once_are_one_effect(
    shop: Commerce, sql: asyncpg.Connection, world: World, minor: int
) -> None:
    await approved_by_many(shop, sql, world, 1000, minor)


async def test_a_yes_and_a_no_at_once_are_one_answer(shop: Commerce, sql: asyncpg.Connection, world: World) -> None:
    support, admin = await person(shop, "support"), await person(shop, "admin")
    await policy(shop, GOODWILL, "both", accept_most=None)
    for _ in range(10):
        made = await gesture(shop, await ticket(shop, world), 1, replace(AGENT, act="both"))
        answers = await asyncio.gather(
            decide(shop, support, made.proposal, True),
            decide(shop, admin, made.proposal, False),
            return_exceptions=True,
        )
        refused = [answer for answer in answers if isinstance(answer, AgoraError)]
        assert [error.code for error in refused] == ["proposal_decided"]
        status = await sql.fetchval("select status from agent_proposals where id = $1", made.proposal)
        assert await effects(sql, made.proposal) == ((1, 1, 1) if status == "accepted" else (0, 0, 0))


@pytest.mark.parametrize(
    ("cap", "rule"),
    [("party_most_a_day", "APPROVAL-6"), ("agent_most_a_day", "APPROVAL-5"), ("times_a_day", "APPROVAL-5")],
)
async def test_proposals_side_by_side_stay_below_a_cap(
    shop: Commerce, sql: asyncpg.Connection, world: World, cap: str, rule: str
) -> None:
    """Twelve of 300 each where 1,000 (or three) are allowed: three happen, nine are rejected, exactly that is booked."""
    agent = replace(AGENT, act=f"caps-{cap}")
    assert agent.act
    await policy(shop, GOODWILL, agent.act, accept_most=300, **{cap: 3 if cap == "times_a_day" else 1_000})
    numbers = [await ticket(shop, world) for _ in range(12)]
    made = await asyncio.gather(*(gesture(shop, number, 300, agent) for number in numbers))
    assert Counter((one.status, one.rule) for one in made) == {("accepted", "APPROVAL-10"): 3, ("rejected", rule): 9}
    caps = await sql.fetch("select scope, used, times from agent_caps where agent = $1 order by scope", agent.act)
    party = f"customer:{world.customers['ann']}"
    assert [tuple(row) for row in caps] == [("agent", 900, 3), (party, 900, 3)]
    given = await sql.fetchval(
        "select sum(balance) from payment_gift_cards where id = any($1)", [one.proposal for one in made]
    )
    assert given == 900


async def test_two_gestures_that_together_exceed_the_days_cap(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    agent = replace(AGENT, act="pair")
    await policy(shop, GOODWILL, "pair", accept_most=600, agent_most_a_day=1_000)
    numbers = [await ticket(shop, world) for _ in range(2)]
    made = await asyncio.gather(*(gesture(shop, number, 600, agent) for number in numbers))
    assert sorted(one.status for one in made) == ["accepted", "rejected"]


async def test_the_same_proposal_at_once_is_one(shop: Commerce, sql: asyncpg.Connection, world: World) -> None:
    number = await ticket(shop, world, "ben")
    agent = replace(AGENT, act="twins")
    made = await asyncio.gather(*(gesture(shop, number, WAITS, agent) for _ in range(10)))
    assert len({one.proposal for one in made}) == 1
    assert await sql.fetchval("select used from agent_caps where agent = 'twins' and scope = 'agent'") == WAITS
