"""A run is run again on what was said then: the same code finds no difference, other code shows where it departs, and
nothing is ever written."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from agents import roster
from agents.spec import AgentSpec
from cli.replay import read_only
from commerce.app import Commerce
from commerce.orchestration.errors import UnknownRun
from graphs.replay import Replay, again
from kernel.ids import new_id, public
from memory.checkpoints import checkpoints
from tests.chat.test_chat_api import confirm, say, thread
from tests.conftest import ROOT, opened, settings
from tests.factories.api import signed_in
from tests.factories.world import World
from tools.spec import TOOLS


@pytest.fixture(scope="module")
async def runs(http: httpx.AsyncClient, world: World, settle: Any, sql: asyncpg.Connection) -> dict[str, UUID]:
    """A look, a question, its yes in words, a no, a person brought in: the run of each."""
    ann = await signed_in(http, "ann")
    group = await ann.checkout(await ann.cart({world.variants["mug"]: 1}))
    await settle()
    number, where = group["orders"][0]["number"], await thread(ann)
    await say(ann, where, f"where is order {number}?")
    asked = await say(ann, where, f"cancel order {number}, I changed my mind")
    await confirm(ann, where, asked, accept=False)
    await say(ann, where, f"cancel order {number}, I changed my mind")
    await say(ann, where, "yes")
    await say(ann, where, "I want to talk to a real person")
    found = await sql.fetch("select id from agent_runs order by id")
    return dict(zip(("look", "question", "no", "again", "yes", "person"), [row["id"] for row in found], strict=True))


@pytest.fixture(scope="module")
async def reader(url: str) -> AsyncIterator[Commerce]:
    """The services on a connection that cannot write."""
    async with opened(read_only(url)) as found:
        yield found


async def replayed(reader: Commerce, url: str, run: UUID) -> Replay:
    async with checkpoints(url, size=1) as saver:
        _, came = await again(reader, settings(model="offline"), saver, run)
    return came


async def rows(sql: asyncpg.Connection) -> list[Any]:
    tables = ("agent_runs", "agent_model_calls", "agent_tool_calls", "chat_messages", "support_tickets", "audit_log")
    return [await sql.fetchval(f"select count(*) from {table}") for table in tables]


@pytest.mark.parametrize("name", ["look", "question", "no", "again", "yes", "person"])
async def test_the_same_code_does_the_same(
    reader: Commerce, url: str, runs: dict[str, UUID], name: str, sql: asyncpg.Connection
) -> None:
    before = await rows(sql)
    came = await replayed(reader, url, runs[name])
    assert came.difference is None
    calls = await sql.fetchval("select count(*) from agent_tool_calls where run_id = $1", runs[name])
    assert len(came.same) == (0 if name == "person" else calls)
    assert await rows(sql) == before


async def test_a_tool_that_an_agent_no_longer_has_is_the_first_difference(
    reader: Commerce, url: str, runs: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    less: AgentSpec = replace(
        roster.AGENTS["order"], tools=tuple(t for t in roster.AGENTS["order"].tools if t is not TOOLS["get_order"])
    )
    monkeypatch.setitem(roster.AGENTS, "order", less)
    came = await replayed(reader, url, runs["look"])
    assert came.difference is not None
    assert came.difference.then.startswith("order: get_order(order='A1")
    assert came.difference.now == "order: get_order(fields=['order'])"


async def test_another_answer_of_the_code_is_a_difference(
    reader: Commerce, url: str, runs: dict[str, UUID], sql: asyncpg.Connection
) -> None:
    text = "update chat_messages set text = $2 where answers = (select cause from agent_runs where id = $1)"
    kept = await sql.fetchval(
        "select text from chat_messages where answers = (select cause from agent_runs where id = $1)", runs["look"]
    )
    await sql.execute(text, runs["look"], "Something else.")
    came = await replayed(reader, url, runs["look"])
    await sql.execute(text, runs["look"], kept)
    assert came.difference is not None
    assert (came.difference.step, came.difference.then, came.difference.now) == ("answer", "Something else.", kept)


async def test_an_unknown_run_is_refused(reader: Commerce, url: str) -> None:
    with pytest.raises(UnknownRun):
        await replayed(reader, url, new_id())


async def test_the_connection_cannot_write(url: str) -> None:
    connection = await asyncpg.connect(read_only(url))
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await connection.execute("delete from agent_runs")
    await connection.close()


def test_the_command_says_what_came_of_it(url: str, runs: dict[str, UUID], tmp_path: Path) -> None:
    def command(run: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "DATABASE_URL": url, "AGORA_DATA_DIR": str(tmp_path), "AGORA_MODEL": "offline"}
        line = [sys.executable, "-m", "cli.main", "replay", run]
        return subprocess.run(line, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    done = command(public("run", runs["yes"]))
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[0], lines[-1]) == (0, "chat run of order: 1 model turns, 1 calls", "no difference")
    assert lines[1].startswith("  same  order: cancel_order(")
    assert command("nonsense").stderr == "agora: nonsense is no id of a run: it begins with run_\n"
    assert command(public("run", new_id())).stderr == "agora: There is no such run of an agent.\n"
