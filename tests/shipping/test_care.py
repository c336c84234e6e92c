"""A parcel in trouble wakes the shipping agent: its customer is told once, and what makes up for it is proposed."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from agents.models import Models
from commerce.app import Commerce
from commerce.order.schemas import NoteDelivery
from commerce.shipping.ports import Seen
from evals.endpoint import endpoint
from graphs.automation import Automation
from graphs.supervisor import Supervisor
from kernel.auth import SYSTEM
from kernel.errors import AgoraError, Forbidden
from kernel.ids import parse
from tests.agents.test_limits import never
from tests.conftest import settings
from tests.factories.api import Caller, guest, signed_in
from tests.factories.books import broken
from tests.factories.parcels import send
from tests.factories.world import World
from tests.fakes.models import Ranked
from workers.schedule import parcels_late

CALLS = "select c.tool, c.status from agent_tool_calls c join agent_runs r on r.id = c.run_id where r.cause = $1 order by c.id"
STEPS = ("parcel_case", "propose_parcel_news", "propose_parcel_remedy")


async def work_off(shop: Commerce, models: Models | None = None) -> None:
    supervisor = Supervisor(shop, models or Models(settings(model="offline")), never, Ranked, None)
    async with shop.database.work(SYSTEM) as work:
        errands = await shop.errands.claim(work, 20)
    await Automation(shop, supervisor).carry_out(errands)


async def late(
    http: httpx.AsyncClient,
    shop: Commerce,
    sql: asyncpg.Connection,
    world: World,
    settle: Any,
    name: str = "ann",
    **checkout: Any,
) -> Any:
    """An order whose parcel was promised for yesterday, and everybody heard of it."""
    buyer = await signed_in(http, name)
    order = (await buyer.checkout(await buyer.cart({world.variants["mug"]: 2}), **checkout))["orders"][0]
    parcel = await send(await signed_in(http, "north"), order)
    await sql.execute("update shipments set promised_on = current_date - 1 where id = $1", parse("shp", parcel["id"]))
    await parcels_late(shop)
    await settle()
    return order, parcel


async def lost(
    http: httpx.AsyncClient,
    shop: Commerce,
    sql: asyncpg.Connection,
    world: World,
    settle: Any,
    units: int = 2,
    name: str = "ann",
) -> Any:
    """The same of a parcel its carrier lost."""
    buyer = guest(http) if name == "guest" else await signed_in(http, name)
    cart = await buyer.cart({world.variants["mug"]: units}, **({"email": "gil@demo.test"} if name == "guest" else {}))
    order = (await buyer.checkout(cart))["orders"][0]
    parcel = await send(await signed_in(http, "north"), order)
    async with shop.database.work(SYSTEM) as work:
        seen = [Seen("lost", work.now, "lost@1")]
        await shop.fulfillment.track(work, parse("ord", order["id"]), parse("shp", parcel["id"]), seen, "swift")
    await settle()
    return order, parcel


async def told(sql: asyncpg.Connection, parcel: Any) -> list[tuple[str, int]]:
    """What people were told about a parcel: lines of the feed, and mails."""
    name = parse("shp", parcel["id"]).hex
    feed = await sql.fetchval("select count(*) from notifications where cause like $1 || '.%'", name)
    mails = await sql.fetchval("select count(*) from email_messages where cause like $1 || '.%'", name)
    return [("feed", feed), ("mails", mails)]


async def proposals(sql: asyncpg.Connection, parcel: Any) -> list[tuple[str, str]]:
    rows = await sql.fetch("select kind, status from agent_proposals where object = $1 order by id", parcel["id"])
    return [tuple(row) for row in rows]


async def cause(sql: asyncpg.Connection, kind: str) -> Any:
    return await sql.fetchval("select id from outbox_events where type = $1 order by id desc limit 1", kind)


async def again(sql: asyncpg.Connection) -> None:
    """Every event is delivered once more to what wakes agents."""
    await sql.execute("update transport_cursors set position = 0")
    await sql.execute("delete from inbox_events where consumer = 'orchestration.wake'")


async def test_a_late_parcel_is_told_of_once_and_made_up_for_by_rule(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    order, parcel = await late(http, shop, sql, world, settle)
    await work_off(shop)
    await again(sql)
    await settle()
    await work_off(shop)
    event = await cause(sql, "ShipmentDelayed")
    assert [tuple(row) for row in await sql.fetch(CALLS, event)] == [(tool, "done") for tool in STEPS]
    (run,) = await sql.fetch("select agent, model, status, answer from agent_runs where cause = $1", event)
    assert (run["agent"], run["model"], run["status"]) == ("shipping", "rule", "done")
    assert order["number"] in run["answer"]
    assert await proposals(sql, parcel) == [("shipping.news", "accepted"), ("shipping.gesture", "accepted")]
    assert await told(sql, parcel) == [("feed", 2), ("mails", 2)]
    ann = await signed_in(http, "ann")
    titles = [line["title"] for line in (await ann.get("/v1/me/notifications"))["items"]][:2]
    assert titles == [
        f"A gift card of 4.90 EUR for the delay of order {order['number']}",
        f"A parcel of order {order['number']} is late",
    ]
    cards = [m for m in await ann.get("/v1/me/payment-methods") if m["kind"] == "gift_card"]
    assert [card["balance"]["amount"] for card in cards] == [490]
    assert await broken(sql) == {}


async def test_with_a_model_the_customer_is_told_and_people_decide_on_money(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    """A model has read more than its person's own words: what moves money waits."""
    order, parcel = await late(http, shop, sql, world, settle)
    async with endpoint() as server:
        server.says = [{"name": tool, "args": {"order": parcel["id"]}} for tool in STEPS]
        known = {"openai_base_url": server.base_url, "openai_api_key": SecretStr("sk-test")}
        models = Models(settings(model="auto", **known))
        await work_off(shop, models)
        await again(sql)
        await settle()
        await work_off(shop, models)
    event = await cause(sql, "ShipmentDelayed")
    assert [tuple(row) for row in await sql.fetch(CALLS, event)] == [(tool, "done") for tool in STEPS]
    assert await proposals(sql, parcel) == [("shipping.news", "accepted"), ("shipping.gesture", "waiting")]
    assert await told(sql, parcel) == [("feed", 1), ("mails", 1)]
    support = await signed_in(http, "support")
    (waiting,) = [
        p for p in (await support.get("/v1/approvals?status=waiting"))["items"] if p["object"] == parcel["id"]
    ]
    await support.post(f"/v1/approvals/{waiting['id']}/decision", {"accept": True}, 200, key=str(uuid4()))
    assert await told(sql, parcel) == [("feed", 2), ("mails", 2)]
    assert order["number"] in waiting["summary"]


async def test_dear_delivery_waits_for_a_person(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    _, parcel = await late(http, shop, sql, world, settle, "ben", shipping_method="express")
    await work_off(shop)
    assert await proposals(sql, parcel) == [("shipping.news", "accepted"), ("shipping.gesture", "waiting")]


async def test_a_lost_parcel_goes_out_again_once(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    before = await stock(sql, world.variants["mug"])
    order, parcel = await lost(http, shop, sql, world, settle)
    await work_off(shop)
    assert await proposals(sql, parcel) == [("shipping.news", "accepted"), ("shipping.resend", "accepted")]
    assert await told(sql, parcel) == [("feed", 1), ("mails", 1)]
    newest = (await ann.get("/v1/orders"))["items"][0]
    assert (newest["totals"]["total"]["amount"], newest["status"], newest["lines"][0]["quantity"]) == (
        0,
        "confirmed",
        2,
    )
    on_hand, allocated = await stock(sql, world.variants["mug"])
    assert (on_hand, allocated) == (before[0] - 2, before[1] + 2)
    await send(north, newest)
    await settle()
    assert (await ann.get(f"/v1/orders/{newest['id']}"))["status"] == "shipped"
    assert await stock(sql, world.variants["mug"]) == (before[0] - 4, before[1])
    async with shop.database.work(SYSTEM) as work:
        found = await shop.parcels.care.case(work, parcel["id"])
    assert (found.replaced, found.trouble) == (True, "lost")
    again_ = await remedy(shop, parcel)
    assert again_ == "parcel_not_lost"
    assert order["id"] != newest["id"]
    assert await broken(sql) == {}


async def test_what_is_worth_more_goes_out_when_a_person_says_so(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    _, parcel = await lost(http, shop, sql, world, settle, units=4)
    await work_off(shop)
    assert await proposals(sql, parcel) == [("shipping.news", "accepted"), ("shipping.resend", "waiting")]
    orders = await sql.fetchval("select count(*) from orders")
    support = await signed_in(http, "support")
    (waiting,) = [
        p for p in (await support.get("/v1/approvals?status=waiting"))["items"] if p["object"] == parcel["id"]
    ]
    async with shop.database.work(SYSTEM) as work:  # found meanwhile
        order_id = await work.value("select order_id from shipments where id = $1", parse("shp", parcel["id"]))
        assert await shop.fulfillment.delivered(work, order_id, noted(parcel)) != []
    decided = await support.post(f"/v1/approvals/{waiting['id']}/decision", {"accept": True}, 200, key=str(uuid4()))
    assert decided["status"] == "failed"
    assert await sql.fetchval("select count(*) from orders") == orders


async def test_a_guest_is_told_and_given_no_card(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    buyer = guest(http)
    cart = await buyer.cart({world.variants["mug"]: 1}, email="gil@demo.test")
    order = (await buyer.checkout(cart))["orders"][0]
    parcel = await send(await signed_in(http, "north"), order)
    await sql.execute("update shipments set promised_on = current_date - 1 where id = $1", parse("shp", parcel["id"]))
    await parcels_late(shop)
    await settle()
    await work_off(shop)
    event = await cause(sql, "ShipmentDelayed")
    assert [tuple(row) for row in await sql.fetch(CALLS, event)] == [
        ("parcel_case", "done"), ("propose_parcel_news", "done"), ("propose_parcel_remedy", "failed"),
    ]  # fmt: skip
    assert await told(sql, parcel) == [("feed", 0), ("mails", 1)]
    assert await proposals(sql, parcel) == [("shipping.news", "accepted")]


async def test_a_parcel_in_order_is_left_alone(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    """It arrived between the event and the agent."""
    order, parcel = await late(http, shop, sql, world, settle)
    async with shop.database.work(SYSTEM) as work:
        await shop.fulfillment.delivered(work, parse("ord", order["id"]), noted(parcel))
    await work_off(shop)
    event = await cause(sql, "ShipmentDelayed")
    assert [tuple(row) for row in await sql.fetch(CALLS, event)] == [("parcel_case", "done")]
    assert await proposals(sql, parcel) == []
    assert await told(sql, parcel) == [("feed", 0), ("mails", 0)]
    assert await remedy(shop, parcel) == "parcel_in_order"


@pytest.mark.parametrize("name", ["ann", "north"])
async def test_others_may_not_look_after_parcels(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any, name: str
) -> None:
    _, parcel = await late(http, shop, sql, world, settle)
    caller: Caller = await signed_in(http, name)
    token = caller.headers["Authorization"].removeprefix("Bearer ")
    who = shop.identity.principal(token, shop.database.clock())
    for ask in (shop.parcels.care.case, shop.parcels.care.news, shop.parcels.care.remedy):
        with pytest.raises(Forbidden):
            async with shop.database.work(who) as work:
                await ask(work, parcel["id"])
    await work_off(shop)


async def stock(sql: asyncpg.Connection, variant: UUID) -> tuple[int, int]:
    row = await sql.fetchrow("select on_hand, allocated from inventory_levels where variant_id = $1", variant)
    assert row is not None
    return row["on_hand"], row["allocated"]


def noted(parcel: Any) -> NoteDelivery:
    return NoteDelivery(shipment_id=parse("shp", parcel["id"]))


async def remedy(shop: Commerce, parcel: Any) -> str:
    """The code with which another proposal is refused."""
    with pytest.raises(AgoraError) as refused:
        async with shop.database.work(SYSTEM) as work:
            await shop.parcels.care.remedy(work, parcel["id"])
    return refused.value.code
