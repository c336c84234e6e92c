"""Many at once: one effect however often it is approved, and no cap is exceeded by proposals side by side."""

import asyncio
import random
from collections import Counter
from dataclasses import replace

import asyncpg
import pytest

from commerce.app import Commerce
from commerce.approval.errors import ContraryDecision, ProposalOver
from kernel.auth import Principal
from kernel.errors import AgoraError
from kernel.ids import public
from tests.approval.desk import AGENT, TWO, WAITS, decide, effects, gesture, person, policy, ticket
from tests.approval.test_kinds import new_price
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


async def test_opposites_at_once_leave_one_and_it_is_the_careful_one(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    await policy(shop, "pricing.price", "pricing", accept_most=None)
    lamp = public("var", world.variants["lamp"])
    for _ in range(10):
        steps = [new_price(shop, "LAMP", minor) for minor in (5_900, 6_100, 5_800, 6_200)]
        made = await asyncio.gather(*steps)
        rows = await sql.fetch("select id, summary from agent_proposals where object = $1 and status = 'waiting'", lamp)
        assert [row["summary"].split(" to ")[1][:9] for row in rows] == ["59.00 EUR"], made
        await decide(shop, await person(shop, "admin"), rows[0]["id"], False)
    rejected = await sql.fetchval(
        "select count(*) from agent_proposals where object = $1 and status = 'rejected'", lamp
    )
    assert rejected == 40
    assert await sql.fetchval("select used from agent_caps where agent = 'pricing' and scope = 'agent'") == 0


async def test_agents_that_displace_each_other_do_not_wait_for_each_other(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    """Each books its own caps and gives back the other's: the caps are locked in one order."""
    one, two = replace(AGENT, act="cross-1"), replace(AGENT, act="cross-2")
    for name in ("cross-1", "cross-2"):
        await policy(shop, GOODWILL, name)
    for _ in range(15):
        first, second = await ticket(shop, world), await ticket(shop, world, "ben")
        await gesture(shop, first, 200, one)
        await gesture(shop, second, 200, two)
        await asyncio.gather(gesture(shop, second, 100, one), gesture(shop, first, 100, two))
    caps = await sql.fetch(
        "select agent, used, times from agent_caps where agent like 'cross-%' and scope = 'agent' order by 1"
    )
    assert [tuple(row) for row in caps] == [("cross-1", 1_500, 15), ("cross-2", 1_500, 15)]


async def proposes_and_decides(
    shop: Commerce, chance: random.Random, numbers: list[str], people: list[Principal]
) -> None:
    """One step of somebody: proposes anything for any ticket, or decides anything that waits; or the clock does."""
    agent = replace(AGENT, act=f"storm-{chance.randrange(2)}")
    if chance.random() < 0.5:
        await gesture(shop, chance.choice(numbers), chance.choice([100, 200, 900, 1_500]), agent)
        return
    async with shop.database.work(people[0]) as work:
        waiting = (await shop.approval.page(work, "waiting", agent.act)).items
    if waiting:
        await decide(shop, chance.choice(people), chance.choice(waiting).id, chance.random() < 0.5)


async def storm(shop: Commerce, sql: asyncpg.Connection, world: World, seed: int, steps: int) -> None:
    """Whatever happens side by side: no deadlock, the caps hold exactly what waits or was given, and each gift is one."""
    for name in ("storm-0", "storm-1"):
        await policy(shop, GOODWILL, name, accept_most=250, two_from=1_000, agent_most_a_day=20_000)
    numbers = [await ticket(shop, world, name) for name in ("ann", "ben", "ann", "ben")]
    people, chance = [await person(shop, "support"), await person(shop, "admin")], random.Random(seed)
    done = await asyncio.gather(
        *(proposes_and_decides(shop, chance, numbers, people) for _ in range(steps)), return_exceptions=True
    )
    refused = {type(one) for one in done if isinstance(one, BaseException)}
    assert refused <= {ContraryDecision, ProposalOver}, refused
    booked = await sql.fetch(
        "select agent, sum(used) as used, sum(times) as times from agent_caps where agent like 'storm-%' and scope = 'agent' "
        "group by agent order by agent"
    )
    held = await sql.fetch(
        "select agent, sum(amount) as used, count(*) as times from agent_proposals where agent like 'storm-%' "
        "and status in ('waiting', 'accepted') group by agent order by agent"
    )
    assert [tuple(row) for row in booked] == [tuple(row) for row in held]
    given = await sql.fetchrow(
        "select count(*) as cards, sum(balance) as balance from payment_gift_cards c "
        "join agent_proposals p on p.id = c.id where p.agent like 'storm-%'"
    )
    accepted = await sql.fetchrow(
        "select count(*) as cards, sum(amount) as balance from agent_proposals "
        "where agent like 'storm-%' and status = 'accepted'"
    )
    assert tuple(given) == tuple(accepted)
    assert accepted["cards"] > 0


async def test_a_storm_of_proposals_and_decisions_adds_up(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    await storm(shop, sql, world, 1, 120)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 12))
async def test_ten_storms_add_up(shop: Commerce, sql: asyncpg.Connection, world: World, seed: int) -> None:
    await storm(shop, sql, world, seed, 400)


async def test_the_same_proposal_at_once_is_one(shop: Commerce, sql: asyncpg.Connection, world: World) -> None:
    number = await ticket(shop, world, "ben")
    agent = replace(AGENT, act="twins")
    made = await asyncio.gather(*(gesture(shop, number, WAITS, agent) for _ in range(10)))
    assert len({one.proposal for one in made}) == 1
    assert await sql.fetchval("select used from agent_caps where agent = 'twins' and scope = 'agent'") == WAITS
