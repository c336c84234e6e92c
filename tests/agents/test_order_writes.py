"""Changes of an order in a chat wait for a yes to the exact amounts; another amount is another question."""

from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.ids import parse
from tests.factories.api import signed_in
from tests.factories.books import broken, whole_state
from tests.factories.variants import add_choice
from tests.factories.world import World
from tests.order.test_items import gift_card


@pytest.fixture
async def shirt(shop: Commerce, world: World) -> dict[str, UUID]:
    return await add_choice(shop, world, {"red": 2000, "gold": 3500, "grey": 1200})


async def bought(http: httpx.AsyncClient, shirt: dict[str, UUID], settle: Any) -> dict[str, Any]:
    ann = await signed_in(http, "ann")
    group = await ann.checkout(await ann.cart({shirt["red"]: 2}))
    await settle()
    order: dict[str, Any] = group["orders"][0]
    return order


async def begun(shop: Commerce, who: Any) -> Any:
    async with shop.database.work(who) as work:
        return (await shop.chat.begin(work)).id


async def test_items_change_after_a_yes_to_the_exact_difference(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID], settle: Any,
    assistants: Any, principals: Any,
) -> None:  # fmt: skip
    order, ann = await bought(http, shirt, settle), principals(shop, "ann")
    sku = order["lines"][0]["sku"]
    gold = sku.replace("RED", "GOLD")
    line = {"tool": "modify_order_items", "order": order["number"], "sku": sku, "new_sku": gold}
    async with assistants([line, "It is changed."], "modify_order_items") as (assistant, _):
        thread = await begun(shop, ann)
        before = await whole_state(sql, parse("grp", order["group_id"]))
        asked = await assistant.message(ann, thread, "make one of them gold")
        assert asked.pending_confirmation.summary == (
            f"Change 1 × Shirt (red) into Shirt (gold) in order {order['number']}? 15.00 EUR more is charged to the Visa "
            "ending in 4242."
        )
        assert await whole_state(sql, parse("grp", order["group_id"])) == before
        done = await assistant.message(ann, thread, "yes")
        assert [(a.tool, a.status) for a in done.actions] == [("modify_order_items", "done")]
    rows = await sql.fetch(
        "select kind, status, difference from order_modifications where order_id = $1", parse("ord", order["id"])
    )
    assert [tuple(row) for row in rows] == [("items", "applied", 1500)]
    result = await sql.fetchval(
        "select result #>> '{change,status}' from agent_tool_calls where tool = 'modify_order_items' and status = 'done'"
    )
    assert result == "applied"
    assert await broken(sql) == {}


async def test_a_price_that_changed_meanwhile_is_asked_again(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID], settle: Any,
    assistants: Any, principals: Any,
) -> None:  # fmt: skip
    order, ann = await bought(http, shirt, settle), principals(shop, "ann")
    sku = order["lines"][0]["sku"]
    line = {"tool": "modify_order_items", "order": order["number"], "sku": sku, "new_sku": sku.replace("RED", "GREY")}
    async with assistants([line, line, "Well."], "modify_order_items") as (assistant, _):
        thread = await begun(shop, ann)
        asked = await assistant.message(ann, thread, "make it grey")
        assert "8.00 EUR goes back to the way it was paid." in asked.pending_confirmation.summary
        await sql.execute("update prices set minor = 1900 where variant_id = $1", shirt["grey"])
        again = await assistant.message(ann, thread, "yes")
        assert again.pending_confirmation is not None
        assert "1.00 EUR goes back" in again.pending_confirmation.summary
    changed = await sql.fetchval(
        "select count(*) from order_modifications where order_id = $1", parse("ord", order["id"])
    )
    assert changed == 0


async def test_payment_and_lines_change_after_a_yes(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID], settle: Any,
    assistants: Any, principals: Any,
) -> None:  # fmt: skip
    order, ann = await bought(http, shirt, settle), principals(shop, "ann")
    await gift_card(http, await signed_in(http, "ann"), 90_000)
    number, sku = order["number"], order["lines"][0]["sku"]
    lines = [
        {"tool": "change_order_payment", "order": number, "payment_method": "gift card"},
        "Paid otherwise.",
        {"tool": "cancel_order_lines", "order": number, "sku": sku, "quantity": 1, "reason": "ordered by mistake"},
        "One is cancelled.",
    ]
    async with assistants(lines, "change_order_payment") as (assistant, _):
        thread = await begun(shop, ann)
        asked = await assistant.message(ann, thread, "pay it with my gift card")
        assert asked.pending_confirmation.summary == (
            f"Pay order {number} with the gift card instead? 44.90 EUR is charged to it, then 44.90 EUR goes back the way "
            "it was paid."
        )
        await assistant.message(ann, thread, "yes")
        asked = await assistant.message(ann, thread, "cancel one of the shirts, ordered by mistake")
        assert asked.pending_confirmation.summary == (
            f"Cancel 1 × Shirt ({sku}) of order {number} because of “ordered by mistake”? 20.00 EUR goes back the way it "
            "was paid."
        )
        await assistant.message(ann, thread, "yes")
    rows = await sql.fetch(
        "select kind, status, difference from order_modifications where order_id = $1 order by id",
        parse("ord", order["id"]),
    )
    assert [tuple(row) for row in rows] == [("payment", "applied", 0), ("cancel_lines", "applied", -2000)]
    assert await broken(sql) == {}
