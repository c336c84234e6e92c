"""A runaway model is stopped, and a guard that cannot answer lets nothing through: the tables say so."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from langchain_core.messages import AIMessage, BaseMessage

from agents.models import Models, Reply
from agents.roster import AGENTS, FRONT
from commerce.app import Commerce
from commerce.orchestration import Limits
from commerce.orchestration.schemas import NewRun
from graphs.assistant import Assistant
from graphs.automation import Automation
from graphs.supervisor import SORRY, Supervisor
from kernel.ids import new_id
from memory.checkpoints import checkpoints
from tests.agents.test_chat_writes import begun
from tests.agents.test_limits import never
from tests.conftest import settings
from tests.fakes.models import Ranked, message
from tests.safety.conftest import Scene
from tests.safety.puppet import Named, Puppet
from tests.safety.rows import changed, digests
from tests.safety.test_injection import QUEUE
from tools.bind import Binder, Errand

pytestmark = pytest.mark.usefixtures("quiet")


class Runaway(Models):
    """Calls tools for ever, each answer after `seconds` and for `cost` millionths."""

    def __init__(self, seconds: float = 0.0, cost: int = 0, calls: int = 1) -> None:
        super().__init__(settings(model="offline"))
        self.answers, self._seconds, self._cost, self._calls = 0, seconds, cost, calls

    async def answer(self, tier: Any, messages: Sequence[BaseMessage], *_: Any, **__: Any) -> Reply:
        self.answers += 1
        await asyncio.sleep(self._seconds)
        made: AIMessage = message([{"tool": "list_orders"}] * self._calls, self.answers)
        return Reply(made, "runaway", cost_micro=self._cost)


@asynccontextmanager
async def talking(shop: Commerce, url: str, models: Models, router: Any) -> AsyncIterator[Assistant]:
    async with checkpoints(url, size=1) as saver:
        yield Assistant(shop, Supervisor(shop, models, never, lambda: router, saver))


@pytest.mark.parametrize(
    ("runaway", "models", "tools", "outcome"),
    [
        ({"calls": 1}, 8, 8, "limit"),
        ({"calls": 5}, 8, 16, "limit"),
        ({"cost": 150_000}, 2, 2, "limit"),
        ({"seconds": 0.4}, 3, 2, "time"),
    ],
)
async def test_a_runaway_is_stopped(
    shop: Commerce, url: str, sql: asyncpg.Connection, scene: Scene, monkeypatch: pytest.MonkeyPatch,
    runaway: dict[str, Any], models: int, tools: int, outcome: str,
) -> None:  # fmt: skip
    """At 8 model calls, at 16 tool calls, at the cost cap of 0.20, and when its time is over (here 1 s of the 30)."""
    assert Limits() == Limits(model_calls=8, tool_calls=16, seconds=30, cost_micro=200_000)
    if outcome == "time":
        monkeypatch.setitem(AGENTS, FRONT, replace(AGENTS[FRONT], limits=Limits(seconds=1)))
    ann, model = scene.people["ann"], Runaway(**runaway)
    before, began = await digests(sql), time.monotonic()
    async with talking(shop, url, model, Ranked("list_orders")) as assistant:
        answer = await assistant.message(ann, await begun(shop, ann), "go")
    assert time.monotonic() - began < 10
    run = await sql.fetchrow("select id, status, outcome from agent_runs order by id desc limit 1")
    kept = [
        await sql.fetchval(f"select count(*) from {table} where run_id = $1", run["id"])
        for table in ("agent_model_calls", "agent_tool_calls")
    ]
    assert (run["status"], run["outcome"]) == ("failed", outcome)
    assert model.answers == models
    assert kept == [models - (outcome == "time"), tools]
    assert len(answer.actions) == tools
    assert changed(before, await digests(sql)) == []


@asynccontextmanager
async def down(sql: asyncpg.Connection, table: str) -> AsyncIterator[None]:
    """The table cannot be read or written."""
    await sql.execute(f"alter table {table} rename to {table}_down")
    try:
        yield
    finally:
        await sql.execute(f"alter table {table}_down rename to {table}")


async def asked(shop: Commerce, scene: Scene, who: str, agent: str, name: str, args: dict[str, Any]) -> Errand:
    """A run whose person has said yes to this call, where it asks for one."""
    person = scene.people[who]
    thread = await begun(shop, person)
    async with shop.database.work(person) as work:
        run = await shop.runs.begin(work, NewRun(agent=agent, trigger="chat", cause=new_id(), thread_id=thread))
    binder = Binder(shop, never)
    errand = replace(binder.errand(run.id, person, agent, AGENTS[agent].tools, Limits(), thread), tainted=True)
    outcome = await binder.call(errand, name, "asked", args)
    assert outcome.confirmation is not None
    async with shop.database.work(person) as work:
        await shop.chat.confirmations.answer(work, thread, outcome.confirmation.id, True)
    return errand


CALLS = {
    "a write": ("ann", "order", "add_to_cart", {"sku": "LAMP", "quantity": 1}),
    "a proposal": ("north", "inventory", "propose_restock", {"sku": "PEN", "quantity": 1, "reason": "counted"}),
}
GUARDS = {
    **{table: tuple(CALLS) for table in ("agent_switches", "agent_usage", "agent_tool_calls", "audit_log")},
    "chat_confirmations": tuple(CALLS),
    **dict.fromkeys(("agent_policies", "agent_caps", "agent_decisions"), ("a proposal",)),
}
"""What each guard stands before: switch, budget, record, audit, consent; policy, caps and decisions of proposals."""


@pytest.mark.parametrize(("guard", "kind"), [(guard, kind) for guard, kinds in GUARDS.items() for kind in kinds])
async def test_a_guard_that_is_down_lets_nothing_through(
    shop: Commerce, sql: asyncpg.Connection, scene: Scene, guard: str, kind: str
) -> None:
    """The very call that its person said yes to changes nothing while the guard is down, and happens when it is back."""
    who, agent, name, args = CALLS[kind]
    errand = await asked(shop, scene, who, agent, name, args)
    binder, before = Binder(shop, never), await digests(sql)
    async with down(sql, guard):
        try:
            outcome = await binder.call(errand, name, "down", args)
        except asyncpg.UndefinedTableError:
            outcome = None  # not even the failure could be noted: the turn ends in an apology
    if outcome:
        assert (outcome.record.status, outcome.record.code) == ("failed", "internal_error")
        assert guard not in str(outcome.content)
    assert changed(before, await digests(sql)) == []
    assert (await binder.call(errand, name, "back", args)).record.status == "done"
    assert changed(before, await digests(sql)) != []


@pytest.mark.parametrize("guard", ["audit_log", "agent_tool_calls", "agent_switches", "chat_confirmations"])
async def test_a_turn_behind_a_guard_that_is_down_ends_in_words(
    shop: Commerce, url: str, sql: asyncpg.Connection, scene: Scene, guard: str
) -> None:
    ann, before = scene.people["ann"], await digests(sql)
    models = Models(settings(model="offline"), Puppet())
    async with talking(shop, url, models, Named()) as assistant:
        thread = await begun(shop, ann)
        async with down(sql, guard):
            if guard in ("agent_tool_calls", "chat_confirmations"):  # which the answer itself lists
                with pytest.raises(asyncpg.UndefinedTableError):
                    await assistant.message(ann, thread, 'order: add_to_cart with {"sku": "MUG"}')
            else:
                answer = await assistant.message(ann, thread, 'order: add_to_cart with {"sku": "MUG"}')
                assert answer.messages[0].text in (SORRY, "Done as told.")
                assert answer.pending_confirmation is None
    assert changed(before, await digests(sql)) == []


async def test_an_errand_behind_a_guard_that_is_down_fails(
    shop: Commerce, sql: asyncpg.Connection, scene: Scene, puppets: tuple[Assistant, Automation]
) -> None:
    ask = f'propose_goodwill with {{"ticket": "{scene.facts["ticket"]}", "amount": 100, "reason": "x"}}'
    key, before = new_id(), await digests(sql)
    await sql.execute(QUEUE, key, "support", "command", ask)
    async with shop.database.work(scene.people["admin"]) as work:
        errands = await shop.errands.claim(work)
    async with down(sql, "audit_log"):
        await puppets[1].carry_out(errands)
    assert tuple(await sql.fetchrow("select status, outcome from agent_runs where id = $1", key)) == ("failed", "error")
    assert changed(before, await digests(sql)) == []
