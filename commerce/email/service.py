"""E-mail: queued in the transaction of its cause, sent by the delivery worker, tried again with back-off."""

from collections.abc import Sequence
from uuid import UUID

from commerce.email.permissions import READ_MAIL
from commerce.email.schemas import Due, Mail, MailView
from kernel.db import Work
from kernel.saga import back_off

ATTEMPTS_MOST = 8
CLAIM_SECONDS = 60
"""How long a sender has before its message is offered to another one."""

_QUEUE = """
insert into email_messages (id, cause, recipient, subject, text, status, attempts, due_at, created_at)
select uuidv7(), m.cause, m.recipient, m.subject, m.text, 'queued', 0, $5, $5
from unnest($1::text[], $2::text[], $3::text[], $4::text[]) m(cause, recipient, subject, text)
on conflict (cause, recipient) do nothing
"""

_CLAIM = """
update email_messages set attempts = attempts + 1, due_at = $1::timestamptz + make_interval(secs => $2)
where id in (
  select id from email_messages where status = 'queued' and due_at <= $1 order by due_at limit $3 for update skip locked
)
returning id, recipient, subject, text, attempts
"""


class EmailService:
    async def queue(self, work: Work, mails: Sequence[Mail]) -> None:
        """Notes messages to be sent; one statement, and once per cause and address."""
        columns = [[m.cause for m in mails], [m.recipient for m in mails], [m.subject for m in mails]]
        await work.run(_QUEUE, *columns, [m.text for m in mails], work.now)

    async def claim(self, work: Work, limit: int = 20) -> list[Due]:
        """Messages that are due, taken by this sender for a minute."""
        return [Due(*row.values()) for row in await work.rows(_CLAIM, work.now, CLAIM_SECONDS, limit)]

    async def sent(self, work: Work, message_ids: Sequence[UUID]) -> None:
        await work.run(
            "update email_messages set status = 'sent', sent_at = $2 where id = any($1)", list(message_ids), work.now
        )

    async def failed(self, work: Work, mail: Due, error: str, lasting: bool) -> None:
        """Notes a failed attempt: tried again later, or given up when it will never work."""
        status = "failed" if lasting or mail.attempts >= ATTEMPTS_MOST else "queued"
        await work.run(
            "update email_messages set status = $2, error = $3, "
            "due_at = $4::timestamptz + make_interval(secs => $5) where id = $1",
            *(mail.id, status, error, work.now, back_off(mail.attempts + 3)),
        )

    async def about(self, work: Work, causes: Sequence[str]) -> list[MailView]:
        """The messages of these causes, oldest first."""
        work.principal.require(READ_MAIL)
        rows = await work.rows(
            "select subject, status, attempts, error, created_at, sent_at from email_messages "
            "where cause = any($1) order by id",
            list(causes),
        )
        return [MailView.model_validate(dict(row)) for row in rows]
