"""The two steps of a write in chat: a question bound to exactly one call, and one use of its yes."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_

from commerce.chat.errors import ConfirmationOver, UnknownConfirmation
from commerce.chat.schemas import Accepted, Ask, Asked, ConfirmationView
from commerce.chat.tables import ChatConfirmation
from kernel.db import Record, Work
from kernel.ids import new_id
from kernel.repository import Repository

LIFETIME = timedelta(minutes=15)
"""How long a question stands."""

_USE = """
update chat_confirmations set status = 'used', used_at = $4
where thread_id = $1 and subject = $2 and digest = $3 and status = 'accepted' and expires_at > $4
"""

_ANSWER = """
update chat_confirmations set status = $2
where id = $1 and thread_id = $3 and status = 'pending' and expires_at > $4
"""


class Confirmations:
    """Also the `Consents` of the kernel: what a service asks before an agent's write."""

    def __init__(self) -> None:
        self._rows = Repository(ChatConfirmation)

    async def use(self, work: Work, digest: bytes) -> bool:
        """Uses up an accepted confirmation of the acting person in this conversation, in the effect's transaction."""
        who = work.principal
        return who.session is not None and await work.run(_USE, who.session, who.subject, digest, work.now) > 0

    async def ask(self, work: Work, thread_id: UUID, ask: Ask) -> ConfirmationView:
        """Puts a question; an older one that is still open is replaced by it."""
        await work.run(
            "update chat_confirmations set status = 'replaced' where thread_id = $1 and status = 'pending'", thread_id
        )
        row = ChatConfirmation(
            id=new_id(),
            thread_id=thread_id,
            subject=work.principal.subject,
            agent=ask.agent,
            tool=ask.tool,
            arguments=ask.arguments,
            action=ask.action,
            summary=ask.summary,
            digest=ask.digest,
            status="pending",
            created_at=work.now,
            expires_at=work.now + LIFETIME,
            used_at=None,
        )
        await self._rows.add(work, row)
        return _view(row)

    async def pending(self, work: Work, thread_id: UUID) -> ConfirmationView | None:
        column = self._rows.table.c
        row = await self._rows.find(
            work, column.thread_id == thread_id, column.status == "pending", column.expires_at > work.now
        )
        return _view(row) if row else None

    async def during(
        self, work: Work, thread_id: UUID, since: datetime, until: datetime, answered: UUID
    ) -> list[Asked]:
        """What was asked or carried out in a span of a thread, and the question with the id `answered`; oldest first."""
        column = self._rows.table.c
        fits = or_(column.created_at.between(since, until), column.used_at.between(since, until), column.id == answered)
        rows = await self._rows.all(work, column.thread_id == thread_id, fits)
        return [Asked(row.id, row.agent, row.tool, row.status, row.created_at, row.used_at) for row in rows]

    async def answer(self, work: Work, thread_id: UUID, confirmation_id: UUID, accept: bool) -> Accepted | None:
        """Yes: the call to make now, also when the same yes comes again. No: None, and the question is over.

        Raises UnknownConfirmation (also for one of another thread), ConfirmationOver."""
        status = "accepted" if accept else "declined"
        moved = await work.run(_ANSWER, confirmation_id, status, thread_id, work.now)
        row = await self._rows.get(work, confirmation_id)
        if row is None or row.thread_id != thread_id:
            raise UnknownConfirmation()
        if not moved and (row.status not in ("accepted", "used") or not accept) and row.status != status:
            raise ConfirmationOver(status="expired" if row.status == "pending" else row.status)
        if not accept:
            return None
        return Accepted(row.id, row.agent, row.tool, row.arguments, row.status == "used")

    async def accepted(self, work: Work, confirmation_id: UUID) -> Accepted | None:
        """The call that was made on this yes; None when there is no such yes."""
        row = await self._rows.get(work, confirmation_id)
        return Accepted(row.id, row.agent, row.tool, row.arguments, True) if row and row.used_at else None


def asked_in(row: Record) -> ConfirmationView | None:
    """The open question of a thread, from a row that was read with it: its id is called `question` there."""
    if row["question"] is None:
        return None
    return ConfirmationView(
        id=row["question"], summary=row["summary"], digest=row["digest"].hex(), expires_at=row["expires_at"]
    )


def _view(row: ChatConfirmation) -> ConfirmationView:
    return ConfirmationView(id=row.id, summary=row.summary, digest=row.digest.hex(), expires_at=row.expires_at)
