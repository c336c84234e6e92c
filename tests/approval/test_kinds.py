"""What can be proposed, each through its service: a verdict on a risky purchase, a price, a stock correction."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from commerce.approval import Accepted, Draft, Kind, Policy, Proposed
from commerce.approval.errors import UnknownKind
from commerce.checkout.errors import NothingToReview
from commerce.inventory import OwnStock
from commerce.inventory.errors import LocationNeeded
from commerce.inventory.schemas import AdjustStock
from commerce.pricing.errors import PriceUnchanged
from commerce.pricing.schemas import SetPrice
from kernel.auth import SYSTEM, Principal
from kernel.db import Work
from kernel.errors import Unavailable
from kernel.ids import new_id, parse, public
from kernel.money import Money
from tests.approval.desk import AGENT, decide, everything, person, policy
from tests.factories.api import guest
from tests.factories.world import World

PRICER = replace(AGENT, act="pricing")
KEEPER = replace(AGENT, act="inventory")


@pytest.fixture(scope="module", autouse=True)
async def careful(shop: Commerce) -> None:
    """Two people for the purchases of these tests."""
    await policy(shop, "payment.review_verdict", "payment", two_from=500_000, minutes=10)


async def risky(http: httpx.AsyncClient, sql: asyncpg.Connection, world: World) -> UUID:
    """A guest's purchase of so much that it waits for a review."""
    buyer = guest(http)
    placed = await buyer.checkout(await buyer.cart({world.variants["chair"]: 26}, email="gil@demo.test"))
    group = parse("grp", placed["id"])
    assert (
        await sql.fetchval(
            "select decision from payment_fraud_checks c join payment_intents i on i.id = c.intent_id "
            "where reference_id = $1",
            group,
        )
        == "review"
    )
    return group


async def verdict(shop: Commerce, group: UUID, wanted: Any) -> Proposed:
    who = replace(AGENT, act="payment")
    async with shop.database.work(who) as work:
        return await shop.approval.propose(work, await shop.review.draft(work, public("grp", group), wanted, "Look."))


async def new_price(shop: Commerce, sku: str, minor: int, who: Principal = PRICER) -> Proposed:
    async with shop.database.work(who) as work:
        variant = await shop.product.own_variant(work, sku)
        return await shop.approval.propose(work, await shop.prices.draft(work, variant, "web", minor, "Slow seller."))


async def price_of(sql: asyncpg.Connection, variant: UUID) -> int:
    return await sql.fetchval("select minor from prices where variant_id = $1 and min_quantity = 1", variant)


async def set_price(shop: Commerce, variant: UUID, minor: int, **more: Any) -> None:
    async with shop.database.work(SYSTEM) as work:
        await shop.pricing.set_price(work, SetPrice(variant_id=variant, channel="web", minor=minor, **more))


@pytest.mark.parametrize(("wanted", "status"), [("release", "confirmed"), ("stop", "cancelled")])
async def test_a_verdict_takes_two_people_and_then_the_purchase_goes_on(
    shop: Commerce, http: Any, sql: asyncpg.Connection, world: World, settle: Any, wanted: str, status: str
) -> None:
    group = await risky(http, sql, world)
    made = await verdict(shop, group, wanted)
    assert (made.status, made.rule) == ("waiting", "APPROVAL-8")
    assert "517" in made.summary
    assert "guest large amount" in made.summary
    await settle()
    assert await sql.fetchval("select status from order_groups where id = $1", group) == "pending"
    for name, expected in (("support", "waiting"), ("admin", "accepted")):
        assert (await decide(shop, await person(shop, name), made.proposal)).status == expected
    await settle()
    assert await sql.fetchval("select status from order_groups where id = $1", group) == status
    by = "select decided_by from payment_fraud_checks c join payment_intents i on i.id = c.intent_id where reference_id = $1"
    assert await sql.fetchval(by, group) == f"proposal:{made.proposal}"
    with pytest.raises(NothingToReview):
        await verdict(shop, group, wanted)


async def test_a_verdict_on_a_purchase_that_went_on_fails(
    shop: Commerce, http: Any, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    group, support = await risky(http, sql, world), await person(shop, "support")
    made = await verdict(shop, group, "release")
    await decide(shop, support, made.proposal)
    async with shop.database.work(support) as work:
        await shop.review.settle(work, group, False, support.subject)
    seen = await decide(shop, await person(shop, "admin"), made.proposal)
    assert (seen.status, seen.code) == ("failed", "nothing_to_review")
    await settle()
    assert await sql.fetchval("select status from order_groups where id = $1", group) == "cancelled"


@pytest.mark.parametrize("first", ["stop", "release"])
async def test_of_opposite_verdicts_the_careful_one_stays_whoever_comes_first(
    shop: Commerce, http: Any, sql: asyncpg.Connection, world: World, first: str
) -> None:
    group = await risky(http, sql, world)
    second = {"stop": "release", "release": "stop"}[first]
    made = {first: await verdict(shop, group, first), second: await verdict(shop, group, second)}
    statuses = dict(
        await sql.fetch("select stance, status from agent_proposals where object = $1", public("grp", group))
    )
    assert statuses == {"stop": "waiting", "release": "rejected"}
    if first == "stop":
        assert (made["release"].status, made["release"].rule) == ("rejected", "APPROVAL-4")
    loser, winner = made["release"].proposal, made["stop"].proposal
    facts = await sql.fetch("select type, payload from outbox_events where key = $1 order by sequence", loser)
    assert [row["type"] for row in facts][-2:] == ["ProposalRejected", "ProposalConflict"]
    logged = await sql.fetchval(
        "select facts from audit_log where action = 'proposal.outweighed' order by number desc limit 1"
    )
    assert f"proposal:{winner}" in logged
    said = await sql.fetchrow("select decider, accept, note from agent_decisions where proposal_id = $1", loser)
    assert tuple(said) == ("policy", False, "APPROVAL-4")
    held = "select sum(used) from agent_caps where agent = 'payment' and scope = 'agent'"
    waiting = "select sum(amount) from agent_proposals where agent = 'payment' and status in ('waiting', 'accepted')"
    assert await sql.fetchval(held) == await sql.fetchval(waiting)


async def test_a_small_step_is_made_at_once_and_its_opposite_waits(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    lamp = world.variants["lamp"]
    await set_price(shop, lamp, 6000, compare_at_minor=7000)
    down = await new_price(shop, "LAMP", 5700)
    assert (down.status, down.rule) == ("accepted", "APPROVAL-10")
    assert down.summary == "Change the price of Lamp (LAMP) in channel web from 60.00 EUR to 57.00 EUR (-5.0 %)."
    row = await sql.fetchrow("select minor, compare_at_minor from prices where variant_id = $1", lamp)
    assert tuple(row) == (5700, 7000)
    up = await new_price(shop, "LAMP", 6000)
    assert (up.status, up.rule) == ("waiting", "APPROVAL-9")
    with pytest.raises(PriceUnchanged):
        await new_price(shop, "LAMP", 5700)
    assert await price_of(sql, lamp) == 5700


async def test_a_price_is_bounded_and_void_once_it_moved(shop: Commerce, sql: asyncpg.Connection, world: World) -> None:
    chair, north = world.variants["chair"], await person(shop, "north", world)
    half = await new_price(shop, "CHAIR", 9950)
    assert (half.status, half.rule) == ("rejected", "APPROVAL-3")
    made = await new_price(shop, "CHAIR", 15900)
    assert made.status == "waiting"
    await set_price(shop, chair, 19800)
    seen = await decide(shop, north, made.proposal)
    assert (seen.status, seen.code) == ("failed", "price_moved")
    assert await price_of(sql, chair) == 19800
    again = await new_price(shop, "CHAIR", 15900)
    assert (await decide(shop, north, again.proposal)).status == "accepted"
    assert await price_of(sql, chair) == 15900


async def correction(
    shop: Commerce, world: World, quantity: int, unit: int | None, sku: str = "rug", whose: str = "south"
) -> Proposed:
    money = Money(unit, "EUR") if unit is not None else None
    stock = OwnStock(world.variants[sku], sku.upper(), sku.title(), world.merchants[whose], money)
    async with shop.database.work(KEEPER) as work:
        return await shop.approval.propose(
            work, await shop.stock.draft(work, stock, AdjustStock(quantity=quantity, reason="counted"))
        )


async def test_a_correction_is_worth_what_its_units_sell_for(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    await policy(shop, "inventory.adjust", "inventory", accept_most=5_000)
    on_hand = "select on_hand from inventory_levels where variant_id = $1"
    rug, south = world.variants["rug"], await person(shop, "south", world)
    before = await sql.fetchval(on_hand, rug)
    assert (await correction(shop, world, 5, 1000)).status == "accepted"
    assert await sql.fetchval(on_hand, rug) == before + 5
    larger = await correction(shop, world, 6, 1000)
    assert (larger.status, await sql.fetchval(on_hand, rug)) == ("waiting", before + 5)
    assert (await decide(shop, south, larger.proposal)).status == "accepted"
    assert await sql.fetchval(on_hand, rug) == before + 11
    unpriced = await correction(shop, world, 1, None)
    assert (unpriced.status, unpriced.rule) == ("waiting", "APPROVAL-7")
    await decide(shop, south, unpriced.proposal, False)
    async with shop.database.work(SYSTEM) as work:
        level = await sql.fetchval("select id from inventory_levels where variant_id = $1", rug)
        await shop.inventory.adjust(work, level, AdjustStock(quantity=-before, reason="sold elsewhere"))
    gone = await correction(shop, world, -12, 1)
    assert (gone.status, gone.rule) == ("waiting", "APPROVAL-9")
    seen = await decide(shop, south, gone.proposal)
    assert (seen.status, seen.code) == ("failed", "adjustment_below_promised")
    assert await sql.fetchval(on_hand, rug) == 11


async def test_what_a_rule_accepts_may_fail_as_well(shop: Commerce, sql: asyncpg.Connection, world: World) -> None:
    pen, held = world.variants["pen"], new_id()
    async with shop.database.work(SYSTEM) as work:
        await shop.inventory.hold(work, held, {pen: 1}, {pen: "PEN"})
    level = await sql.fetchrow("select * from inventory_levels where variant_id = $1", pen)
    made = await correction(shop, world, -level["on_hand"], 0, "pen", "north")
    assert (made.status, made.rule, made.code) == ("failed", "APPROVAL-10", "adjustment_below_promised")
    assert await sql.fetchrow("select * from inventory_levels where variant_id = $1", pen) == level
    facts = await sql.fetch("select type from outbox_events where key = $1", made.proposal)
    assert [row["type"] for row in facts] == ["ProposalFailed"]


async def test_a_part_that_is_down_undoes_the_decision_and_it_can_be_made_again(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    down = [True]

    async def flaky(work: Work, accepted: Accepted) -> dict[str, Any]:
        await work.run("insert into gateway_usage values ($1, now(), 1)", f"flaky:{accepted.id}")
        if down:
            down.pop()
            raise Unavailable()
        return {"done": True}

    shop.approval.offer(Kind("test.flaky", "approval:decide", ("do",), Policy(), flaky))
    draft = Draft(kind="test.flaky", object="x_1", stance="do", arguments={}, amount=None, summary="Does it.")
    async with shop.database.work(AGENT) as work:
        made = await shop.approval.propose(work, draft)
    before, support = await everything(sql), await person(shop, "support")
    with pytest.raises(Unavailable):
        await decide(shop, support, made.proposal)
    assert await everything(sql) == before
    assert (await decide(shop, support, made.proposal)).result == {"done": True}
    effects = "select count(*) from gateway_usage where subject = $1"
    assert await sql.fetchval(effects, f"flaky:{made.proposal}") == 1


async def test_nothing_of_an_unknown_kind_is_proposed(shop: Commerce, sql: asyncpg.Connection) -> None:
    draft = Draft(kind="moon.landing", object="x_1", stance="do", arguments={}, amount=None, summary="Lands.")
    before = await everything(sql)
    with pytest.raises(UnknownKind):
        async with shop.database.work(AGENT) as work:
            await shop.approval.propose(work, draft)
    assert await everything(sql) == before


async def test_a_correction_names_a_place_of_its_own_shop(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    before = await everything(sql)
    with pytest.raises(LocationNeeded):
        await correction(shop, world, 1, 1000, "mug")
    assert await everything(sql) == before
