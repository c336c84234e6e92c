"""The index of what can be found by meaning: vectors in Chroma, without a word of the texts they were made from.

A folder of Chroma's belongs to one process: another one that opens it never sees what the first writes (ADR 0015). So
each process that is asked holds a folder of its own, the first that nobody else holds; the next start finds it filled.
Where CHROMA_URL names a server, all share that. Only this module imports chromadb: 3 seconds and 100 MB.

Everything here blocks; call it in a thread.
"""

import fcntl
import shutil
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from kernel import telemetry
from kernel.embeddings import Embedder, embedder

if TYPE_CHECKING:
    from chromadb.api.client import Client

FOLDERS_MOST = 64
"""Processes of one data folder that may hold an index."""
STATE, STATE_ID = "agora-state", "state"
REMEMBERED = 64
"""Questions whose vectors are kept: one is asked of several places."""
PASSAGES_PER_HIT = 3
"""How many passages are looked at for every document that is wanted: several may be of the same one."""
log = telemetry.log("recall")


@dataclass(frozen=True, slots=True)
class Entry:
    """A document by its id; `digest` says what text it was made from."""

    id: str
    digest: str
    passages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Near:
    id: str
    passage: int
    nearness: float


class RecallIndex:
    """`revision` is how far in the list of changes this index has read; 0: nothing yet. `origin` names the database whose
    changes they are: an index of another one, or of another embedding model, is emptied."""

    def __init__(self, client: "Client", model: Embedder, origin: str, lock: IO[str] | None = None) -> None:
        self._client = client
        self._model = model
        self._origin = origin
        self._lock = lock
        self._collections: dict[str, Any] = {}
        self._vector = lru_cache(REMEMBERED)(lambda question: model.embed([question])[0].tolist())
        self.revision = self._known()

    @classmethod
    def open(cls, folder: Path, url: str | None, origin: str) -> "RecallIndex":
        """The index of this process below `folder`, or the server's. A folder that Chroma cannot read is begun anew."""
        if url:
            return cls(_server(url), _model(), origin)
        place, lock = _take(folder)
        try:
            return cls(_local(place), _model(), origin, lock)
        except Exception:  # the edge of a file format: what is in there can be made again from Postgres
            log.warning("recall_folder_unreadable", folder=str(place), exc_info=True)
            shutil.rmtree(place, ignore_errors=True)
            _forget_clients()
            return cls(_local(place), _model(), origin, lock)

    def near(self, collection: str, question: str, most: int) -> list[Near]:
        """Documents by the nearness of their best passage (a cosine), best first."""
        found = self._of(collection).query(
            query_embeddings=[self._vector(question)],
            n_results=most * PASSAGES_PER_HIT,
            include=["metadatas", "distances"],
        )
        best: dict[str, Near] = {}
        for facts, distance in zip(found["metadatas"][0], found["distances"][0], strict=True):
            best.setdefault(facts["document"], Near(facts["document"], facts["passage"], 1 - distance))
        return list(best.values())[:most]

    def apply(self, collection: str, entries: Sequence[Entry], gone: Sequence[str]) -> None:
        """Makes these documents what they are now, and takes `gone` out; the same again changes nothing."""
        where = self._of(collection)
        fresh: list[str] = []
        for entry in entries:
            ids = [f"{entry.id}:{n}" for n in range(len(entry.passages))]
            facts = [{"document": entry.id, "passage": n, "digest": entry.digest} for n in range(len(ids))]
            if ids:
                vectors = self._model.embed(list(entry.passages)).tolist()
                where.upsert(ids=ids, embeddings=vectors, metadatas=facts)
            fresh += ids
        touched = [*(entry.id for entry in entries), *gone]
        if touched:
            held = where.get(where={"document": {"$in": touched}}, include=[])["ids"]
            if stale := sorted(set(held) - set(fresh)):
                where.delete(ids=stale)

    def keep(self, revision: int) -> None:
        """Notes how far this index has read; after what was read is in it."""
        state = {"revision": revision, "model": self._model.name, "origin": self._origin}
        self._of(STATE).upsert(ids=[STATE_ID], embeddings=[[1.0]], metadatas=[state])
        self.revision = revision

    def digests(self, collection: str) -> dict[str, str]:
        """Everything it holds: document > digest."""
        return _digests(self._of(collection))

    def close(self) -> None:
        self._client.close()
        if self._lock:
            self._lock.close()

    def _known(self) -> int:
        kept = self._of(STATE).get(ids=[STATE_ID], include=["metadatas"])["metadatas"]
        if kept and (kept[0]["model"], kept[0]["origin"]) == (self._model.name, self._origin):
            return int(kept[0]["revision"])
        for collection in self._client.list_collections():
            self._client.delete_collection(collection.name)
        self._collections = {}
        return 0

    def _of(self, name: str) -> Any:  # chromadb's own types do not survive strict checking
        if name not in self._collections:
            self._collections[name] = self._client.get_or_create_collection(
                name, embedding_function=None, metadata={"hnsw:space": "cosine"}
            )
        return self._collections[name]


@dataclass(frozen=True, slots=True)
class Shelf:
    """What lies in one index, read without being its owner; `alive` while a process holds it."""

    place: str
    alive: bool
    revision: int
    held: dict[str, dict[str, str]]


def shelves(folder: Path, url: str | None, collections: Sequence[str]) -> list[Shelf]:
    """Every index there is, for a comparison: ids and digests can be read beside their owner, vectors cannot."""
    if url:
        return [_shelf("server", True, _server(url), collections)]
    places = sorted(place for place in folder.glob("[0-9]*") if place.is_dir())
    return [_shelf(place.name, _is_held(place), _local(place), collections) for place in places]


def _shelf(place: str, alive: bool, client: "Client", collections: Sequence[str]) -> Shelf:
    with closing(client):
        known = {collection.name for collection in client.list_collections()}
        held = {
            name: _digests(client.get_collection(name, embedding_function=None)) if name in known else {}
            for name in collections
        }
        state: Any = client.get_collection(STATE, embedding_function=None).get(ids=[STATE_ID]) if STATE in known else {}
    revision = int(state["metadatas"][0]["revision"]) if state.get("metadatas") else 0
    return Shelf(place, alive, revision, held)


def _digests(collection: Any) -> dict[str, str]:
    found = collection.get(where={"passage": 0}, include=["metadatas"])["metadatas"]
    return {facts["document"]: facts["digest"] for facts in found}


def _model() -> Embedder:
    """The one whose cosines mean something without a mean taken away; what else there is where it is missing."""
    with suppress(ImportError, OSError):
        return embedder("minilm")
    return embedder()


def _local(folder: Path) -> "Client":
    import chromadb
    from chromadb.config import Settings

    folder.mkdir(parents=True, exist_ok=True)
    return cast("Client", chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False)))


def _forget_clients() -> None:
    """Chroma keeps what it opened by its path, also what it failed to open."""
    from chromadb.api.shared_system_client import SharedSystemClient

    SharedSystemClient.clear_system_cache()


def _server(url: str) -> "Client":
    import chromadb
    from chromadb.config import Settings

    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    quiet = Settings(anonymized_telemetry=False)
    return cast("Client", chromadb.HttpClient(parts.hostname or "127.0.0.1", port, ssl=secure, settings=quiet))


def _is_held(place: Path) -> bool:
    with place.with_suffix(".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


def _take(folder: Path) -> tuple[Path, IO[str]]:
    """The first folder that no living process holds, and the lock on it."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(FOLDERS_MOST):
        lock = (folder / f"{number}.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        return folder / str(number), lock
    raise OSError(f"{FOLDERS_MOST} processes hold an index in {folder}")
