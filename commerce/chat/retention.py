"""How long conversations are remembered: which ones have grown, which ones nobody came back to."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from commerce.chat.permissions import KEEP_HOUSE
from kernel.db import Work

SETTLED = timedelta(minutes=1)
"""Since the last word: nobody is about to write into this thread's memory."""
GROWN_MOST, IDLE_MOST = 500, 200
"""Threads of one look; the rest waits for the next one."""

_GROWN = """
select id from chat_threads
where updated_at > coalesce(pruned_at, '-infinity') and updated_at <= $1 and turn_id is null
order by updated_at limit $2
"""

_IDLE = "select id from chat_threads where updated_at < $1 and turn_id is null order by updated_at limit $2"

# Children first. A ticket that a conversation became keeps its transcript; the record of what agents did stays too.
_FORGET = (
    "delete from chat_blocked b using chat_messages m where m.id = b.message_id and m.thread_id = any($1)",
    "delete from chat_feedback f using chat_messages m where m.id = f.message_id and m.thread_id = any($1)",
    "delete from chat_messages where thread_id = any($1)",
    "delete from chat_confirmations where thread_id = any($1)",
    "delete from chat_handoffs where thread_id = any($1)",
    "delete from chat_threads where id = any($1)",
)


class Retention:
    """Run by the schedule. `idle_days` without a word, and a conversation is forgotten."""

    def __init__(self, idle_days: int) -> None:
        self._idle = timedelta(days=idle_days)

    async def grown(self, work: Work) -> list[UUID]:
        """Threads with something said since they were last pruned, and nobody talking in them now."""
        work.principal.require(KEEP_HOUSE)
        return [row["id"] for row in await work.rows(_GROWN, work.now - SETTLED, GROWN_MOST)]

    async def pruned(self, work: Work, thread_ids: Sequence[UUID], seen_at: datetime) -> None:
        """Notes that their memory is as small as it can be, as of `seen_at`."""
        work.principal.require(KEEP_HOUSE)
        await work.run("update chat_threads set pruned_at = $2 where id = any($1)", list(thread_ids), seen_at)

    async def idle(self, work: Work) -> list[UUID]:
        """Threads that nobody came back to in time."""
        work.principal.require(KEEP_HOUSE)
        return [row["id"] for row in await work.rows(_IDLE, work.now - self._idle, IDLE_MOST)]

    async def still_idle(self, work: Work, thread_ids: Sequence[UUID]) -> list[UUID]:
        """Locks those of them in which nobody has spoken since they were found idle."""
        work.principal.require(KEEP_HOUSE)
        rows = await work.rows(
            "select id from chat_threads where id = any($1) and updated_at < $2 and turn_id is null "
            "order by id for update",
            *(list(thread_ids), work.now - self._idle),
        )
        return [row["id"] for row in rows]

    async def of_customer(self, work: Work, customer_id: UUID) -> list[UUID]:
        work.principal.require(KEEP_HOUSE)
        rows = await work.rows("select id from chat_threads where customer_id = $1 order by id", customer_id)
        return [row["id"] for row in rows]

    async def forget(self, work: Work, thread_ids: Sequence[UUID]) -> None:
        """Deletes threads and everything said in them."""
        work.principal.require(KEEP_HOUSE)
        for statement in _FORGET:
            await work.run(statement, list(thread_ids))
