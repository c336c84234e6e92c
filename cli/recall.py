"""Commands on recall: rebuild, check, erase."""

import asyncio
import time
from uuid import UUID

import click

from cli.database import ensure
from cli.runtime import Trouble, commerce, server, settings
from commerce.app import Commerce
from commerce.recall.schemas import COLLECTIONS
from kernel.auth import SYSTEM
from kernel.ids import parse
from kernel.settings import Settings
from memory.recall import Shelf
from tools.recall import Library, shelves
from workers.recall import SharedIndex
from workers.recall import erase as erase_memory

QUIET_MOST = 60.0
"""Seconds without any progress of an index until `rebuild` gives up waiting for its process."""


async def rebuild() -> int:
    """Notes every document as changed: whoever holds an index reads it anew, this process too when nobody does."""
    found = settings()
    async with server(found) as url, commerce(found, url) as shop:
        await ensure(url)
        for collection in COLLECTIONS:
            count, last = 0, None
            while True:
                async with shop.database.work(SYSTEM) as work:
                    ids = await shop.recall.note_all(work, collection, last)
                if not ids:
                    break
                count, last = count + len(ids), ids[-1]
            click.echo(f"{collection}: {count} to read")
        async with shop.database.work(SYSTEM) as work:
            latest = await shop.recall.latest(work)
        return await _wait(shop, found, latest)


async def check() -> int:
    """Of indexes that no process holds only the newest counts, and only where there is no other: they read on at a start."""
    found = settings()
    async with server(found) as url, commerce(found, url) as shop:
        wanted: dict[str, dict[str, str]] = {}
        async with shop.database.work(SYSTEM) as work:
            for name in COLLECTIONS:
                documents = await shop.recall.every(work, name)
                wanted[name] = {str(document.id): document.digest for document in documents}
        there = await shelves(found)
    if not there:
        raise Trouble("there is no index yet: talk to the chat once, or run `agora recall rebuild`")
    alive = [shelf for shelf in there if shelf.alive] or [max(there, key=lambda shelf: shelf.revision)]
    return max([_compared(shelf, wanted) for shelf in alive])


async def erase(customer: str) -> None:
    try:
        customer_id: UUID = parse("cus", customer)
    except ValueError:
        raise Trouble(f"{customer} is no customer's id (cus_...)") from None
    found = settings()
    async with server(found) as url, commerce(found, url) as shop:
        done = await erase_memory(shop, customer_id)
    click.echo(", ".join(f"{count} {what}" for what, count in done.items()) + " erased")


async def _wait(shop: Commerce, found: Settings, latest: int) -> int:
    """Watches the indexes until all have read up to `latest`; reads itself where no process does."""
    feeder = SharedIndex(shop, found) if found.chroma_url else None
    library = None if feeder or any(shelf.alive for shelf in await shelves(found)) else Library(shop, found)
    moved, before, began = time.monotonic(), -1, time.monotonic()
    while True:
        if feeder or library:
            await (feeder or library).step()  # type: ignore[union-attr]
        there = await shelves(found)
        behind = min((shelf.revision for shelf in there if shelf.alive), default=0)
        if behind >= latest:
            break
        if behind != before:
            click.echo(f"at {behind} of {latest} after {time.monotonic() - began:.0f} s")
            moved, before = time.monotonic(), behind
        if time.monotonic() - moved > QUIET_MOST:
            click.echo(f"an index stands still at {behind} of {latest}: is its process alive?")
            return 1
        await asyncio.sleep(0 if library else 0.5)
    click.echo(f"every index is at revision {latest} after {time.monotonic() - began:.0f} s")
    if library:
        library.close()
    return 0


def _compared(shelf: Shelf, wanted: dict[str, dict[str, str]]) -> int:
    """Prints one line per collection; 1 when the index is not like the database."""
    wrong = 0
    for name, documents in wanted.items():
        held = shelf.held[name]
        missing, more = documents.keys() - held.keys(), held.keys() - documents.keys()
        stale = {key for key in documents.keys() & held.keys() if documents[key] != held[key]}
        wrong += len(missing) + len(more) + len(stale)
        click.echo(
            f"index {shelf.place}, {name}: {len(held)} held, {len(missing)} missing, {len(stale)} stale, "
            f"{len(more)} too many"
        )
    return 1 if wrong else 0
