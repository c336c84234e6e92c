"""Recall, composed: documents of the services, an index of vectors, and the loop that keeps the one like the other.

The index is this process's own and follows the list of changes in Postgres; with CHROMA_URL it is shared, and the
`recall` worker follows for all. Until it is open, and whenever it fails, there is no index, and answers go by words.
"""

import asyncio
from functools import cache
from hashlib import sha256
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from commerce.app import Commerce
from commerce.recall import Found, near_of
from commerce.recall.schemas import COLLECTIONS, HelpHit, Lookup, Place
from kernel import telemetry
from kernel.auth import SYSTEM
from kernel.settings import Settings
from memory import recall as indexes
from memory.recall import Entry, RecallIndex, Shelf
from prompts.load import HERE, policies

BATCH = 16
"""Documents of one step: a question waits for the embedding model no longer than that takes."""
QUICK, SLOW, AFTER_FAILURE = 0.05, 0.5, 5.0
"""Seconds between two looks at the list of changes: while there are some, without any, and after a failure."""
PATIENCE = 1.0
"""Seconds a question waits for the index; then it is answered by words."""
log = telemetry.log("recall")


class Library:
    """The index of this process. `step` and `near` may run side by side."""

    def __init__(self, commerce: Commerce, settings: Settings) -> None:
        self._commerce = commerce
        self._settings = settings
        self._index: RecallIndex | None = None
        self._rules_read = False
        self._whole = self.shared
        """Whether all changes were taken in once: half an index answers worse than words."""

    @property
    def shared(self) -> bool:
        return self._settings.chroma_url is not None

    async def open(self) -> None:
        """Loads Chroma and the embedding model: some seconds, in a thread."""
        async with self._commerce.database.work(SYSTEM) as work:
            origin = await self._commerce.recall.origin(work)
        folder, url = shelf_of(self._settings), self._settings.chroma_url
        self._index = await asyncio.to_thread(RecallIndex.open, folder, url, origin)

    async def near(self, place: Place, question: str, most: int) -> list[Found] | None:
        """See `commerce.recall.Index`."""
        index = self._index
        if index is None or not self._whole:
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                found = await asyncio.to_thread(index.near, place, question, most)
        except Exception:  # the edge of the index: a question has an answer without it
            log.warning("recall_failed", exc_info=True)
            return None
        return [Found(UUID(one.id), one.passage, one.nearness) for one in found]

    async def step(self) -> int:
        """Takes in the next changes; returns how many. Repeated after a crash they change nothing more."""
        if self._index is None:
            await self.open()
        if not self._rules_read:
            await self._read_rules()
        index = self._index
        assert index is not None
        recall = self._commerce.recall
        async with self._commerce.database.work(SYSTEM) as work:
            changes = await recall.changes(work, index.revision, BATCH)
            ids = {c: [one.document_id for one in changes if one.collection == c] for c in COLLECTIONS}
            documents = {c: await recall.documents(work, c, ids[c]) for c in COLLECTIONS if ids[c]}
        for collection, found in documents.items():
            entries = [Entry(str(document.id), document.digest, document.passages) for document in found]
            gone = [str(key) for key in set(ids[collection]) - {document.id for document in found}]
            await asyncio.to_thread(index.apply, collection, entries, gone)
        if changes:
            await asyncio.to_thread(index.keep, changes[-1].revision)
        self._whole = self._whole or not changes
        return len(changes)

    async def follow(self) -> None:
        """Keeps the index like Postgres until it is cancelled; a failure is logged and tried again."""
        while True:
            try:
                if self.shared and self._index is None:
                    await self.open()  # the worker follows; here it is only asked
                busy = 0 if self.shared else await self.step()
                wait = QUICK if busy else SLOW
            except Exception:  # the edge of the follower: it outlives its database and its index
                log.warning("recall_not_followed", exc_info=True)
                wait = AFTER_FAILURE
            await asyncio.sleep(wait)

    async def _read_rules(self) -> None:
        """The agents' rules are files: an index has them as they were when its process began."""
        assert self._index is not None
        held = await asyncio.to_thread(self._index.digests, "policies")
        entries = [
            Entry(str(key), sha256(text.encode()).hexdigest()[:16], (text,)) for key, (_, text) in rules().items()
        ]
        fresh = [entry for entry in entries if held.get(entry.id) != entry.digest]
        gone = sorted(held.keys() - {entry.id for entry in entries})
        await asyncio.to_thread(self._index.apply, "policies", fresh, gone)
        self._rules_read = True

    def close(self) -> None:
        if self._index:
            self._index.close()


@cache
def rules() -> dict[UUID, tuple[str, str]]:
    """Every rule of every agent, by a key made of its name."""
    found: dict[UUID, tuple[str, str]] = {}
    for path in sorted((HERE / "policies").glob("*.md")):
        found |= {uuid5(NAMESPACE_URL, name): (name, rule) for name, rule in policies(path.stem).items()}
    return found


def rule_hits(lookup: Lookup) -> list[HelpHit]:
    """Rules that answer a question, by their own names."""
    found = [rules()[key] for key in near_of(lookup, "policies") if key in rules()]
    return [HelpHit(title=name, slug=name, snippet=rule, cite=name, by="meaning") for name, rule in found]


def shelf_of(settings: Settings) -> Path:
    return settings.data_dir / "recall"


async def shelves(settings: Settings) -> list[Shelf]:
    """Every index there is, read beside its owner."""
    return await asyncio.to_thread(indexes.shelves, shelf_of(settings), settings.chroma_url, COLLECTIONS)
