"""One Chroma server for all: a single worker feeds it, everybody asks it, and without it words answer."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from commerce.app import Commerce
from commerce.support.schemas import WriteArticle
from kernel.auth import SYSTEM
from tests.conftest import opened, settings
from tests.factories.chroma import chroma
from tests.recall.test_recall import ARTICLES, found
from tools.recall import Library, shelves
from workers.recall import SharedIndex


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with chroma(tmp_path_factory.mktemp("chroma")) as url:
        yield url


async def write(shop: Commerce) -> None:
    async with shop.database.work(SYSTEM) as work:
        for article in ARTICLES[:7]:
            await shop.support.articles.write(work, WriteArticle(**article))
        await shop.recall.note_all(work, "articles")


async def fed(feeder: SharedIndex) -> int:
    total = 0
    while done := await feeder.step():
        total += done
    return total


async def test_one_worker_feeds_and_another_takes_over(
    shop: Commerce, url: str, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.recall.WITHOUT_LOCK", 0.05)
    there = settings(CHROMA_URL=server, data_dir=tmp_path)
    await write(shop)
    async with opened(url) as other:
        first, second = SharedIndex(shop, there), SharedIndex(other, there)
        assert await fed(first) >= 7
        async with shop.database.work(SYSTEM) as work:
            await shop.recall.note_all(work, "articles")
        assert await second.step() == 0  # the first one holds the lock
        assert await fed(first) == 7
        await first._connection.close()  # the first process dies
        async with shop.database.work(SYSTEM) as work:
            await shop.recall.note_all(work, "articles")
        assert await fed(second) == 7
        await second._connection.close()
    (shelf,) = await shelves(there)
    assert (shelf.place, len(shelf.held["articles"])) == ("server", 7)


async def test_a_process_that_is_asked_reads_what_the_worker_wrote(shop: Commerce, server: str, tmp_path: Path) -> None:
    there = settings(CHROMA_URL=server, data_dir=tmp_path)
    asking = Library(shop, there)
    following = asyncio.create_task(asking.follow())
    shop.recall.index = asking
    try:
        async with asyncio.timeout(20):
            while (await found(shop, "my bank wants me to confirm in its app"))[:1] != [("3-d-secure", "meaning")]:
                await asyncio.sleep(0.1)
        assert not (tmp_path / "recall").exists()
    finally:
        following.cancel()
        asking.close()


async def test_a_server_that_is_gone_leaves_words(shop: Commerce, tmp_path: Path) -> None:
    asking = Library(shop, settings(CHROMA_URL="http://127.0.0.1:9", data_dir=tmp_path))
    following = asyncio.create_task(asking.follow())
    shop.recall.index = asking
    await asyncio.sleep(0.5)
    assert (await found(shop, "I want to cancel my order"))[0] == ("cancel-an-order", "words")
    following.cancel()
