"""`agora recall`: rebuilt, compared and erased from the command line, beside a running process or without one."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from commerce.app import Commerce
from commerce.support.schemas import WriteArticle
from kernel.auth import SYSTEM
from kernel.ids import public
from tests.conftest import ROOT, settings
from tests.factories.world import World
from tests.recall.test_recall import ARTICLES
from tools.recall import Library


@pytest.fixture(scope="module")
async def written(shop: Commerce) -> Commerce:
    async with shop.database.work(SYSTEM) as work:
        for article in ARTICLES:
            await shop.support.articles.write(work, WriteArticle(**article))
    return shop


async def agora(url: str, folder: Path, *words: str) -> tuple[int, list[str]]:
    env = {**os.environ, "DATABASE_URL": url, "AGORA_DATA_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "cli.main", "recall", *words]
    done = await asyncio.to_thread(
        subprocess.run, command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=100
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


@pytest.mark.timeout(400)  # seven commands, each of which loads Chroma
async def test_a_rebuild_without_any_process_makes_the_index(
    written: Commerce, url: str, tmp_path: Path, sql: asyncpg.Connection
) -> None:
    code, lines = await agora(url, tmp_path, "check")
    assert code == 1
    assert "there is no index yet" in lines[-1]
    code, lines = await agora(url, tmp_path, "rebuild")
    assert (code, lines[0]) == (0, f"articles: {len(ARTICLES)} to read")
    assert lines[-1].startswith("every index is at revision ")
    code, lines = await agora(url, tmp_path, "check")
    assert code == 0
    assert lines[0] == f"index 0, articles: {len(ARTICLES)} held, 0 missing, 0 stale, 0 too many"
    await sql.execute("update support_articles set body = body || ' More.' where slug = 'returns'")
    await sql.execute("update support_articles set published = false where slug = 'invoices'")
    code, lines = await agora(url, tmp_path, "check")
    assert (code, lines[0]) == (1, f"index 0, articles: {len(ARTICLES)} held, 0 missing, 1 stale, 1 too many")
    await agora(url, tmp_path, "rebuild")
    code, lines = await agora(url, tmp_path, "check")
    assert (code, lines[0]) == (0, f"index 0, articles: {len(ARTICLES) - 1} held, 0 missing, 0 stale, 0 too many")


async def test_a_rebuild_beside_a_process_is_done_by_that_process(written: Commerce, url: str, tmp_path: Path) -> None:
    asked = Library(written, settings(data_dir=tmp_path))
    following = asyncio.create_task(asked.follow())
    try:
        code, lines = await agora(url, tmp_path, "rebuild")
        assert code == 0, lines
        assert sorted(path.name for path in (tmp_path / "recall").iterdir()) == ["0", "0.lock"]
    finally:
        following.cancel()
        asked.close()


async def test_a_customer_is_erased_by_their_id(
    written: Commerce, url: str, tmp_path: Path, world: World, sql: asyncpg.Connection
) -> None:
    await sql.execute(
        "insert into chat_facts (id, customer_id, key, text, created_at, expires_at) "
        "values (uuidv7(), $1, 'oak', 'I like oak', now(), now() + interval '1 day')",
        world.customers["ann"],
    )
    code, lines = await agora(url, tmp_path, "erase", public("cus", world.customers["ann"]))
    assert (code, lines) == (0, ["1 facts, 0 tickets, 0 threads erased"])
    assert await sql.fetchval("select count(*) from chat_facts") == 0
    code, lines = await agora(url, tmp_path, "erase", "somebody")
    assert (code, lines) == (1, ["agora: somebody is no customer's id (cus_...)"])


def test_the_words_of_the_commands_are_known(tmp_path: Path) -> None:
    command: list[Any] = [sys.executable, "-m", "cli.main", "recall", "--help"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {"rebuild", "check", "erase"} <= set(said.split())
