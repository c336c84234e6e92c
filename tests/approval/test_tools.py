"""Agents propose through their tools: in a run that an event began as in a chat of staff, for their own and nobody else's."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from agents.roster import AGENTS
from commerce.app import Commerce
from commerce.approval import Draft
from commerce.approval.errors import ForeignProposal, OwnProposal
from commerce.approval.permissions import PROPOSE
from commerce.orchestration import Limits
from commerce.orchestration.schemas import ChangeAgent, NewRun
from kernel.auth import SYSTEM, Principal
from kernel.ids import new_id, parse, public
from kernel.money import Money
from tests.agents.test_chat_writes import begun
from tests.agents.test_errands import carry_out
from tests.agents.test_limits import never
from tests.approval.desk import decide, effects, everything, person, policy, ticket
from tests.approval.test_kinds import risky
from tests.factories.api import signed_in
from tests.factories.world import World
from tests.support.people import customer
from tools import pricing
from tools.bind import Binder, Errand
from tools.spec import TOOLS, Effect, Tool

PRICING = (TOOLS[pricing.propose_price.__name__],)


async def run(shop: Commerce, who: Principal, agent: str, tools: tuple[Tool, ...] | None = None) -> Errand:
    spec = AGENTS.get(agent)
    async with shop.database.work(who) as work:
        begun = await shop.runs.begin(work, NewRun(agent=agent, trigger="event", cause=new_id()))
    limits = (spec or AGENTS["support"]).limits
    return Binder(shop, never).errand(begun.id, who, agent, tools or spec.tools, limits)  # type: ignore[union-attr]


async def call(shop: Commerce, errand: Errand, tool: str, call_id: str = "1", **args: Any) -> Any:
    return (await Binder(shop, never).call(errand, tool, call_id, args)).record


async def test_a_run_without_a_conversation_proposes_once(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    errand, number = await run(shop, SYSTEM, "support"), await ticket(shop, world)
    record = await call(shop, errand, "propose_goodwill", ticket=number, amount=5_000, reason="late")
    assert (record.status, record.effect) == ("done", "propose")
    assert record.result["status"] == "waiting"
    assert record.result["summary"].startswith(f"Give the customer of ticket {number} a gift card of 50.00 EUR")
    row = await sql.fetchrow("select agent, run_id, subject from agent_proposals where id = $1", _id(record))
    assert tuple(row) == ("support", errand.run_id, "system")
    again = await call(shop, errand, "propose_goodwill", ticket=number, amount=5_000, reason="late")
    assert again == record
    assert await sql.fetchval("select count(*) from agent_proposals where run_id = $1", errand.run_id) == 1


async def test_each_agent_proposes_its_own(shop: Commerce, http: Any, sql: asyncpg.Connection, world: World) -> None:
    group = await risky(http, sql, world)
    payment = await run(shop, SYSTEM, "payment")
    record = await call(
        shop, payment, "propose_review_verdict", purchase=f"grp_{group.hex}", verdict="stop", reason="guest"
    )
    assert record.result["status"] == "waiting"
    inventory = await run(shop, SYSTEM, "inventory")
    record = await call(shop, inventory, "propose_restock", sku="plate", quantity=2, reason="counted")
    assert (record.result["status"], record.result["summary"]) == (
        "accepted", f"Correct the stock of Plate (PLATE) at south store by +2 units, from {1_000_000} on hand."
    )  # fmt: skip
    assert (
        await sql.fetchval("select on_hand from inventory_levels where variant_id = $1", world.variants["plate"])
        == 1_000_002
    )
    prices = await run(shop, SYSTEM, "pricing", PRICING)
    record = await call(shop, prices, "propose_price", sku="PLATE", price=2400, reason="slow")
    assert record.result["status"] == "accepted"
    assert await sql.fetchval("select minor from prices where variant_id = $1", world.variants["plate"]) == 2400


async def test_a_command_makes_an_agent_propose(
    shop: Commerce, http: Any, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    """The whole way: a message, a queued run, a model's call, a proposal that names the run."""
    support, number = await signed_in(http, "support"), await ticket(shop, world)
    who = (await person(shop, "support")).subject
    sent = await support.post("/v1/agents/support/commands", {"text": f"make up for {number}"}, 202)
    await settle()
    proposal = {"tool": "propose_goodwill", "ticket": number, "amount": 4_000, "reason": "late"}
    script = await carry_out(shop, [proposal, "Proposed."])
    assert "propose_goodwill" in script.bound[0]
    (seen,) = (await support.get("/v1/approvals?agent=support&status=waiting&size=1"))["items"]
    assert (seen["amount"]["amount"], seen["proposed_for"]) == (4_000, who)
    path = f"/v1/approvals/{seen['id']}/decision"  # the run acted as the system, and still it is her own wish
    await support.refused("POST", path, 403, "proposal_own", json={"accept": True}, key="own")
    run_id = await sql.fetchval("select id from agent_runs where cause = $1", UUID(sent["id"]))
    assert seen["run_id"] == public("run", run_id)
    asked = await support.post("/v1/agents/support/queries", {"text": "and again?"}, 202)
    await settle()
    script = await carry_out(shop, ["No."])
    assert "propose_goodwill" not in script.bound[0]
    assert (await support.get(f"/v1/agents/errands/{asked['id']}"))["text"] == "No."


async def test_staff_propose_in_a_chat_and_somebody_else_decides(
    shop: Commerce, sql: asyncpg.Connection, world: World, assistants: Any
) -> None:
    support, number = await person(shop, "support"), await ticket(shop, world)
    line = {"tool": "propose_goodwill", "ticket": number, "amount": 3_000, "reason": "late"}
    async with assistants([line, "It waits for a colleague."], "propose_goodwill") as (assistant, _):
        answer = await assistant.message(support, await begun(shop, support), f"30 EUR for {number}")
    assert [(action.tool, action.status) for action in answer.actions] == [("propose_goodwill", "done")]
    assert answer.pending_confirmation is None
    made = await sql.fetchrow("select id, subject from agent_proposals order by id desc limit 1")
    assert made["subject"] == support.subject
    with pytest.raises(OwnProposal):
        await decide(shop, support, made["id"])
    assert (await decide(shop, await person(shop, "admin"), made["id"])).status == "accepted"
    assert await effects(sql, made["id"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (ChangeAgent(enabled=False), "agent_switched_off"),
        (ChangeAgent(limits=Limits(tool_calls_a_day=0)), "agent_budget_used_up"),
    ],
)
async def test_switch_and_budget_hold_for_proposals(
    shop: Commerce, sql: asyncpg.Connection, world: World, change: ChangeAgent, code: str
) -> None:
    errand, number = await run(shop, SYSTEM, "support"), await ticket(shop, world)
    async with shop.database.work(SYSTEM) as work:
        await shop.runs.switch(work, "support", change)
    before = (await everything(sql))[:-2]  # the attempt itself is in the audit log
    record = await call(shop, errand, "propose_goodwill", ticket=number, amount=1, reason="x")
    assert (record.status, record.code) == ("failed", code)
    assert (await everything(sql))[:-2] == before
    async with shop.database.work(SYSTEM) as work:
        await shop.runs.switch(work, "support", ChangeAgent(enabled=True, limits=Limits()))


async def test_a_merchants_agent_proposes_for_their_own_shop_alone(
    shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    north = await person(shop, "north", world)
    before = (await everything(sql))[:-2]
    prices, stock = await run(shop, north, "pricing", PRICING), await run(shop, north, "inventory")
    for errand, tool, args in (
        (prices, "propose_price", {"sku": "RUG", "price": 7900}),
        (stock, "propose_restock", {"sku": "RUG", "quantity": 1}),
    ):
        record = await call(shop, errand, tool, f"foreign {tool}", **args, reason="x")
        assert (record.status, record.code) == ("failed", "product_unknown")
    assert (await everything(sql))[:-2] == before
    record = await call(shop, prices, "propose_price", "own", sku="MUG", price=1450, reason="x")
    assert record.result["status"] == "accepted"
    row = await sql.fetchrow("select merchant_id, subject, status from agent_proposals where id = $1", _id(record))
    assert tuple(row) == (world.merchants["north"], north.subject, "accepted")
    assert await sql.fetchval("select minor from prices where variant_id = $1", world.variants["mug"]) == 1450


async def test_a_customers_agent_can_propose_nothing(
    shop: Commerce, http: Any, sql: asyncpg.Connection, world: World
) -> None:
    """Not through any tool, and not past the tools either: the service and then Postgres refuse what is another's."""
    group = await risky(http, sql, world)
    ann = replace(customer(shop, world), user_id=new_id())
    given = {
        "propose_goodwill": {"ticket": await ticket(shop, world, "ben"), "amount": 100, "reason": "mine"},
        "propose_review_verdict": {"purchase": f"grp_{group.hex}", "verdict": "release", "reason": "mine"},
        "propose_restock": {"sku": "MUG", "quantity": 1, "reason": "mine"},
        "propose_price": {"sku": "MUG", "price": 1, "reason": "mine"},
        "propose_note": {"ticket": await ticket(shop, world, "ann"), "text": "mine"},
        "propose_refill": {"level": public("lvl", new_id())},
        "propose_parcel_news": {"order": public("shp", new_id())},
        "propose_parcel_remedy": {"order": public("shp", new_id())},
        "propose_replan": {},
        "propose_variance": {},
    }
    tools = tuple(tool for tool in TOOLS.values() if tool.effect is Effect.PROPOSE)
    assert {tool.name for tool in tools} == set(given)
    before, errand = (await everything(sql))[:-2], await run(shop, ann, "support", tools)
    for name, args in given.items():
        record = await call(shop, errand, name, name, **args)
        assert (record.status, record.code) == ("refused", "forbidden")
    assert (await everything(sql))[:-2] == before


@pytest.mark.parametrize("whose", ["another customer", "a shop", "nobody"])
async def test_even_with_the_right_to_propose_only_ones_own(
    shop: Commerce, sql: asyncpg.Connection, world: World, whose: str
) -> None:
    ann = replace(customer(shop, world), user_id=new_id(), permissions=frozenset({PROPOSE}))
    draft = Draft(
        kind="support.goodwill",
        object="tkt_1",
        stance="give",
        arguments={},
        amount=Money(1, "EUR"),
        summary="A gift",
        customer_id=world.customers["ben"] if whose == "another customer" else None,
        merchant_id=world.merchants["north"] if whose == "a shop" else None,
    )
    before = await everything(sql)
    with pytest.raises(ForeignProposal):
        async with shop.database.work(ann) as work:
            await shop.approval.propose(work, draft)
    foreign = "insert into agent_proposals select * from jsonb_populate_record(null::agent_proposals, $1)"
    row = {
        "id": str(new_id()), "agent": "support", "kind": "k", "object": "o", "stance": "s", "arguments": {},
        "summary": "s", "reason": "", "subject": ann.subject if whose != "nobody" else "user:other",
        "customer_id": str(draft.customer_id) if draft.customer_id else None,
        "merchant_id": str(draft.merchant_id) if draft.merchant_id else None, "digest": "\\x00", "status": "waiting",
        "rule": "APPROVAL-7", "needed": 1, "created_at": "2026-11-25T00:00Z", "expires_at": "2026-11-26T00:00Z",
    }  # fmt: skip
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with shop.database.work(ann) as work:
            await work.run(foreign, row)
    assert await everything(sql) == before


async def test_rows_are_walled(shop: Commerce, sql: asyncpg.Connection, world: World) -> None:
    """By row-level security alone: a merchant sees what concerns their shop, a customer nothing, staff all."""
    await policy(shop, "pricing.price", "pricing", accept_most=None)
    await call(shop, await run(shop, SYSTEM, "pricing", PRICING), "propose_price", sku="LAMP", price=5900, reason="x")
    theirs = await sql.fetchval("select count(*) from agent_proposals where merchant_id = $1", world.merchants["north"])
    whole = await sql.fetchval("select count(*) from agent_proposals")
    assert 0 < theirs < whole
    for who, expected in (
        (await person(shop, "north", world), theirs),
        (await person(shop, "support"), whole),
        (replace(customer(shop, world), user_id=new_id()), 0),
        (shop.identity.guest("x"), 0),
    ):
        async with shop.database.work(who) as work:
            assert await work.value("select count(*) from agent_proposals") == expected
            decisions = await work.value("select count(*) from agent_decisions d")
            assert (decisions > 0) == (who.is_staff or bool(who.merchant_ids))


def _id(record: Any) -> UUID:
    return parse("prp", record.result["proposal"])
