"""Any sequence of tool calls, as customer A and as merchant A through all agents: B's rows stay as they are and unseen.

Arguments come from the tools' own schemas and from the names of A's things and of B's; a question is often answered
with yes, so that A's own things do change.
"""

import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from agents.roster import AGENTS
from commerce.app import Commerce
from commerce.approval import Draft
from commerce.chat.schemas import Remember
from commerce.customer.schemas import AddAddress
from commerce.orchestration.schemas import NewRun
from kernel.auth import Principal
from kernel.ids import new_id, parse, public
from kernel.money import Money
from kernel.saga_engine import Run
from tests.agents.test_chat_writes import begun
from tests.factories.api import signed_in
from tests.factories.books import broken
from tests.factories.world import ADDRESS, World
from tests.safety.arguments import calls
from tests.safety.conftest import Scene
from tests.safety.rows import TABLES
from tests.support.people import opened_by
from tools.bind import Binder
from tools.spec import TOOLS

LENGTH = 25
"""Calls of one sequence: of one run, in one conversation."""
Step = tuple[str, tuple[str, dict[str, Any]], bool]
HOME = {**ADDRESS, "name": "Benedict Canary", "line1": "Canary Lane 7"}
WORDS = ("Benedict Canary", "Canary Lane 7", "canary-ticket", "canary-fact", "canary-reason", "Canary Depot")


@dataclass(frozen=True)
class Others:
    """What nobody but B may ever read, and names for the pool of arguments, some of them of B's things."""

    secrets: tuple[str, ...]
    names: tuple[str, ...]


@pytest.fixture(scope="module")
async def others(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, scene: Scene, settle: Any
) -> Others:
    """Ben and the merchant south have everything that A has, with words nobody else may ever read."""
    ben, south, caller = scene.people["ben"], scene.people["south"], await signed_in(http, "ben")
    group = await caller.checkout(await caller.cart({world.variants["plate"]: 1}), shipping_address=HOME)
    async with shop.database.work(ben) as work:
        address = await shop.customer.add_address(work, AddAddress(**HOME))
        await shop.chat.facts.remember(work, Remember(text="canary-fact"))
    async with shop.database.work(south) as work:
        draft = Draft(
            kind="pricing.price", object=public("var", world.variants["rug"]), stance="raise", arguments={},
            amount=Money(900, "EUR"), summary="canary-reason", merchant_id=world.merchants["south"],
        )  # fmt: skip
        made = await shop.approval.propose(work, draft)
    tickets = [await opened_by(shop, who, subject="canary-ticket", body="canary-ticket") for who in (ben, south) * 2]
    second = await caller.checkout(await caller.cart({world.variants["plate"]: 1}), shipping_address=HOME)
    cart = await caller.cart({world.variants["rug"]: 1})
    await settle()
    await sql.execute("update customers set name = 'Benedict Canary' where id = $1", ben.customer_id)
    await sql.execute("update inventory_locations set name = 'Canary Depot' where code = 'south'")
    level = await sql.fetchval("select id from inventory_levels where variant_id = $1", world.variants["rug"])
    numbers = (group["orders"][0]["number"], tickets[0].number, tickets[1].number)
    unsaid = (second["orders"][0]["number"], second["id"], tickets[2].number, tickets[3].number)
    ids = [public("adr", address.id), public("tkt", tickets[0].id), public("prp", made.proposal), public("lvl", level)]
    more = [public("cus", ben.customer_id or new_id()), public("mer", world.merchants["south"]), "BEN@demo.test"]
    own = [*(v for k, v in scene.facts.items() if k not in ("ann", "north")), public("grp", parse("grp", group["id"]))]
    catalogue = ["MUG", "PEN", "LAMP", "PLATE", "RUG", "mug", "TEN", "ONCE", "latest", "default", "standard", "other"]
    return Others(
        (*WORDS, *unsaid), (*numbers, *ids, *more, *own, *catalogue, group["id"], cart, str(await begun(shop, ben)))
    )


def sequences(number: int, names: tuple[str, ...], count: int) -> list[list[Step]]:
    """The same ones for the same number."""
    found: list[list[Step]] = []
    step = st.tuples(st.sampled_from(sorted(AGENTS)), calls(names), st.booleans())

    @seed(number)
    @hypothesis(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.lists(step, min_size=LENGTH, max_size=LENGTH))
    def draw(sequence: list[Step]) -> None:
        found.append(sequence)

    draw()
    return found


async def belongings(sql: asyncpg.Connection, ben: Any, south: Any) -> dict[str, str]:
    """A digest of every table's rows that are B's, and how it is found: by its owner, or by what it hangs on."""
    columns = await sql.fetch(
        "select table_name as t, array_agg(column_name::text) as c from information_schema.columns "
        "where table_schema = 'public' group by 1"
    )
    owned = {row["t"]: set(row["c"]) for row in columns}
    tables = [row["relname"] for row in await sql.fetch(TABLES)]
    where = {table: rule for table in tables if (rule := _rule(table, owned[table]))}
    found = {}
    for table, rule in where.items():
        query = f"select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) || count(*) from {table} t where "
        found[table] = await sql.fetchval(query + rule.format(ben=f"'{ben}'", south=f"'{south}'"))
    levels = "select string_agg(l.id || ' ' || l.on_hand, ',' order by l.id) from inventory_levels l "
    found["south's stock"] = await sql.fetchval(
        f"{levels} join inventory_locations p on p.id = l.location_id where p.merchant_id = $1", south
    )
    return found


def _rule(table: str, columns: set[str]) -> str | None:
    """Rows of B; what A has bought from south is A's, and its picking the house's."""
    if table.startswith("warehouse_"):
        return None
    if {"customer_id", "merchant_id"} <= columns:
        return "customer_id = {ben} or (merchant_id = {south} and customer_id is null)"
    if "customer_id" in columns:
        return "customer_id = {ben}"
    if "merchant_id" in columns:
        return "merchant_id = {south}"
    parents = {
        "order_id": "select id from orders where customer_id = {ben}",
        "group_id": "select id from order_groups where customer_id = {ben}",
        "cart_id": "select id from carts where customer_id = {ben}",
        "ticket_id": "select id from support_tickets where customer_id = {ben} or merchant_id = {south}",
        "thread_id": "select id from chat_threads where customer_id = {ben}",
        "intent_id": "select id from payment_intents where customer_id = {ben}",
        "variant_id": "select v.id from product_variants v join products p on p.id = product_id "
        "where p.merchant_id = {south}",
    }
    if table.startswith("inventory_"):  # A's purchases move south's stock, and rightly
        return None
    rules = [f"{column} in ({parent})" for column, parent in parents.items() if column in columns]
    return rules[0] if rules else None


async def play(shop: Commerce, who: Principal, sequence: list[Step], others: Others, statuses: Counter[str]) -> None:
    """One sequence: no error nobody foresaw, and not a word of B's."""

    async def drive(run: Run) -> None:
        await shop.checkout.drive(run)

    binder, thread = Binder(shop, drive), await begun(shop, who)
    async with shop.database.work(who) as work:
        run = await shop.runs.begin(work, NewRun(agent="chat", trigger="chat", cause=new_id(), thread_id=thread))
    for number, (agent, (name, args), yes) in enumerate(sequence):
        spec = AGENTS[agent]
        if number % 4 and name in TOOLS:  # three of four are sent to an agent that has the tool
            spec = next(one for one in AGENTS.values() if TOOLS[name] in one.tools)
        errand = replace(binder.errand(run.id, who, spec.name, spec.tools, spec.limits, thread), tainted=yes)
        outcome = await binder.call(errand, name, f"{number}", args)
        if outcome.confirmation and yes:
            async with shop.database.work(who) as work:
                await shop.chat.confirmations.answer(work, thread, outcome.confirmation.id, True)
            outcome = await binder.call(replace(errand, tainted=True), name, f"{number} again", args)
        _check(outcome, name, args, others)
        statuses[f"{outcome.record.effect} {outcome.record.status}"] += 1
        statuses["calls"] += 1


def _check(outcome: Any, name: str, args: dict[str, Any], others: Others) -> None:
    assert outcome.record.code != "internal_error", (name, args)
    told = orjson.dumps([outcome.content, outcome.confirmation and outcome.confirmation.summary], default=str).decode()
    assert [word for word in others.secrets if word in told] == [], (name, args, told)


async def storm(
    shop: Commerce, sql: asyncpg.Connection, world: World, scene: Scene, others: Others, batches: range, each: int
) -> Counter[str]:
    """Batches of sequences, as A and as merchant A in turn; what is B's and the laws are looked at after each."""
    ben, south = world.customers["ben"], world.merchants["south"]
    before, began = await belongings(sql, ben, south), time.perf_counter()
    assert sum(not digest.endswith("0") for digest in before.values()) > 20
    statuses: Counter[str] = Counter()
    for batch in batches:
        who = scene.people[("ann", "north")[batch % 2]]
        for sequence in sequences(batch, others.names, each):
            await play(shop, who, sequence, others, statuses)
        after = await belongings(sql, ben, south)
        assert {table: digest for table, digest in after.items() if digest != before[table]} == {}, batch
        assert await broken(sql) == {}, batch
    seconds = time.perf_counter() - began
    print(f"{statuses['calls']} calls, {statuses['calls'] / seconds:.0f} a second: {dict(statuses)}")
    return statuses


async def test_two_thousand_calls_by_chance(
    shop: Commerce, sql: asyncpg.Connection, world: World, scene: Scene, others: Others
) -> None:
    statuses = await storm(shop, sql, world, scene, others, range(1, 5), 20)
    assert statuses["calls"] == 2_000
    assert min(statuses[kind] for kind in ("read done", "write done", "write confirmation", "read refused")) > 10


@pytest.mark.soak
@pytest.mark.parametrize("part", range(10))
async def test_a_hundred_thousand_calls_by_chance(
    shop: Commerce, sql: asyncpg.Connection, world: World, scene: Scene, others: Others, part: int
) -> None:
    first = 1_000 + 40 * part
    assert (await storm(shop, sql, world, scene, others, range(first, first + 40), 10))["calls"] == 10_000
