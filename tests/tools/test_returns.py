"""Returns through an agent: nothing without the person's own yes to the exact sum, and then exactly that, once."""

from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from commerce.orchestration import Limits
from commerce.orchestration.schemas import NewRun
from kernel.ids import new_id, parse
from tests.agents.conftest import principals  # noqa: F401  # a fixture
from tests.agents.test_chat_writes import begun
from tests.factories.api import signed_in
from tests.factories.world import World
from tests.returns.world import books, delivered, inspect, receive, shirts
from tools import refund, returns
from tools.bind import Binder, Errand
from tools.spec import TOOLS

GIVEN = tuple(
    TOOLS[run.__name__]
    for run in (returns.request_return, returns.request_exchange, returns.return_status, refund.refund_status)
)


class Agent:
    """An agent that acts for one person in one conversation, with the tools of returns."""

    errand: Errand

    def __init__(self, shop: Commerce, who: Any) -> None:
        self.shop = shop
        self.who = who

        async def drive(run: Any) -> None:
            await shop.checkout.drive(run)

        self.binder = Binder(shop, drive)

    async def call(self, tool: str, **args: Any) -> Any:
        return await self.binder.call(self.errand, tool, new_id().hex, args)

    async def yes(self, outcome: Any) -> None:
        async with self.shop.database.work(self.who) as work:
            await self.shop.chat.confirmations.answer(work, self.errand.thread_id, outcome.confirmation.id, True)


async def agent(shop: Commerce, who: Any) -> Agent:
    async with shop.database.work(who) as work:
        run = await shop.runs.begin(work, NewRun(agent="order", trigger="chat", cause=new_id()))
    made = Agent(shop, who)
    made.errand = made.binder.errand(run.id, who, "order", GIVEN, Limits(), await begun(shop, who))
    return made


async def test_a_return_asks_first_and_happens_once(
    shop: Commerce,
    http: httpx.AsyncClient,
    sql: asyncpg.Connection,
    world: World,
    principals: Any,  # noqa: F811
    settle: Any,
) -> None:
    order, north = (
        await delivered(http, {world.variants["mug"]: 2, world.variants["pen"]: 1}),
        await signed_in(http, "north"),
    )
    hand = await agent(shop, principals(shop, "ann"))
    wish = {"order": order["number"], "reason": "It does not fit", "product": "mug"}
    asked = await hand.call("request_return", **wish)
    assert asked.record.status == "confirmation"
    assert asked.confirmation.summary.startswith(
        f"Send 2 × Mug (mug) of order {order['number']} back for 30.00 EUR, to the way it was paid? "
        "It counts once the parcel has arrived and was looked at. Mug (mug) can be sent back until "
    )
    assert await requests(sql, order) == 0
    await hand.yes(asked)
    other = await hand.call("request_return", **{**wish, "quantity": 1})
    assert other.record.status == "confirmation"
    assert await requests(sql, order) == 0
    await hand.yes(other)
    done = await hand.call("request_return", **{**wish, "quantity": 1})
    assert (done.record.status, done.content["status"]) == ("done", "in_transit")
    again = await hand.call("request_return", **{**wish, "quantity": 1})
    assert again.record.status == "confirmation"
    assert await requests(sql, order) == 1
    await receive(north, done.content, 1)
    await inspect(north, done.content, 1)
    await settle()
    assert (await books(sql, order))["refunded"] == 1500
    status = await hand.call("return_status", order=order["number"])
    assert [item["status"] for item in status.content["items"]] == ["completed"]
    money = await hand.call("refund_status")
    assert [(item["status"], item["amount"]["amount"]) for item in money.content["items"]] == [("succeeded", 1500)]


async def requests(sql: asyncpg.Connection, order: Any) -> int:
    return await sql.fetchval("select count(*) from return_requests where order_id = $1", parse("ord", order["id"]))


async def test_an_exchange_names_its_difference_and_its_method(
    shop: Commerce,
    http: httpx.AsyncClient,
    sql: asyncpg.Connection,
    world: World,
    principals: Any,  # noqa: F811
) -> None:
    shirt = await shirts(shop, world)
    order = await delivered(http, {shirt.sizes["S"]: 1})
    hand = await agent(shop, principals(shop, "ann"))
    sku = await sql.fetchval("select sku from product_variants where id = $1", shirt.sizes["L"])
    wish = {"order": order["number"], "sku": sku, "reason": "It does not fit", "payment_method": "4242"}
    asked = await hand.call("request_exchange", **wish)
    assert asked.confirmation.summary.startswith(
        f"Exchange 1 × Shirt (S) of order {order['number']} for 1 × Shirt (L)? The difference of 6.00 EUR is paid with "
        "the payment method you named. It counts once"
    )
    await hand.yes(asked)
    done = await hand.call("request_exchange", **wish)
    assert (done.content["resolution"], done.content["difference"]["amount"]) == ("exchange", 600)


@pytest.mark.parametrize(
    ("tool", "args", "code"),
    [
        ("request_return", {"reason": "nonsense"}, "return_reason_unknown"),
        ("request_return", {"reason": "It does not fit", "product": "sofa"}, "return_product_unknown"),
        ("request_return", {"reason": "It does not fit", "payment_method": "gift card"}, "payment_method_unknown"),
        (
            "request_return",
            {"reason": "It does not fit", "quantity": 9, "product": "mug"},
            "return_more_than_delivered",
        ),
        ("request_exchange", {"reason": "It does not fit", "sku": "LAMP"}, "exchange_other_product"),
        ("request_exchange", {"reason": "It does not fit", "sku": "NONE"}, "product_unknown"),
    ],
)
async def test_what_cannot_be_is_said_so_and_changes_nothing(
    shop: Commerce,
    http: httpx.AsyncClient,
    sql: asyncpg.Connection,
    world: World,
    principals: Any,  # noqa: F811
    tool: str,
    args: dict[str, Any],
    code: str,
) -> None:
    order = await delivered(http, {world.variants["mug"]: 1}, "ben")
    hand = await agent(shop, principals(shop, "ben"))
    outcome = await hand.call(tool, order=order["number"], **args)
    assert (outcome.record.status, outcome.record.code) == ("failed", code)
    assert await requests(sql, order) == 0


async def test_an_order_of_somebody_else_is_none(
    shop: Commerce,
    http: httpx.AsyncClient,
    sql: asyncpg.Connection,
    world: World,
    principals: Any,  # noqa: F811
) -> None:
    order = await delivered(http, {world.variants["mug"]: 1})
    hand = await agent(shop, principals(shop, "ben"))
    outcome = await hand.call("request_return", order=order["number"], reason="It does not fit")
    assert outcome.record.code == "order_not_found"
    assert await requests(sql, order) == 0
    body = {"order_id": order["id"], "lines": [{"order_line_id": order["lines"][0]["id"]}], "reason": "not_wanted"}
    ben = await signed_in(http, "ben")
    await ben.refused("POST", "/v1/returns", 404, "order_not_found", json=body, key=str(uuid4()))
