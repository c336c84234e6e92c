"""What is found by meaning is what Postgres says now, to whoever may read it; without an index there is an answer too."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import yaml

from cli.demo import shop as demo
from commerce.app import Commerce
from commerce.recall import Found
from commerce.recall.schemas import Lookup, NoIndex, Place
from commerce.recall.service import NEAR
from commerce.support.schemas import ChangeArticle, MoveTicket, Reply, WriteArticle
from kernel.auth import ANONYMOUS, SYSTEM, Principal
from kernel.errors import Forbidden
from memory.recall import STATE, Entry
from prompts.load import policies
from tests.conftest import ROOT, opened, settings
from tests.factories.world import World
from tests.support.people import customer, opened_by, staff
from tools.product import Find, find_products
from tools.recall import Library, rule_hits, rules, shelf_of, shelves
from tools.spec import Call
from workers.recall import erase

ARTICLES: list[dict[str, Any]] = yaml.safe_load((Path(demo.__file__).parent / "articles.yaml").read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recall")


@pytest.fixture(scope="module")
async def library(shop: Commerce, settle: Any, folder: Path) -> AsyncIterator[Library]:
    """The demo's articles written through the service, and an index that has read their events."""
    async with shop.database.work(SYSTEM) as work:
        for article in ARTICLES:
            await shop.support.articles.write(work, WriteArticle(**article))
    await settle()
    found = Library(shop, settings(data_dir=folder))
    await read(found)
    shop.recall.index = found
    yield found
    found.close()


async def read(library: Library) -> int:
    total = 0
    while done := await library.step():
        total += done
    return total


async def found(shop: Commerce, question: str, who: Principal = ANONYMOUS) -> list[tuple[str, str]]:
    lookup = await shop.recall.look(question, "articles")
    async with shop.database.work(who) as work:
        return [(hit.slug, hit.by) for hit in await shop.recall.help(work, lookup)]


def content(**changes: Any) -> dict[str, Any]:
    known = {"title": "Wrapping presents", "body": "We wrap a present in recycled paper for free.", "tags": []}
    return {**known, "audience": "public", "published": True, **changes}


async def test_a_question_without_a_word_of_the_article_finds_it(shop: Commerce, library: Library) -> None:
    assert (await found(shop, "GDPR erasure please"))[0] == ("delete-my-account", "meaning")
    assert (await found(shop, "my package seems to have vanished"))[0] == ("lost-parcel", "meaning")
    assert (await found(shop, "how do I register my shop"))[0] == ("sell-on-the-marketplace", "meaning")


async def test_a_hit_cites_its_article_and_shows_the_passage(shop: Commerce, library: Library) -> None:
    lookup = await shop.recall.look("how do I close my profile", "articles")
    async with shop.database.work(ANONYMOUS) as work:
        hit = (await shop.recall.help(work, lookup))[0]
    assert hit.cite == "“Deleting your account and your data” (delete-my-account)"
    article = next(article for article in ARTICLES if article["slug"] == hit.slug)
    assert hit.snippet in " ".join(article["body"].split())


async def test_rules_are_found_by_their_names(shop: Commerce, library: Library) -> None:
    """They are files: an index has those its process began with, and takes out what no file says any more."""
    lookup = await shop.recall.look("will you ever ask me for the number on my card", "policies")
    hits = rule_hits(lookup)
    assert (hits[0].cite, hits[0].snippet) == ("PAYMENT-1", policies("payment")["PAYMENT-1"])
    index = library._index
    assert index is not None
    index.apply("policies", [Entry("0" * 32, "old", ("A rule that was.",))], [])
    await library._read_rules()
    assert sorted(index.digests("policies")) == sorted(str(key) for key in rules())


async def test_a_product_nobody_named_is_found_by_what_it_is_like(
    shop: Commerce, library: Library, world: World
) -> None:
    args = Find(q="something for drinking tea")
    looked = await shop.recall.look(args.q, "products")
    async with shop.database.work(ANONYMOUS) as work:
        channel = await shop.pricing.channel(work)
        assert (await shop.product.page(work, channel, args.q)).items == []
        shown = await find_products(Call(shop, work, ANONYMOUS, None, looked), args)
        nothing = await find_products(Call(shop, work, ANONYMOUS, None, Lookup(args.q)), args)
    assert [product.name for product in shown][:1] == ["Mug"]
    assert nothing == []


async def test_a_change_is_found_within_seconds(shop: Commerce, library: Library, settle: Any) -> None:
    """Written, relayed, noted and indexed by the follower as it runs in a process that is asked."""
    following = asyncio.create_task(library.follow())
    try:
        async with shop.database.work(SYSTEM) as work:
            await shop.support.articles.write(work, WriteArticle(slug="wrapping", **content()))
        began = time.monotonic()
        await settle()
        while ("wrapping", "meaning") not in await found(shop, "can you gift-wrap it for a birthday"):
            assert time.monotonic() - began < 5
            await asyncio.sleep(0.05)
        async with shop.database.work(SYSTEM) as work:
            changed = content(title="Opening hours", body="Our desk is open from nine to five on weekdays.")
            await shop.support.articles.change(work, "wrapping", ChangeArticle(**changed))
        await settle()
        while (await found(shop, "on which days is your desk open"))[:1] != [("wrapping", "meaning")]:
            assert time.monotonic() - began < 10
            await asyncio.sleep(0.05)
        assert ("wrapping", "meaning") not in await found(shop, "can you gift-wrap it for a birthday")
    finally:
        following.cancel()


async def test_what_is_hidden_does_not_show_even_while_an_index_still_has_it(
    shop: Commerce, library: Library, settle: Any
) -> None:
    question, article = "how are requests of customers prioritised by you", "answering-tickets"
    assert article in [slug for slug, _ in await found(shop, question, SYSTEM)]
    assert article not in [slug for slug, _ in await found(shop, question)]
    async with shop.database.work(SYSTEM) as work:
        await shop.support.articles.write(
            work, WriteArticle(slug="secret-sale", **content(title="Secret sale of lamps"))
        )
    await settle()
    await read(library)
    assert ("secret-sale", "meaning") in await found(shop, "secret sale of lamps")
    async with shop.database.work(SYSTEM) as work:
        hidden = ChangeArticle(**content(title="Secret sale of lamps", published=False))
        await shop.support.articles.change(work, "secret-sale", hidden)
    assert "secret-sale" not in [slug for slug, _ in await found(shop, "secret sale of lamps")]
    await settle()
    await read(library)
    held = await library._commerce.recall.index.near("articles", "secret sale of lamps", 20)  # type: ignore[attr-defined]
    async with shop.database.work(SYSTEM) as work:
        gone = await work.value("select id from support_articles where slug = 'secret-sale'")
    assert gone not in [one.id for one in held or []]


class Broken:
    async def near(self, place: Place, question: str, most: int) -> list[Found] | None:
        return None


@pytest.mark.parametrize("index", [NoIndex(), Broken()])
async def test_without_an_index_words_answer(shop: Commerce, library: Library, index: Any) -> None:
    shop.recall.index = index
    try:
        assert (await found(shop, "I want to cancel my order"))[0] == ("cancel-an-order", "words")
    finally:
        shop.recall.index = library


async def test_an_index_that_fails_answers_none(shop: Commerce, folder: Path) -> None:
    failing = Library(shop, settings(data_dir=folder))
    assert await failing.near("articles", "anything", 3) is None

    class Index:
        def near(self, *_: Any) -> Any:
            raise RuntimeError("the disk is gone")

    failing._index = Index()  # type: ignore[assignment]
    failing._whole = True
    assert await failing.near("articles", "anything", 3) is None


async def solved(shop: Commerce, world: World, settle: Any) -> tuple[UUID, str]:
    ann = customer(shop, world)
    ticket = await opened_by(
        shop, ann, subject="The lamp flickers", body="Hi, I am Ann Smith, +49 170 1234567. It flickers all night."
    )
    async with shop.database.work(staff(shop)) as work:
        answer = "Dear Ann Smith, please turn the bulb firmly until it clicks. Write to ann@demo.test."
        await shop.support.reply(work, ticket.id, Reply(body=answer))
        await shop.support.move(work, ticket.id, MoveTicket(status="solved"))
    await settle()
    return ticket.id, ticket.number


async def cases(shop: Commerce, who: Principal, question: str) -> list[Any]:
    lookup = await shop.recall.look(question, "tickets")
    async with shop.database.work(who) as work:
        return await shop.recall.cases(work, lookup)


async def test_solved_tickets_are_for_staff_without_people(
    shop: Commerce, library: Library, world: World, settle: Any, folder: Path
) -> None:
    assert await cases(shop, staff(shop), "the light is blinking") == []
    _, number = await solved(shop, world, settle)
    await read(library)
    (case,) = await cases(shop, staff(shop), "the light is blinking")
    assert (case.number, case.cite) == (number, f"ticket {number}")
    assert case.answer == "Dear [name], please turn the bulb firmly until it clicks. Write to [e-mail]."
    with pytest.raises(Forbidden):
        await cases(shop, customer(shop, world), "the light is blinking")
    kept = b"".join(path.read_bytes() for path in shelf_of(settings(data_dir=folder)).rglob("*") if path.is_file())
    assert b"flickers" not in kept
    assert b"turn the bulb" not in kept


async def test_a_customer_who_is_erased_leaves_every_index(
    shop: Commerce, library: Library, world: World, settle: Any, sql: asyncpg.Connection
) -> None:
    ticket, _ = await solved(shop, world, settle)
    await read(library)
    assert str(ticket) in (await shelf_at(library)).held["tickets"]
    assert (await erase(shop, world.customers["ann"]))["tickets"] >= 1
    await read(library)
    assert str(ticket) not in (await shelf_at(library)).held["tickets"]
    assert await cases(shop, staff(shop), "the light is blinking") == []
    async with shop.database.work(SYSTEM) as work:  # a rebuild does not bring it back
        await shop.recall.note_all(work, "tickets")
    await read(library)
    assert str(ticket) not in (await shelf_at(library)).held["tickets"]
    barred = await sql.fetchval("select barred from recall_changes where document_id = $1", ticket)
    assert barred is True


async def shelf_at(library: Library) -> Any:
    return (await shelves(library._settings))[0]


async def test_products_are_read_and_leave_when_they_are_hidden(
    shop: Commerce, library: Library, world: World, settle: Any, sql: asyncpg.Connection
) -> None:
    product = await sql.fetchval("select product_id from product_variants where id = $1", world.variants["rug"])
    assert str(product) in (await shelf_at(library)).held["products"]
    async with shop.database.work(SYSTEM) as work:
        channel = await shop.pricing.channel(work, "web")
        await shop.product.unpublish(work, product, channel)
    await settle()
    await read(library)
    assert str(product) not in (await shelf_at(library)).held["products"]


async def test_an_index_goes_on_after_a_restart_and_begins_anew_for_another_database(
    shop: Commerce, library: Library, folder: Path, url: str
) -> None:
    there = settings(data_dir=folder / "again")
    first = Library(shop, there)
    assert await read(first) > len(ARTICLES)
    first.close()
    again = Library(shop, there)
    assert await read(again) == 0
    assert (await again.near("articles", "GDPR erasure please", 1) or [])[0].nearness >= NEAR
    again.close()
    other = Library(shop, there)
    await other.open()
    assert other._index is not None
    assert other._index.revision > 0
    other._index._origin = "another"
    assert other._index._known() == 0
    assert (await shelves(there))[0].held["articles"] == {}
    other.close()


async def test_half_an_index_does_not_answer(shop: Commerce, library: Library, folder: Path) -> None:
    filling = Library(shop, settings(data_dir=folder / "half"))
    while await filling.step():
        assert await filling.near("articles", "GDPR erasure please", 1) is None
    assert await filling.near("articles", "GDPR erasure please", 1)
    filling.close()


async def test_an_unreadable_folder_is_begun_anew(shop: Commerce, folder: Path) -> None:
    there = settings(data_dir=folder / "broken")
    place = shelf_of(there) / "0"
    place.mkdir(parents=True)
    (place / "chroma.sqlite3").write_bytes(b"this is no database" * 100)
    mended = Library(shop, there)
    assert await read(mended) > len(ARTICLES)
    mended.close()


async def test_two_processes_hold_two_folders(shop: Commerce, folder: Path) -> None:
    there = settings(data_dir=folder / "two")
    one, other = Library(shop, there), Library(shop, there)
    await one.open()
    await other.open()
    assert sorted((shelf.place, shelf.alive) for shelf in await shelves(there)) == [("0", True), ("1", True)]
    one.close()
    other.close()
    assert [shelf.alive for shelf in await shelves(there)] == [False, False]


async def test_no_revision_is_read_past_while_an_earlier_one_is_uncommitted(
    shop: Commerce, library: Library, url: str
) -> None:
    """The second writer waits for the first: revisions become visible in their order."""
    async with opened(url) as other:

        async def second() -> None:
            async with other.database.work(SYSTEM) as work:
                await other.recall.note_all(work, "products")

        async with shop.database.work(SYSTEM) as work:
            await shop.recall.note_all(work, "articles")
            waiting = asyncio.create_task(second())
            await asyncio.sleep(0.3)
            assert not waiting.done()
            async with other.database.work(SYSTEM) as seen:
                before = await other.recall.latest(seen)
        await waiting
        async with shop.database.work(SYSTEM) as work:
            after = await shop.recall.changes(work, before, 1000)
    revisions = {change.collection: [] for change in after}  # type: ignore[var-annotated]
    for change in after:
        revisions[change.collection].append(change.revision)
    assert max(revisions["articles"]) < min(revisions["products"])
    await read(library)


async def test_indexing_is_nobodys_right_but_the_systems(shop: Commerce, world: World) -> None:
    for who in (ANONYMOUS, customer(shop, world), staff(shop), shop.identity.as_role("admin")):
        async with shop.database.work(who) as work:
            for call in (
                shop.recall.changes(work, 0, 1), shop.recall.latest(work), shop.recall.origin(work),
                shop.recall.documents(work, "tickets", []), shop.recall.note_all(work, "tickets"),
                shop.recall.erase(work, world.customers["ann"]),
            ):  # fmt: skip
                with pytest.raises(Forbidden):
                    await call


def test_the_plain_api_and_the_command_line_load_no_chroma() -> None:
    code = (
        "import sys, cli.main, cli.up, cli.recall, api.app, workers.run, graphs.assistant\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in ('chromadb', 'onnxruntime')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_chromadb_is_imported_in_one_place() -> None:
    folders = ("kernel", "commerce", "memory", "tools", "agents", "graphs", "api", "workers", "cli", "bench")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    users = {str(path.relative_to(ROOT)) for path in files if "import chromadb" in path.read_text()}
    assert users == {"memory/recall.py"}
    assert STATE == "agora-state"
