"""Limits hold when the model is wrong: foreign tools, endless loops, bad arguments, switches, budgets."""

from typing import Any

import asyncpg
import pytest

from agents.roster import AGENTS
from commerce.app import Commerce
from commerce.chat.schemas import Remember
from commerce.orchestration import Limits
from commerce.orchestration.schemas import NewRun
from kernel.auth import SYSTEM
from kernel.ids import new_id
from tests.agents.test_chat_writes import begun, counts
from tests.factories.variants import add_choice
from tests.returns.world import delivered
from tools.bind import Binder, Errand
from tools.spec import TOOLS, Effect


async def errand(shop: Commerce, who: Any, agent: str) -> Errand:
    async with shop.database.work(who) as work:
        run = await shop.runs.begin(work, NewRun(agent=agent, trigger="chat", cause=new_id()))
    thread = await begun(shop, who)
    return Binder(shop, never).errand(run.id, who, agent, AGENTS[agent].tools, Limits(), thread)


async def never(_: Any) -> None:
    raise AssertionError("no saga may start")


async def test_every_tool_outside_the_allow_list_is_refused(
    shop: Commerce, sql: asyncpg.Connection, principals: Any
) -> None:
    ann, binder = principals(shop, "ann"), Binder(shop, never)
    before, pairs = await counts(sql), 0
    for agent, spec in AGENTS.items():
        job = await errand(shop, ann, agent)
        for name in TOOLS.keys() - {tool.name for tool in spec.tools}:
            outcome = await binder.call(job, name, name, {})
            assert (outcome.record.status, outcome.record.code) == ("refused", "tool_not_allowed"), (agent, name)
            pairs += 1
    assert pairs > 100
    assert await counts(sql) == before
    assert await sql.fetchval("select count(*) from audit_log where action = 'tool.refused'") == pairs


async def test_a_person_gets_no_more_through_an_agent_than_without(shop: Commerce, principals: Any) -> None:
    """A customer's agent has no merchant's rights, whatever tools it has."""
    ann, binder = principals(shop, "ann"), Binder(shop, never)
    for name in ("merchant_sales", "merchant_orders"):
        outcome = await binder.call(await errand(shop, ann, "order"), name, name, {})
        assert (outcome.record.status, outcome.record.code) == ("refused", "forbidden")


WRITES = {
    "cancel_order": {"order": "latest", "reason": "other"},
    "change_order_address": {"order": "latest", "address": {"name": "Eve", "line1": "X 1", "city": "Rome",
                             "postal_code": "00100", "country": "IT"}},
    "add_to_cart": {"sku": "MUG"}, "change_cart_quantity": {"sku": "MUG", "quantity": 3},
    "remove_from_cart": {"sku": "MUG"}, "apply_coupon": {"code": "TEN"}, "buy_cart": {},
    "add_address": {"name": "Eve", "line1": "X 1", "city": "Rome", "postal_code": "00100", "country": "IT"},
    "change_default_address": {"name": "Eve", "line1": "X 1", "city": "Rome", "postal_code": "00100", "country": "IT"},
    "remove_address": {}, "save_gift_card": {}, "open_ticket": {"subject": "s", "text": "t"},
    "remember": {"text": "I am vegan"}, "forget_facts": {},
}  # fmt: skip


async def test_no_write_happens_without_a_yes(
    shop: Commerce, http: Any, sql: asyncpg.Connection, world: Any, principals: Any, settle: Any
) -> None:
    """Every write tool of every agent, called as often as a model likes: the service itself demands the person's yes."""
    from tests.factories.api import signed_in

    caller, ann, binder = await signed_in(http, "ann"), principals(shop, "ann"), Binder(shop, never)
    there = await delivered(http, {world.variants["mug"]: 1})
    shirt = await add_choice(shop, world, {"red": 2000, "blue": 2000})
    group = await caller.checkout(await caller.cart({shirt["red"]: 1}), "tok_success_other")
    sku = group["orders"][0]["lines"][0]["sku"]
    await caller.cart({world.variants["mug"]: 1})
    await settle()
    async with shop.database.work(ann) as work:
        await shop.chat.facts.remember(work, Remember(text="I wear size 42"))
    card = await (await signed_in(http, "admin")).post("/v1/gift-cards", {"amount": 500, "currency": "EUR"})
    given = {
        **WRITES,
        "remove_address": {"address_id": f"adr_{world.addresses['ann'].hex}"},
        "save_gift_card": {"code": card["code"]},
        "modify_order_items": {"order": "latest", "sku": sku, "new_sku": sku.replace("RED", "BLUE")},
        "cancel_order_lines": {"order": "latest", "sku": sku, "reason": "other"},
        "change_order_payment": {"order": "latest", "payment_method": "4242"},
        "request_return": {"order": there["number"], "reason": "defective"},
        "request_exchange": {"order": there["number"], "sku": "MUG", "reason": "wrong size"},
    }
    assert {tool.name for tool in TOOLS.values() if tool.effect is Effect.WRITE} == set(given)
    before = (
        await counts(sql),
        await sql.fetch("select * from order_addresses"),
        await sql.fetch("select * from cart_lines"),
        await sql.fetch("select * from order_modifications"),
    )
    for agent, spec in AGENTS.items():
        for tool in spec.tools:
            if tool.effect is not Effect.WRITE:
                continue
            job = await errand(shop, ann, agent)
            for attempt in range(2):
                outcome = await binder.call(job, tool.name, f"{tool.name}{attempt}", given[tool.name])
                assert outcome.record.status == "confirmation", (tool.name, outcome.record)
                assert outcome.confirmation is not None
    after = (
        await counts(sql),
        await sql.fetch("select * from order_addresses"),
        await sql.fetch("select * from cart_lines"),
        await sql.fetch("select * from order_modifications"),
    )
    assert after == before


async def test_a_runaway_model_is_stopped(
    shop: Commerce, sql: asyncpg.Connection, assistants: Any, principals: Any
) -> None:
    ann = principals(shop, "ann")
    endless: list[Any] = [[{"tool": "list_orders"}] * 3 for _ in range(50)]
    async with assistants(endless, "list_orders") as (assistant, script):
        answer = await assistant.message(ann, await begun(shop, ann), "loop")
        assert len(script.asked) == 8
        assert len(answer.actions) == 16
        assert "could not finish" in answer.messages[0].text
    status = await sql.fetchrow("select status, outcome from agent_runs order by id desc limit 1")
    assert tuple(status) == ("failed", "limit")


async def test_arguments_are_checked_like_anybodys(shop: Commerce, sql: asyncpg.Connection, principals: Any) -> None:
    ann, binder = principals(shop, "ann"), Binder(shop, never)
    before = await counts(sql)
    job = await errand(shop, ann, "order")
    for number, bad in enumerate(
        ({"sku": "MUG", "quantity": -1}, {"sku": "MUG", "quantity": "two"}, {"sku": "MUG", "merchant": "x"}, {})
    ):
        outcome = await binder.call(job, "add_to_cart", str(number), bad)
        assert (outcome.record.status, outcome.record.code) == ("failed", "invalid_arguments")
    for number, bad in enumerate(({"shipping_method": "_1"}, {"address": "a\0b"}, {"payment_method": "\ud800"})):
        outcome = await binder.call(job, "buy_cart", f"buy {number}", bad)
        assert (outcome.record.status, outcome.record.code) == ("failed", "invalid_arguments")
    for name, more in (
        ("cancel_order_lines", {"reason": "no longer needed"}),
        ("modify_order_items", {"new_sku": "MUG"}),
    ):
        for sku in (".q", "MUG\x0b1", "x" * 65):
            bad = {"order": "latest", "sku": sku, **more}
            outcome = await binder.call(job, name, f"{name} {sku}", bad)
            assert (outcome.record.status, outcome.record.code) == ("failed", "invalid_arguments")
    assert await counts(sql) == before


@pytest.mark.parametrize("column", ["enabled", "limits"])
async def test_switch_and_budget_hold_at_once(
    shop: Commerce, sql: asyncpg.Connection, principals: Any, column: str
) -> None:
    ann, binder = principals(shop, "ann"), Binder(shop, never)
    job = await errand(shop, ann, "product")
    assert (await binder.call(job, "list_categories", "1", {})).record.status == "done"
    if column == "enabled":
        await sql.execute(
            "insert into agent_switches values ('product', false, '{}', now(), 'test') "
            "on conflict (agent) do update set enabled = false"
        )
        expected = "agent_switched_off"
    else:
        await sql.execute("update agent_switches set enabled = true, limits = '{\"tool_calls_a_day\": 0}'")
        expected = "agent_budget_used_up"
    outcome = await binder.call(job, "list_categories", "2", {})
    assert (outcome.record.status, outcome.record.code) == ("failed", expected)
    async with shop.database.work(SYSTEM) as work:
        await work.run("update agent_switches set enabled = true, limits = '{}'")


async def test_the_record_of_a_call_holds_no_address(shop: Commerce, sql: asyncpg.Connection, principals: Any) -> None:
    ann, binder = principals(shop, "ann"), Binder(shop, never)
    await binder.call(await errand(shop, ann, "customer"), "add_address", "again", WRITES["add_address"])
    kept = await sql.fetchval(
        "select arguments::text from agent_tool_calls where tool = 'add_address' order by id desc limit 1"
    )
    assert "Eve" not in kept
    assert "X 1" not in kept
    assert "[personal]" in kept
