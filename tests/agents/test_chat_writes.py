"""A write in chat is two steps: a question bound to exactly one call, and one yes of the same person, used once."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from commerce.chat.errors import ConfirmationOver, UnknownConfirmation, UnknownThread
from commerce.chat.schemas import ChatAnswer
from kernel.ids import parse, public
from tests.factories.api import signed_in
from tests.factories.world import World


async def bought(http: httpx.AsyncClient, world: World, settle: Any) -> dict[str, Any]:
    ann = await signed_in(http, "ann")
    group = await ann.checkout(await ann.cart({world.variants["mug"]: 1}))
    await settle()
    return group["orders"][0]


async def begun(shop: Commerce, who: Any) -> Any:
    async with shop.database.work(who) as work:
        return (await shop.chat.begin(work)).id


async def counts(sql: asyncpg.Connection) -> tuple[int, ...]:
    tables = (
        "carts",
        "cart_lines",
        "orders",
        "customer_addresses",
        "order_cancellations",
        "support_tickets",
        "return_requests",
    )
    return tuple([await sql.fetchval(f"select count(*) from {table}") for table in tables])


async def test_cancel_asks_first_and_happens_once(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any, assistants: Any,
    principals: Any,
) -> None:  # fmt: skip
    order, ann = await bought(http, world, settle), principals(shop, "ann")
    before = await counts(sql)
    async with assistants(
        [{"tool": "cancel_order", "order": order["number"], "reason": "changed my mind"}, "It is cancelled."],
        "cancel_order",
    ) as (assistant, _):
        thread = await begun(shop, ann)
        asked: ChatAnswer = await assistant.message(ann, thread, f"cancel {order['number']}, changed my mind")
        assert asked.pending_confirmation is not None
        assert asked.pending_confirmation.summary == (
            f"Cancel order {order['number']} because of “changed my mind”? 19.90 EUR goes back the way it was paid."
        )
        assert [(a.tool, a.status) for a in asked.actions] == [("cancel_order", "confirmation")]
        assert asked.messages[0].text == asked.pending_confirmation.summary
        assert await counts(sql) == before
        answers = await asyncio.gather(
            *(assistant.confirm(ann, thread, asked.pending_confirmation.id, True) for _ in range(6)),
            return_exceptions=True,
        )
        done = [a for a in answers if isinstance(a, ChatAnswer)]
        assert done, answers
        assert [(a.tool, a.status) for a in done[0].actions] == [("cancel_order", "done")]
    order_id = parse("ord", order["id"])
    assert await sql.fetchval("select status from orders where id = $1", order_id) == "cancelled"
    assert await sql.fetchval("select count(*) from saga_instances where kind = 'cancellation'") == 1
    assert await sql.fetchval("select count(*) from chat_confirmations where status = 'used'") == 1
    noted = await sql.fetch("select actor, act from audit_log where action = 'tool.cancel_order'")
    assert [tuple(row) for row in noted] == [(ann.subject, "order")]


@pytest.mark.parametrize("answer", ["no", "never mind"])
async def test_a_no_changes_nothing(
    shop: Commerce, sql: asyncpg.Connection, assistants: Any, principals: Any, answer: str
) -> None:
    ann = principals(shop, "ann")
    async with assistants([{"tool": "add_to_cart", "sku": "MUG", "quantity": 2}], "add_to_cart") as (assistant, _):
        thread = await begun(shop, ann)
        before = await counts(sql)
        asked = await assistant.message(ann, thread, "two mugs please")
        assert asked.pending_confirmation.summary == "Have 2 × Mug (mug) in your cart, at 15.00 EUR each?"
        said = await assistant.message(ann, thread, answer)
        assert (said.messages[0].text, said.pending_confirmation) == ("All right, nothing was changed.", None)
        with pytest.raises(ConfirmationOver):
            await assistant.confirm(ann, thread, asked.pending_confirmation.id, True)
    assert await counts(sql) == before


async def test_yes_in_words_buys_the_cart_with_the_saved_card(
    shop: Commerce, sql: asyncpg.Connection, assistants: Any, principals: Any, settle: Any
) -> None:
    ben = principals(shop, "ben")
    lines = [
        {"tool": "find_products", "q": "lamp"},
        {"tool": "add_to_cart", "sku": "LAMP"},
        "It is in your cart.",
        {"tool": "buy_cart"},
        "Thank you.",
    ]
    async with assistants(lines, "add_to_cart") as (assistant, _):
        thread = await begun(shop, ben)
        await assistant.message(ben, thread, "add the lamp to my cart")
        added = await assistant.message(ben, thread, "yes")
        assert [a.status for a in added.actions] == ["done"]
        asked = await assistant.message(ben, thread, "buy it with my saved card")
        assert asked.pending_confirmation.summary == (
            "Order 1 × Lamp (lamp) for 64.90 EUR (standard delivery 4.90 EUR included), paid by card, to "
            "Ben, Ring 1, 10115 Berlin, DE?"
        )
        done = await assistant.message(ben, thread, "yes please")
        assert [(a.tool, a.status) for a in done.actions] == [("buy_cart", "done")]
    await settle()
    row = await sql.fetchrow(
        "select g.status, i.status as paid from order_groups g join payment_intents i on i.reference_id = g.id "
        "where g.customer_id = $1",
        ben.customer_id,
    )
    assert tuple(row) == ("confirmed", "captured")
    assert await sql.fetchval("select count(*) from warehouse_tasks") >= 1
    result = await sql.fetchval(
        "select result->>'status' from agent_tool_calls where tool = 'buy_cart' and status = 'done'"
    )
    assert result == "confirmed"


async def test_nobody_answers_for_another(
    shop: Commerce, sql: asyncpg.Connection, assistants: Any, principals: Any
) -> None:
    """A foreign thread, a foreign question, a question of another thread: missing, and nothing changed."""
    ann, ben = principals(shop, "ann"), principals(shop, "ben")
    async with assistants([{"tool": "add_to_cart", "sku": "PEN"}], "add_to_cart") as (assistant, _):
        thread, other, bens = await begun(shop, ann), await begun(shop, ann), await begun(shop, ben)
        asked = await assistant.message(ann, thread, "a pen")
        before = await counts(sql)
        confirmation = asked.pending_confirmation.id
        with pytest.raises(UnknownThread):
            await assistant.confirm(ben, thread, confirmation, True)
        with pytest.raises(UnknownThread):
            await assistant.message(ben, thread, "yes")
        for stranger, where in ((ben, bens), (ann, other)):
            with pytest.raises(UnknownConfirmation):
                await assistant.confirm(stranger, where, confirmation, True)
    assert await counts(sql) == before


async def test_an_old_yes_is_no_yes(shop: Commerce, sql: asyncpg.Connection, assistants: Any, principals: Any) -> None:
    ann = principals(shop, "ann")
    async with assistants([{"tool": "add_to_cart", "sku": "PEN"}], "add_to_cart") as (assistant, _):
        thread = await begun(shop, ann)
        asked = await assistant.message(ann, thread, "a pen")
        confirmation = asked.pending_confirmation.id
        await sql.execute(
            "update chat_confirmations set expires_at = expires_at - $2::interval where id = $1",
            confirmation, timedelta(hours=1),
        )  # fmt: skip
        before = await counts(sql)
        with pytest.raises(ConfirmationOver):
            await assistant.confirm(ann, thread, confirmation, True)
    assert await counts(sql) == before


async def test_another_price_is_another_question(
    shop: Commerce, sql: asyncpg.Connection, world: World, assistants: Any, principals: Any
) -> None:
    """A yes is bound to the facts it was given for: when the price moved since, the person is asked again."""
    ann = principals(shop, "ann")
    async with assistants([{"tool": "add_to_cart", "sku": "CHAIR"}], "add_to_cart") as (assistant, _):
        thread = await begun(shop, ann)
        asked = await assistant.message(ann, thread, "the chair")
        await sql.execute("update prices set minor = 24900 where variant_id = $1", world.variants["chair"])
        before = await counts(sql)
        again = await assistant.confirm(ann, thread, asked.pending_confirmation.id, True)
        assert again.pending_confirmation.summary == "Have 1 × Chair (chair) in your cart, at 249.00 EUR each?"
        assert await counts(sql) == before
        await assistant.confirm(ann, thread, again.pending_confirmation.id, True)
    assert await counts(sql) != before


async def test_a_message_sent_twice_is_one_message(
    shop: Commerce, sql: asyncpg.Connection, assistants: Any, principals: Any, world: World
) -> None:
    ann = principals(shop, "ann")
    async with assistants(["Hello!", "a second answer that must not be heard"], "greeting") as (assistant, script):
        thread = await begun(shop, ann)
        turn = parse("msg", public("msg", world.customers["ann"]))
        one = await assistant.message(ann, thread, "hello", turn)
        two = await assistant.message(ann, thread, "hello", turn)
        assert one == two
        assert len(script.asked) == 1
    assert await sql.fetchval("select count(*) from chat_messages where thread_id = $1", thread) == 2


async def test_a_person_takes_over_once(
    shop: Commerce, sql: asyncpg.Connection, assistants: Any, principals: Any
) -> None:
    ann = principals(shop, "ann")
    async with assistants([{"tool": "ask_for_person", "reason": "wants a human"}], "person") as (assistant, _):
        thread = await begun(shop, ann)
        answer = await assistant.message(ann, thread, "let me talk to a human")
        assert answer.handoff is not None
        later = await assistant.message(ann, thread, "it is about my mug")
        assert later.handoff == answer.handoff
        assert (
            later.messages[0].text
            == f"Your message is added to ticket {answer.handoff.number}; a colleague will answer it here."
        )
    rows = await sql.fetch("select body from support_ticket_messages order by id")
    assert [row["body"] for row in rows] == ["let me talk to a human", "it is about my mug"]


async def test_lookups_answer_at_once_and_foreign_orders_do_not_exist(
    shop: Commerce, http: httpx.AsyncClient, world: World, settle: Any, assistants: Any, principals: Any
) -> None:
    order = await bought(http, world, settle)
    ann, ben = principals(shop, "ann"), principals(shop, "ben")
    for who, status in ((ann, "done"), (ben, "failed")):
        async with assistants([{"tool": "get_order", "order": order["number"]}, "Here it is."]) as (assistant, script):
            answer = await assistant.message(who, await begun(shop, who), f"where is {order['number']}?")
            assert [(a.tool, a.status) for a in answer.actions] == [("get_order", status)]
            assert answer.pending_confirmation is None
            told = script.asked[-1][-1].text
            assert ("order_not_found" in told) == (status == "failed")
            assert ("Mug" in told) == (status == "done")
