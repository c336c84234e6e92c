"""What workers do for memory: feed the one index that all share, and take out what a customer left in it."""

import asyncio
import importlib
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from commerce.app import Commerce
from kernel.auth import SYSTEM
from kernel.settings import Settings

if TYPE_CHECKING:
    from tools.recall import Library

FEEDER = 7_206_014
"""The advisory lock of whoever feeds the shared index: two would overwrite each other with older texts."""
WITHOUT_LOCK = 5.0
"""Seconds between two tries to become the feeder."""

_MINE = """
select case when exists (
  select from pg_locks where pid = pg_backend_pid() and locktype = 'advisory' and objid::bigint = $1::bigint
) then true else pg_try_advisory_lock($1) end
"""


class SharedIndex:
    """Feeds the Chroma server behind CHROMA_URL. One process at a time: the lock is that of a connection, held between
    transactions, so it is free as soon as its process is gone."""

    def __init__(self, commerce: Commerce, settings: Settings) -> None:
        self._commerce = commerce
        self._settings = settings
        self._connection: Any = None
        self._library: Library | None = None

    async def step(self) -> int:
        """Takes in the next changes; returns how many."""
        if not await self._mine():
            await asyncio.sleep(WITHOUT_LOCK)
            return 0
        if self._library is None:
            module = await asyncio.to_thread(importlib.import_module, "tools.recall")
            self._library = module.Library(self._commerce, self._settings)
        assert self._library is not None
        return await self._library.step()

    async def _mine(self) -> bool:
        """Whether this process feeds the index; a lost connection gives that up."""
        if self._connection is None or self._connection.is_closed():
            self._library = None  # what was known of the index may be old by now
            self._connection = await asyncpg.connect(self._commerce.database.url)
        held: bool = await self._connection.fetchval(_MINE, FEEDER)
        return held


async def erase(commerce: Commerce, customer_id: UUID) -> dict[str, int]:
    """Everything memory holds of a customer: what they told us, their conversations with their checkpoints, and the
    vectors of their tickets, which every index drops within seconds. Returns how much of each. Run again it finds none."""
    async with commerce.database.work(SYSTEM) as work:
        facts = await commerce.chat.facts.erase(work, customer_id)
        tickets = await commerce.recall.erase(work, customer_id)
        threads = await commerce.chat.retention.of_customer(work, customer_id)
    if threads:
        memory = await asyncio.to_thread(importlib.import_module, "memory.checkpoints")  # loads LangGraph
        async with memory.checkpoints(commerce.database.url, size=1) as saver:
            await saver.aprune([str(thread_id) for thread_id in threads], strategy="delete")
        async with commerce.database.work(SYSTEM) as work:
            await commerce.chat.retention.forget(work, threads)
    return {"facts": facts, "tickets": tickets, "threads": len(threads)}
