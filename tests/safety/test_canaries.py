"""Words that must never be seen: secrets, traces of errors, and what is another's; searched in everything that is said.

Everything: each message to a model, each answer, each event of a stream, each document an endpoint returns, in
conversations, commands, events, approvals, and on every path of an error.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi.routing import APIRoute
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult

from agents.models import Models
from agents.roster import AGENTS
from commerce.app import Commerce
from graphs.assistant import Assistant
from graphs.automation import Automation
from graphs.supervisor import Supervisor
from kernel.auth import SYSTEM
from memory.checkpoints import checkpoints
from tests.agents.test_errands import carry_out
from tests.api.test_generated import STREAMS, operations
from tests.conftest import SECRET, settings
from tests.factories.api import Caller, guest, signed_in
from tests.factories.world import PASSWORD
from tests.safety.conftest import WIDE, Scene
from tests.safety.puppet import Named, Puppet
from tests.safety.test_guards import down
from tests.safety.test_random_calls import Others, others
from tools.spec import TOOLS, Effect, Tool

__all__ = ["others"]
pytestmark = pytest.mark.usefixtures("quiet")
DSN = "postgresql://agora:canary-password@db.internal/agora"
SECRETS = (SECRET, "canary-password", "sk-canary-key", "canary in an exception", PASSWORD, "argon2")
TRACES = ("Traceback", 'File "', "site-packages", "asyncpg", "UndefinedTable", "does not exist", "RuntimeError")
MINE = ("ann@demo.test",)
"""What Ann may read of herself, and nobody else but staff."""


@dataclass
class Heard:
    """Everything that was said, with who could read it."""

    texts: list[tuple[str, str]] = field(default_factory=list)

    def note(self, reader: str, text: object) -> None:
        self.texts.append((reader, str(text)))

    def found(self, words: tuple[str, ...], *readers: str) -> list[tuple[str, str, str]]:
        """(reader, word, its surroundings); of all readers when none is named."""
        hits = ((r, w, t) for r, t in self.texts if not readers or r in readers for w in words if w in t)
        return [(reader, word, text[max(text.index(word) - 80, 0) :][:200]) for reader, word, text in hits]


class Listening(Puppet):
    """Obeys, and lets a test read along; raises when it is told to."""

    heard: Any
    reader: str = "model"

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        self.heard.note(self.reader, "\n".join(str(message.content) for message in messages))
        if "please break" in str(messages[-1].content):
            raise RuntimeError(f"canary in an exception: {DSN}")
        return super()._generate(messages)


def broken_tools() -> Iterator[Tool]:
    """Every tool, and one of each effect that raises what no model may read."""
    yield from TOOLS.values()

    async def boom(*_: Any) -> Any:
        raise RuntimeError(f"canary in an exception: {DSN} {SECRET}")

    for name in ("list_categories", "add_to_cart", "propose_note"):
        yield replace(TOOLS[name], name=f"broken_{name}", run=boom)
    yield replace(TOOLS["find_products"], name="broken_look", look=boom)


@asynccontextmanager
async def listening(shop: Commerce, url: str, reader: str, heard: Heard) -> AsyncIterator[tuple[Assistant, Automation]]:
    model = Listening(heard=heard, reader=reader)
    found = settings(model="offline", openai_api_key="sk-canary-key")
    before = AGENTS[WIDE]
    AGENTS[WIDE] = replace(before, tools=tuple(broken_tools()))

    async def drive(run: Any) -> None:
        await shop.checkout.drive(run)

    try:
        async with checkpoints(url, size=2) as saver:
            talking = Supervisor(shop, Models(found, model), drive, Named, saver)
            alone = Supervisor(shop, Models(found, model), drive, Named, None)
            yield Assistant(shop, talking), Automation(shop, alone)
    finally:
        AGENTS[WIDE] = before


def said(scene: Scene, others: Others) -> Iterator[str]:
    """A call of every tool with names of one's own and of others, of tools that break, and words that break a model."""
    names = [scene.facts["number"], scene.facts["ticket"], *others.names[:9], "MUG", "RUG", "x\x01", "' or 1=1 --"]
    for tool in broken_tools():
        schema = tool.command.model_json_schema()
        texts = [name for name, part in schema.get("properties", {}).items() if part.get("type") == "string"]
        filled = dict.fromkeys(schema.get("required", []), "x")
        for name in names if texts and tool.effect is Effect.READ else names[:3]:
            yield f"{WIDE}: {tool.name} with {json.dumps({**filled, **dict.fromkeys(texts, name)})}"
        yield f"{WIDE}: {tool.name} with {{}}"
    yield f"{WIDE}: please break"


async def converse(caller: Caller, app: Any, assistant: Assistant, heard: Heard, reader: str, lines: list[str]) -> None:
    """Says every line, answered whole or as a stream in turn, and every tenth question with yes."""
    app.state.site.assistant._made = assistant
    for number, line in enumerate(lines):
        thread = await caller.post("/v1/chat/threads")
        if thread["cart_token"]:
            caller.headers["X-Cart-Token"] = thread["cart_token"]
        stream = {"Accept": "text/event-stream"} if number % 2 else {}
        path = f"/v1/chat/threads/{thread['id']}"
        answer = await caller.call("POST", f"{path}/messages", json={"text": line}, headers=stream)
        assert answer.status_code in (200, 500, 503), (line, answer.text)
        heard.note(reader, answer.text)
        if number % 10 == 0 and not stream and (asked := answer.json().get("pending_confirmation")):
            body = {"confirmation_id": asked["id"], "accept": True}
            heard.note(reader, (await caller.call("POST", f"{path}/confirm", json=body)).text)
        heard.note(reader, (await caller.call("GET", f"{path}/messages")).text)


async def documents(caller: Caller, http: httpx.AsyncClient, heard: Heard, reader: str, ids: dict[str, Any]) -> int:
    """Every GET there is, of one's own and of others' things; returns how many answered."""
    answered = 0
    for method, route in operations(http):
        if method != "GET" or route.path in STREAMS or not isinstance(route, APIRoute):
            continue
        for number in range(3):
            path = route.path
            for name, known in ids.items():
                path = path.replace("{" + name + "}", known[number % len(known)])
            answer = await caller.call("GET", path)
            heard.note(reader, answer.text)
            answered += answer.status_code == 200
    return answered


async def known(sql: asyncpg.Connection, scene: Scene) -> dict[str, Any]:
    """Ids of everybody's things, for the paths of endpoints."""

    async def of(table: str, prefix: str, limit: int = 3) -> list[str]:
        rows = await sql.fetch(f"select id from {table} order by id desc limit {limit}")
        return [f"{prefix}_{row['id'].hex}" for row in rows] or [f"{prefix}_{'0' * 32}"]

    tables = {
        "order_id": ("orders", "ord"), "group_id": ("order_groups", "grp"), "ticket_id": ("support_tickets", "tkt"),
        "cart_id": ("carts", "crt"), "thread_id": ("chat_threads", "thr"), "run_id": ("agent_runs", "run"),
        "saga_id": ("saga_instances", "sag"), "proposal_id": ("agent_proposals", "prp"),
        "product_id": ("products", "prd"),
    }  # fmt: skip
    found = {name: await of(table, prefix) for name, (table, prefix) in tables.items()}
    errands = await sql.fetch("select cause from agent_runs where trigger = 'command' order by id desc limit 3")
    rest = {"number": [scene.facts["ticket"]], "slug": ["zebra", "mug"], "name": sorted(AGENTS), "code": ["late"]}
    return {**found, **rest, "errand_id": [str(row["cause"]) for row in errands] or ["x"], "reference": ["x"]}


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.soak)])
async def test_no_word_is_seen_that_must_not_be(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, url: str, scene: Scene, others: Others,
    settle: Any, every: int,
) -> None:  # fmt: skip
    """Every line in the long run, every fourth one in the short one."""
    heard, lines = Heard(), list(said(scene, others))[::every]
    app = http._transport.app.app  # type: ignore[attr-defined]
    callers = {name: await signed_in(http, name) for name in ("ann", "north", "support", "admin")}
    callers["guest"] = guest(http)
    for name, caller in callers.items():
        async with listening(shop, url, f"model of {name}", heard) as (assistant, _):
            await converse(caller, app, assistant, heard, name, lines if name in ("ann", "north") else lines[::5])
            for table in ("agent_switches", "audit_log", "agent_tool_calls", "carts", "products"):
                async with down(sql, table):
                    await converse(caller, app, assistant, heard, name, lines[:: len(lines) // 4])
    app.state.site.assistant._made = None
    await errands(callers["support"], shop, url, heard, settle, lines)
    ids = await known(sql, scene)
    for name, caller in callers.items():
        assert await documents(caller, http, heard, name, ids) > 10, name
    assert len(heard.texts) > 6_000 // every
    raised = "select count(*) from agent_tool_calls where code = 'internal_error' and tool like 'broken_%'"
    assert await sql.fetchval(raised) >= 40 // every
    assert heard.found((*SECRETS, *TRACES)) == []
    foreign = [who for name in ("ann", "north", "guest") for who in (name, f"model of {name}")]
    assert heard.found(others.secrets, *foreign) == []
    assert heard.found(MINE, "north", "model of north", "guest", "model of guest") == []
    assert heard.found(("Canary",), "support", "model of support"), "the words are there for those who may read them"
    print(f"{len(heard.texts)} texts searched for {len(SECRETS) + len(TRACES) + len(others.secrets)} words: 0 found")


async def errands(support: Caller, shop: Commerce, url: str, heard: Heard, settle: Any, lines: list[str]) -> None:
    """Commands and queries whose tools break, an event whose model breaks, a decision on what was proposed."""
    for number, line in enumerate(lines[::12]):
        kind = ("commands", "queries")[number % 2]
        sent = await support.post(f"/v1/agents/{WIDE}/{kind}", {"text": line.replace("\x01", "")}, 202)
        heard.note("support", sent)
    await support.post("/v1/support/tickets", {"subject": "please break", "body": "please break"})
    await settle()
    async with listening(shop, url, "model of errands", heard) as (_, automation):
        while True:
            async with shop.database.work(SYSTEM) as work:
                queued = await shop.errands.claim(work)
            if not queued:
                break
            await automation.carry_out(queued)
    for proposal in (await support.get("/v1/approvals?status=waiting"))["items"]:
        path = f"/v1/approvals/{proposal['id']}/decision"
        answer = await support.call("POST", path, json={"accept": True}, key=proposal["id"])
        heard.note("support", answer.text)
    await settle()


async def test_a_broken_model_is_an_apology(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, scene: Scene, settle: Any
) -> None:
    """The run of a command whose model raises is failed, and what it raised stands nowhere."""
    await sql.execute("update agent_runs set status = 'done' where status = 'queued'")
    support = await signed_in(http, "support")
    sent = await support.post("/v1/agents/support/commands", {"text": "hello"}, 202)
    await settle()
    await carry_out(shop, [[{"tool": "get_ticket", "ticket": scene.facts["ticket"]}], object()])
    answer = await support.get(f"/v1/agents/errands/{sent['id']}")
    assert (answer["status"], answer["outcome"]) == ("failed", "error")
    assert "object" not in str(answer)
