"""Tools that only look: exact answers to whom they belong, nothing to anybody else, and nothing changed by a refusal."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import asyncpg
import httpx
import pytest

from agents.replies import told
from agents.roster import AGENTS, owner
from commerce.app import Commerce
from commerce.orchestration.schemas import NewRun
from commerce.pricing.schemas import SetPrice
from commerce.promotion import TRIES_MOST
from kernel.auth import SYSTEM, Principal
from kernel.ids import new_id
from tests.agents.test_limits import never
from tests.factories.api import signed_in
from tests.factories.world import World
from tools.bind import Binder
from tools.spec import TOOLS

STAFF_TOOLS = ("list_promotions", "email_status", "stuck_sagas", "dead_letters", "explain_saga", "api_usage")
SELLERS_TOOLS: dict[str, dict[str, Any]] = {
    "price_of": {"product": "mug"},
    "pick_tasks": {},
    "pick_status": {},
    "find_in_warehouse": {},
}

Who = Callable[[str], Principal]


@pytest.fixture(scope="module")
def who(shop: Commerce, principals: Any) -> Who:
    """Ann, Ben, the merchants, a guest, or staff."""

    def principal(name: str) -> Principal:
        if name in ("support", "admin"):
            return replace(shop.identity.as_role(name), user_id=new_id())
        found: Principal = principals(shop, name)
        return found

    return principal


@pytest.fixture(scope="module")
async def number(http: httpx.AsyncClient, world: World, settle: Any) -> str:
    """An order of Ann with a merchant north, confirmed and waiting to be picked."""
    ann = await signed_in(http, "ann")
    group = await ann.checkout(await ann.cart({world.variants["mug"]: 2}))
    await settle()
    found: str = group["orders"][0]["number"]
    return found


async def call(shop: Commerce, caller: Principal, tool: str, **args: Any) -> tuple[str, dict[str, Any]]:
    """Status and result of one call by the tool's own agent."""
    agent = owner(TOOLS[tool])
    async with shop.database.work(caller) as work:
        run = await shop.runs.begin(work, NewRun(agent=agent, trigger="chat", cause=new_id()))
    binder = Binder(shop, never)
    errand = binder.errand(run.id, caller, agent, AGENTS[agent].tools, AGENTS[agent].limits)
    record = (await binder.call(errand, tool, "call", args)).record
    return record.status, record.result


@pytest.mark.parametrize("tool", [*STAFF_TOOLS, *SELLERS_TOOLS, "my_shop"])
@pytest.mark.parametrize("name", ["ann", "visitor"])
async def test_shoppers_get_nothing_of_staff_and_merchants(
    shop: Commerce, sql: asyncpg.Connection, who: Who, number: str, tool: str, name: str
) -> None:
    before = await sql.fetchval("select count(*) from outbox_events")
    status, result = await call(shop, who(name), tool, **SELLERS_TOOLS.get(tool, {}))
    assert (status, result["error"]) == ("refused", "forbidden")
    assert await sql.fetchval("select count(*) from outbox_events") == before


@pytest.mark.parametrize("tool", STAFF_TOOLS)
async def test_merchants_get_nothing_of_staff(shop: Commerce, who: Who, number: str, tool: str) -> None:
    status, result = await call(shop, who("north"), tool)
    assert (status, result["error"]) == ("refused", "forbidden")


# --- delivery and coupons ---


async def test_delivery_costs_what_the_purchase_will(
    shop: Commerce, http: httpx.AsyncClient, world: World, who: Who
) -> None:
    """Two merchants are two parcels, each paid for; the figure is the one that the order then has."""
    ben = await signed_in(http, "ben")
    status, alone = await call(shop, who("ben"), "shipping_options")
    assert (status, alone["country"], alone["parcel_g"]) == ("done", "DE", 1000)
    assert [(way["code"], way["price"]["amount"]) for way in alone["methods"]] == [("standard", 490), ("express", 1290)]
    cart = await ben.cart({world.variants["mug"]: 1, world.variants["plate"]: 1})
    status, both = await call(shop, who("ben"), "shipping_options", to="AT")
    assert (status, both["country"], "parcel_g" in both) == ("done", "AT", False)
    assert [(way["code"], way["price"]["amount"]) for way in both["methods"]] == [("standard", 980), ("express", 2580)]
    group = await ben.checkout(cart, shipping_method="express")
    assert sum(order["totals"]["shipping"]["amount"] for order in group["orders"]) == 2580


async def test_a_code_for_free_delivery_shows_in_its_price(
    shop: Commerce, http: httpx.AsyncClient, world: World, who: Who
) -> None:
    ben = await signed_in(http, "ben")
    cart = await ben.cart({world.variants["mug"]: 1})
    await ben.post(f"/v1/carts/{cart}/coupons", {"code": "FREESHIP"})
    _, result = await call(shop, who("ben"), "shipping_options")
    assert [way["price"]["amount"] for way in result["methods"]] == [0, 0]
    assert "1 to 3 days" in told("shipping_options", result)


async def test_a_price_of_delivery_makes_no_cart(shop: Commerce, sql: asyncpg.Connection, who: Who) -> None:
    before = await sql.fetchval("select count(*) from carts")
    status, result = await call(shop, who("a visitor"), "shipping_options", to="FR")
    assert (status, result["country"], len(result["methods"])) == ("done", "FR", 2)
    assert await sql.fetchval("select count(*) from carts") == before


async def test_a_code_is_told_about_and_not_entered(shop: Commerce, sql: asyncpg.Connection, who: Who) -> None:
    ann = who("ann")
    _, good = await call(shop, ann, "check_coupon", code="ten")
    assert (good["code"], good["usable"], good["coupon"]["percent"]) == ("TEN", True, 10)
    assert told("check_coupon", good) == "You can use the coupon TEN: 10 percent off."
    _, old = await call(shop, ann, "check_coupon", code="OLD")
    assert (old["usable"], old["reason"]) == (False, "The coupon OLD is not valid at this time.")
    _, none = await call(shop, ann, "check_coupon", code="NOPE")
    assert (none["usable"], none["reason"], "coupon" in none) == (False, "There is no coupon NOPE.", False)
    assert await sql.fetchval("select count(*) from cart_adjustments where code = 'TEN'") == 0


async def test_codes_cannot_be_guessed_in_a_chat(
    shop: Commerce, http: httpx.AsyncClient, who: Who, world: World
) -> None:
    """Tries count whether they find something or not, in the chat and at the cart together."""
    guesser = who("a guesser")
    answers = [await call(shop, guesser, "check_coupon", code=f"GUESS{i}") for i in range(TRIES_MOST)]
    assert {result["reason"].split(" GUESS")[0] for _, result in answers} == {"There is no coupon"}
    _, last = await call(shop, guesser, "check_coupon", code="TEN")
    assert (last["usable"], "coupon" in last) == (False, False)
    assert last["reason"].startswith("Those were many codes.")
    _, other = await call(shop, who("ben"), "check_coupon", code="TEN")
    assert other["usable"] is True


async def test_staff_see_what_runs_and_how_often_it_was_used(shop: Commerce, who: Who) -> None:
    _, result = await call(shop, who("support"), "list_promotions")
    found = {
        one["code"]: (one.get("percent"), one.get("amount", {}).get("amount"), one["running"])
        for one in result["items"]
    }
    assert found == {
        "TEN": (10, None, True),
        "ONCE": (None, 500, True),
        "LAST": (None, 500, True),
        "FREESHIP": (None, None, True),
    }
    assert "- FREESHIP: free delivery; used" in told("list_promotions", result)


# --- a merchant's own ---


async def test_a_price_is_told_with_what_it_was_to_its_own_merchant_only(
    shop: Commerce, who: Who, world: World
) -> None:
    async with shop.database.work(SYSTEM) as work:
        for minor in (2900, 2600):
            await shop.pricing.set_price(work, SetPrice(variant_id=world.variants["plate"], channel="web", minor=minor))
    _, result = await call(shop, who("south"), "price_of", product="plate")
    (plate,) = result["items"]
    assert (plate["sku"], plate["price"]["amount"], plate["lowest_30_days"]["amount"]) == ("PLATE", 2600, 2500)
    assert [past["price"]["amount"] for past in plate["history"]] == [2600, 2900, 2500]
    status, foreign = await call(shop, who("north"), "price_of", product="plate")
    assert (status, foreign["error"]) == ("failed", "product_unknown")
    assert (await call(shop, who("admin"), "price_of", product="plate"))[1] == result


async def test_a_merchant_sees_its_own_picks(shop: Commerce, http: httpx.AsyncClient, who: Who, number: str) -> None:
    _, result = await call(shop, who("north"), "pick_tasks", most=20)
    (job,) = [job for job in result["items"] if job["order"] == number]
    assert (job["status"], job["lines"]) == ("open", [{"sku": "MUG", "quantity": 2, "picked": 0}])
    _, foreign = await call(shop, who("south"), "pick_tasks", most=20)
    assert number not in [job["order"] for job in foreign["items"]]
    status, missing = await call(shop, who("south"), "pick_status", order=number)
    assert (status, missing["error"]) == ("failed", "order_not_found")
    task = next(
        task
        for task in await (await signed_in(http, "north")).get("/v1/warehouse/picks")
        if task["lines"][0]["sku"] == "MUG"
    )
    line = task["lines"][0]["order_line_id"]
    north = await signed_in(http, "north")
    await north.post(f"/v1/warehouse/picks/{task['order_id']}/lines/{line}", {"quantity": 1}, 204)
    _, half = await call(shop, who("support"), "pick_status", order=number)
    assert (half["status"], half["lines"][0]["picked"]) == ("open", 1)
    assert told("pick_status", half).endswith("1 of 2 × MUG.")
    await north.post(f"/v1/warehouse/picks/{task['order_id']}/lines/{line}", {"quantity": 1}, 204)
    _, done = await call(shop, who("north"), "pick_status", order=number)
    assert told("pick_status", done) == f"Order {number} is picked completely."


async def test_a_merchant_sees_its_own_shop(shop: Commerce, who: Who) -> None:
    _, result = await call(shop, who("south"), "my_shop")
    assert [(one["name"], one["status"]) for one in result["items"]] == [("South", "active")]
    assert told("my_shop", result) == "South is active and may sell. The south shop"


# --- what was told ---


async def test_a_feed_is_its_readers_own(shop: Commerce, who: Who, number: str) -> None:
    _, mine = await call(shop, who("ann"), "my_notifications")
    assert [line["title"] for line in mine["items"]] == [f"Order {number} is confirmed"]
    assert "(new)" in told("my_notifications", mine)
    _, shops = await call(shop, who("north"), "my_notifications", most=20)
    assert f"New order {number}" in [line["title"] for line in shops["items"]]
    _, others = await call(shop, who("south"), "my_notifications", most=20)
    assert all(number not in line["title"] for line in others["items"])


async def test_staff_see_whether_a_mail_went_out_and_not_to_whom(shop: Commerce, who: Who, number: str) -> None:
    _, result = await call(shop, who("support"), "email_status", order=number)
    (mail,) = result["mails"]
    assert (result["order"], mail["subject"], mail["status"]) == (number, f"Your order {number} is confirmed", "queued")
    assert "demo.test" not in str(result)
    assert told("email_status", result).endswith("is confirmed: waiting, 0 attempts so far")


# --- what runs by itself ---


async def test_a_process_is_explained_step_by_step(shop: Commerce, who: Who, number: str) -> None:
    _, result = await call(shop, who("support"), "explain_saga", order=number)
    (saga,) = result["sagas"]
    assert (saga["kind"], saga["status"]) == ("purchase", "completed")
    assert {step["status"] for step in saga["steps"]} == {"done"}
    assert told("explain_saga", result).startswith(f"The purchase of order {number} is completed.\n- ")


async def test_what_is_stuck_or_dead_is_listed_with_its_cause(
    shop: Commerce, sql: asyncpg.Connection, who: Who, number: str
) -> None:
    support = who("support")
    assert await call(shop, support, "stuck_sagas") == ("done", {"items": []})
    assert await call(shop, support, "dead_letters") == ("done", {"items": []})
    assert told("stuck_sagas", {"items": []}) == "No saga is stuck."
    await sql.execute(
        "update saga_instances set status = 'stuck', cause = 'the gateway is silent' where kind = 'purchase'"
    )
    await sql.execute(
        "insert into dead_letters (id, consumer, type, event_id, key, sequence, status, cause, attempts, created_at, "
        "updated_at, message) select uuidv7(), 'order.history', 'OrderPaid', uuidv7(), uuidv7(), 1, 'dead', 'unreadable', "
        "3, now(), now(), '{}'"
    )
    _, stuck = await call(shop, support, "stuck_sagas", most=20)
    assert {(saga["kind"], saga["cause"]) for saga in stuck["items"]} == {("purchase", "the gateway is silent")}
    assert "the gateway is silent" in told("stuck_sagas", stuck)
    _, dead = await call(shop, support, "dead_letters")
    assert [(letter["type"], letter["cause"]) for letter in dead["items"]] == [("OrderPaid", "unreadable")]
    assert "OrderPaid at order.history" in told("dead_letters", dead)


async def test_usage_adds_up_and_names_nobody(shop: Commerce, sql: asyncpg.Connection, who: Who) -> None:
    await sql.execute("delete from gateway_usage")
    await sql.execute("delete from gateway_idempotency_keys")
    await sql.execute(
        "insert into gateway_usage values ('user:a', now(), 30), ('user:a', now() - interval '2 minutes', 12), "
        "('guest:b', now(), 7), ('user:a', now() - interval '1 hour', 1000)"
    )
    await sql.execute(
        "insert into gateway_idempotency_keys (subject, route, key, request_hash, created_at) "
        "values ('user:a', 'POST /v1/x', 'k', 'h', now() - interval '2 minutes')"
    )
    _, result = await call(shop, who("admin"), "api_usage")
    assert result == {
        "minutes": 10,
        "requests": 49,
        "callers": [{"subject": "user:a", "requests": 42}, {"subject": "guest:b", "requests": 7}],
        "unanswered": 1,
    }
    assert told("api_usage", result).endswith("1 request has no answer yet.")
