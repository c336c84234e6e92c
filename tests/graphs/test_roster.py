"""All 26 agents: each a node, each reachable, each with an answer that is true, and none with a right its person lacks."""

import time
from typing import Any

import httpx
import pytest

from agents.intents import intents, topics
from agents.models import Models
from agents.roster import AGENTS, FRONT, owner, wishes
from commerce.app import GRANTS, Commerce
from commerce.identity import IdentityService, Signer
from commerce.orchestration.schemas import AskAgent
from graphs.automation import Automation
from graphs.supervisor import HOPS_MOST, Supervisor
from kernel.auth import SYSTEM, Principal
from kernel.clock import system_clock
from kernel.ids import new_id
from prompts.load import policies
from tests.agents.test_limits import never
from tests.conftest import settings
from tests.factories.api import signed_in
from tests.factories.world import World
from tools.spec import PUBLIC, TOOLS, grants
from workers.subscriptions import consumers
from workers.subscriptions import topics as read_topics

NAMES = [
    "order",
    "product",
    "inventory",
    "customer",
    "payment",
    "pricing",
    "warehouse",
    "shipping",
    "returns",
    "refund",
    "promotion",
    "recommendation",
    "search",
    "review",
    "merchant",
    "vendor",
    "supplier",
    "support",
    "chat",
    "email",
    "sms",
    "notification",
    "analytics",
    "integration",
    "gateway",
    "orchestration",
]
ROLES = ("guest", "customer", "merchant", "support", "admin")


def of(role: str) -> Principal:
    return Principal(roles=frozenset({role}), permissions=GRANTS[role], user_id=new_id())


def planned(shop: Commerce) -> Supervisor:
    return Supervisor(shop, Models(settings(model="offline")), never, intents, None)


def test_all_26_are_nodes_of_one_graph_built_in_a_blink(shop: Commerce) -> None:
    planned(shop)  # what is read once per process is read
    began = time.process_time()
    supervisor = planned(shop)
    taken = time.process_time() - began
    assert sorted(AGENTS) == sorted(NAMES)
    assert set(supervisor.graph.nodes) == {"__start__", "route", *NAMES}
    assert taken < 0.3


def test_every_hand_off_exists_and_every_agent_is_reached_from_the_front() -> None:
    for name, spec in AGENTS.items():
        assert spec.hand_offs <= AGENTS.keys() - {name}, name
    reached, more = {FRONT}, {FRONT}
    while more:
        more = {target for name in more for target in AGENTS[name].hand_offs} - reached
        reached |= more
    assert reached == set(AGENTS)


def test_every_agent_is_woken_by_commands_and_queries_of_its_own(shop: Commerce) -> None:
    read = read_topics(consumers(shop))
    assert {f"{name}.{kind}" for name in AGENTS for kind in ("commands", "queries")} <= set(read)


def test_every_tool_belongs_to_an_agent_that_has_it() -> None:
    assert [tool.name for tool in TOOLS.values() if tool not in AGENTS[owner(tool)].tools] == []
    assert not TOOLS.keys() & AGENTS.keys()


def test_every_topic_is_an_agents_that_says_what_it_cannot_do() -> None:
    assert all(AGENTS[name].cannot for name in topics())
    thin = {"returns", "refund", "recommendation", "search", "review", "vendor", "supplier", "sms", "analytics"}
    assert topics() >= {*thin, "integration"}


@pytest.mark.parametrize("name", NAMES)
def test_every_agent_has_rules_of_its_own_name(name: str) -> None:
    rules = policies(name)
    assert list(rules) == [f"{name.upper()}-{number}" for number in range(1, len(rules) + 1)]


@pytest.mark.parametrize("role", ROLES)
def test_no_agent_gives_a_person_a_right_they_lack(role: str) -> None:
    who, identity = of(role), IdentityService(Signer("for tests only"), GRANTS)
    for name, spec in AGENTS.items():
        token = identity.agent_token(who, name, grants(spec.tools), system_clock())
        acting = identity.acting(token, name, system_clock())
        assert acting.permissions <= who.permissions, name
        assert (acting.act, acting.subject, acting.roles) == (name, who.subject, who.roles)


STAFF = {"list_promotions", "email_status", "stuck_sagas", "dead_letters", "explain_saga", "api_usage"}
SELLING = {"price_of", "pick_tasks", "pick_status", "find_in_warehouse"}


def test_shoppers_are_never_offered_what_is_for_staff_or_merchants() -> None:
    for role in ("guest", "customer"):
        heard = set(wishes(of(role)))
        assert not heard & (STAFF | SELLING | {"my_shop", "merchant_stock", "merchant_sales", "merchant_orders"})
        assert not heard & {"vendor", "supplier", "analytics", "integration"}
        assert {"returns", "refund", "review", "shipping_options", "check_coupon"} <= heard
    merchant = set(wishes(of("merchant")))
    assert not merchant & STAFF
    assert merchant >= {"my_shop", *SELLING, "vendor", "supplier", "analytics", "integration"}
    assert set(wishes(of("admin"))) >= STAFF | SELLING


async def test_a_message_is_passed_on_a_few_times_and_keeps_its_person(shop: Commerce, assistants: Any) -> None:
    """A model that passes on for ever, to whoever it may: the hops end, and nobody gained anything on the way."""
    ann = of("customer")
    async with shop.database.work(ann) as work:
        thread = (await shop.chat.begin(work)).id
    passes = [{"tool": "pass_on", "agent": agent} for agent in ("order", "returns", "refund", "order")]
    async with assistants([*passes, {"tool": "price_of", "product": "mug"}, "No."], "none") as (assistant, script):
        answer = await assistant.message(ann, thread, "what did the mug cost before?")
    assert HOPS_MOST == 3
    assert "pass_on" in script.bound[0]
    assert "pass_on" not in script.bound[3]
    assert answer.messages[0].agent == "refund"
    assert [(a.tool, a.status) for a in answer.actions] == [("pass_on", "refused"), ("price_of", "refused")]
    assert all(not (STAFF | SELLING) & set(bound) for bound in script.bound)


@pytest.mark.parametrize("agent", ["gateway", "orchestration", "merchant", "nobody"])
async def test_an_agent_outside_the_list_or_not_for_this_person_is_not_reached(
    shop: Commerce, assistants: Any, agent: str
) -> None:
    """The gateway is none of the front's hand-offs; orchestration and merchant are, and not for a shopper."""
    ann = of("customer")
    async with shop.database.work(ann) as work:
        thread = (await shop.chat.begin(work)).id
    async with assistants([{"tool": "pass_on", "agent": agent}, "No."], "none") as (assistant, _):
        answer = await assistant.message(ann, thread, "who calls the API most?")
    assert (answer.messages[0].agent, [a.status for a in answer.actions]) == (FRONT, ["refused"])
    assert {"orchestration", "merchant"} < AGENTS[FRONT].hand_offs


def test_agents_of_staff_and_merchants_are_theirs() -> None:
    staffs = {"email", "gateway", "orchestration"}
    sellers = {"pricing", "warehouse", "merchant", "vendor", "supplier", "analytics", "integration"}
    barred = {role: {name for name, spec in AGENTS.items() if not spec.serves(of(role))} for role in ROLES}
    assert barred == {
        "guest": staffs | sellers,
        "customer": staffs | sellers,
        "merchant": staffs,
        "support": set(),
        "admin": set(),
    }


ASKED = {
    "order": ("where is order {number}?", "Order {number} of "),
    "product": ("do you have a mug?", "Mug, 15.00 EUR"),
    "inventory": ("is the mug in stock?", "in stock"),
    "customer": ("what can you do", "- show your profile"),
    "payment": ("was {number} paid?", "The payment of 19.90 EUR for order {number}: paid."),
    "pricing": ("price history of the mug", "Mug (MUG): 15.00 EUR; lowest of the last 30 days 15.00 EUR"),
    "warehouse": ("what has to be picked", "{number} since "),
    "shipping": ("how much is delivery to Austria", "- standard: 4.90 EUR, 1 to 3 days\n- express: 12.90 EUR"),
    "returns": ("print me a return label", "{cannot}"),
    "refund": ("I want a refund", "{cannot}"),
    "promotion": ("which promotions are running", "- TEN: 10 percent off; used 0 times"),
    "recommendation": ("what do others buy with this", "{cannot}"),
    "search": ("sort the results by price", "{cannot}"),
    "review": ("I want to write a review", "{cannot}"),
    "merchant": ("show my shop", "You have no shop here."),
    "vendor": ("who wins the buy box", "{cannot}"),
    "supplier": ("create a purchase order", "{cannot}"),
    "support": ("how do returns work", "I found no help article about that."),
    "chat": ("hello", "Hello! I can find products"),
    "email": ("did the mails for {number} go out", "Your order {number} is confirmed: waiting"),
    "sms": ("send me a text message", "{cannot}"),
    "notification": ("show my notifications", "Order {number} is confirmed"),
    "analytics": ("show a conversion rate report", "{cannot}"),
    "integration": ("set up a webhook", "{cannot}"),
    "gateway": ("who calls the API most", "in the last 10 minutes."),
    "orchestration": ("explain the saga of {number}", "The purchase of order {number} is completed."),
}
"""What each agent is asked, and a part of the only true answer."""


@pytest.fixture(scope="module")
async def number(http: httpx.AsyncClient, world: World, settle: Any) -> str:
    ann = await signed_in(http, "ann")
    group = await ann.checkout(await ann.cart({world.variants["mug"]: 1}))
    await settle()
    found: str = group["orders"][0]["number"]
    return found


@pytest.mark.parametrize("name", NAMES)
async def test_every_agent_answers_a_query_and_a_command_truly(
    shop: Commerce, settle: Any, number: str, name: str
) -> None:
    text, truth = ASKED[name]
    facts = {"number": number, "cannot": f"I cannot {AGENTS[name].cannot} yet."}
    async with shop.database.work(SYSTEM) as work:
        query = await shop.errands.send(work, "query", name, AskAgent(text=text.format(**facts)))
        command = await shop.errands.send(work, "command", name, AskAgent(text="what can you do"))
    await settle()
    async with shop.database.work(SYSTEM) as work:
        claimed = await shop.errands.claim(work)
    assert {errand.cause for errand in claimed} == {query, command}
    await Automation(shop, planned(shop)).carry_out(claimed)
    async with shop.database.work(SYSTEM) as work:
        answers = [await shop.errands.answered(work, cause) for cause in (query, command)]
    assert [(answer.agent, answer.status) for answer in answers] == [(name, "done")] * 2
    assert truth.format(**facts) in (answers[0].text or "")
    assert "I can" in (answers[1].text or "")
    assert not AGENTS[name].cannot or facts["cannot"] in (answers[1].text or "")


async def test_all_26_are_listed_with_what_they_may_and_did(http: httpx.AsyncClient, number: str) -> None:
    listed = await (await signed_in(http, "support")).get("/v1/agents")
    assert sorted(agent["name"] for agent in listed) == sorted(NAMES)
    for agent in listed:
        spec = AGENTS[agent["name"]]
        assert agent["purpose"] == spec.purpose
        assert agent["tools"] == [tool.name for tool in spec.tools]
        assert (agent["autonomy"], agent["enabled"]) == (spec.autonomy, True)
        assert agent["limits"]["model_calls"] == 8
        assert agent["spend"]["cost_micro"] == 0
        assert agent["accuracy"] is None or 0 <= agent["accuracy"] <= 1


def test_public_tools_are_those_of_the_shop_front() -> None:
    assert {tool.name for tool in TOOLS.values() if tool.permission == PUBLIC} == {
        *("find_products", "get_product", "list_categories", "check_stock", "payment_options", "search_help"),
        *("shipping_options", "calculate"),
    }
