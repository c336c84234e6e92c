"""Plays call sequences through the real chat: one call a turn, a write in two steps, the world put back between tasks."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import yaml

from agents.replies import PHRASES
from commerce.app import Commerce, wire
from commerce.payment.adapters.simulator import Simulator
from evals.drive import DONE
from evals.endpoint import Endpoint, endpoint
from evals.ground import SIGNED_IN_SECONDS, served, settings_of
from evals.retail.adapter import Names, Wish, wish
from evals.retail.project import SOURCE, project
from evals.retail.undo import Undo
from evals.retail.world import PASSWORD, Terms, bring_in, sign_up
from kernel import db
from kernel.auth import SYSTEM
from kernel.ids import new_id
from kernel.settings import Settings
from migrations import upgrade as migrations

Json = dict[str, Any]

_CALLS = """
select c.id, c.tool, c.status, c.code, c.result from agent_tool_calls c join agent_runs r on r.id = c.run_id
where r.thread_id = $1 and c.id > $2 and c.tool = $3 order by c.id
"""
_EVERY = """
select r.agent, r.status, c.tool, c.status, c.code from agent_runs r left join agent_tool_calls c on c.run_id = r.id
where r.thread_id = $1 order by r.id desc, c.id desc limit 3
"""


@dataclass(slots=True)
class Made:
    """What came of one call; `row` is its `agent_tool_calls` row when it was carried out."""

    accepted: bool
    row: str | None
    code: str | None


@dataclass(slots=True)
class Played:
    """A task as it went, and the state it left: users and orders that are not as before."""

    id: str
    calls: list[Made]
    users: dict[str, Json]
    orders: dict[str, Json]
    seconds: float
    reset: float = 0.0

    @property
    def line(self) -> Json:
        """As it is written."""
        accepted = [call.accepted for call in self.calls]
        rows, codes = [call.row for call in self.calls], [call.code for call in self.calls]
        return {
            "id": self.id,
            "accepted": accepted,
            "users": self.users,
            "orders": self.orders,
            "tool_calls": rows,
            "refused": codes,
        }


@dataclass(slots=True)
class Stage:
    """One shop with the world in it. `ids` are ours by kind and external id."""

    shop: Commerce
    sql: "asyncpg.Connection"
    http: httpx.AsyncClient
    model: Endpoint
    undo: Undo
    ids: dict[tuple[str, str], UUID]
    said: dict[str, str]
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    _before: dict[UUID, tuple[dict[str, Json], dict[str, Json]]] = field(default_factory=dict)

    async def play(self, task: Json) -> Played:
        """One task from a fresh world, which it leaves as it found it."""
        began = time.perf_counter()
        customer = self.ids["customer", task["user_id"]]
        person = await self.sql.fetchrow("select email, name from customers where id = $1", customer)
        talk = Talk(self, await self._headers(person["email"]))
        names = Names(self.ids, person["name"])
        calls = [await talk.make(wish(call["name"], call["arguments"], names)) for call in task["calls"]]
        users, orders = await self._changed(customer)
        clock = time.perf_counter()
        await self.undo.back()
        done = time.perf_counter()
        return Played(task["id"], calls, users, orders, done - began, done - clock)

    async def _changed(self, customer: UUID) -> tuple[dict[str, Json], dict[str, Json]]:
        """Everybody of whom a row was written is looked at, not only who talked."""
        people = sorted({customer, *await self.undo.customers()})
        users: dict[str, Json] = {}
        orders: dict[str, Json] = {}
        for one in people:
            now = await project(self.sql, [one])
            before = await self._as_before(one)
            users |= {name: user for name, user in now[0].items() if user != before[0].get(name)}
            orders |= {name: order for name, order in now[1].items() if order != before[1].get(name)}
        return users, orders

    async def _as_before(self, customer: UUID) -> tuple[dict[str, Json], dict[str, Json]]:
        return self._before[customer]

    async def remember(self) -> tuple[dict[str, Json], dict[str, Json]]:
        """Notes the state of everybody, to compare with; returns all of it."""
        users: dict[str, Json] = {}
        orders: dict[str, Json] = {}
        people = [ours for (kind, _), ours in self.ids.items() if kind == "customer"]
        found = await project(self.sql, people)
        for name, user in found[0].items():
            mine = {order: found[1][order] for order in user["orders"]}
            self._before[self.ids["customer", name]] = {name: user}, mine
            users[name] = user
            orders |= mine
        return users, orders

    async def _headers(self, email: str) -> dict[str, str]:
        token, at = self._tokens.get(email, ("", 0.0))
        if time.monotonic() - at > SIGNED_IN_SECONDS:
            form = {"username": email, "password": PASSWORD}
            answer = await self.http.post("/v1/auth/token", data=form)
            answer.raise_for_status()
            token = answer.json()["access_token"]
            self._tokens[email] = token, time.monotonic()
        return {"Authorization": f"Bearer {token}"}


@dataclass(slots=True)
class Talk:
    """The conversation of a task; once a person took over, the next call begins another one."""

    stage: Stage
    headers: dict[str, str]
    thread: str | None = None

    async def make(self, wanted: Wish) -> Made:
        """Says what is wished for; the model makes the call; a question is answered with yes."""
        stage, since = self.stage, new_id()
        if self.thread is None:
            begun = await stage.http.post("/v1/chat/threads", json={}, headers=self.headers)
            self.thread = begun.json()["id"]
        thread = self.thread
        stage.model.says = [{"name": wanted.tool, "args": wanted.args}]
        answer = await self._post("messages", {"text": stage.said.get(wanted.tool, "Please help me.")})
        rows = await self._rows(thread, since, wanted.tool)
        if (asked := answer.get("pending_confirmation")) and rows[-1]["status"] == "confirmation":
            await self._post("confirm", {"confirmation_id": asked["id"], "accept": True})
            rows = await self._rows(thread, since, wanted.tool)
        if answer.get("handoff"):
            self.thread = None
        return _made(rows[-1])

    async def _post(self, what: str, body: Json) -> Json:
        path = f"/v1/chat/threads/{self.thread}/{what}"
        answer = await self.stage.http.post(path, json=body, headers=self.headers)
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    async def _rows(self, thread: str, since: UUID, tool: str) -> list[Any]:
        rows = await self.stage.sql.fetch(_CALLS, UUID(thread.partition("_")[2]), since, tool)
        if not rows:
            every = await self.stage.sql.fetch(_EVERY, UUID(thread.partition("_")[2]))
            raise RuntimeError(f"{tool} was not called, but {[tuple(row) for row in every]}")
        return list(rows)


def _made(row: Any) -> Made:
    result = json.loads(row["result"])
    failed = result.get("change", {}).get("failure") if isinstance(result.get("change"), dict) else None
    if row["status"] == "done" and not failed:
        return Made(True, str(row["id"]), None)
    return Made(False, None, failed or row["code"])


@asynccontextmanager
async def stage(
    server: str, base: Settings, folder: Path, people: Collection[str] | None = None
) -> AsyncIterator[Stage]:
    """A new shop on the server at this URL with the world of `folder`; `people` (external ids) can sign in."""
    name = f"agora_retail_{secrets.token_hex(4)}"
    url = await migrations.create_database(server, name)
    try:
        async with AsyncExitStack() as stack:
            await asyncio.to_thread(migrations.upgrade, url)
            played = await stack.enter_async_context(endpoint())
            played.otherwise = DONE
            found = base.model_copy(update=settings_of("scripted", played))
            database = await db.connect(url, size=6)
            stack.push_async_callback(database.close)
            secret = secrets.token_urlsafe(48)
            shop = wire(database, Simulator(database, found.base_url, secret), secret, found)
            async with database.work(SYSTEM) as work:
                await shop.identity.sync_roles(work)
            view = await bring_in(shop, folder, Terms.read())
            if view.refused:
                raise RuntimeError(f"the world did not come in whole: {view.errors[0]}")
            sql = await asyncpg.connect(url)
            stack.push_async_callback(sql.close)
            ids = await _ids(sql)
            await _sign_up(shop, ids, people)
            await sql.execute("analyze")
            undo = Undo(sql)
            client = await stack.enter_async_context(served(shop, found))
            made = Stage(shop, sql, client, played, undo, ids, _sentences())
            await undo.begin()
            yield made
    finally:
        await migrations.drop_database(server, name)


async def _ids(sql: Any) -> dict[tuple[str, str], UUID]:
    rows = await sql.fetch(
        "select kind, external_id, internal_id from integration_external_references where source = $1", SOURCE
    )
    return {(row["kind"], row["external_id"]): row["internal_id"] for row in rows}


async def _sign_up(shop: Commerce, ids: dict[tuple[str, str], UUID], people: Collection[str] | None) -> None:
    wanted = [ours for (kind, name), ours in ids.items() if kind == "customer" and (people is None or name in people)]
    async with shop.database.work(SYSTEM) as work:
        found = await shop.customer.contacts(work, wanted)
    await sign_up(shop, found.values())


def _sentences() -> dict[str, str]:
    """What a person says for each tool: the sentences the assistant itself offers."""
    return {name: words["say"] for name, words in yaml.safe_load(PHRASES.read_text())["tools"].items()}
