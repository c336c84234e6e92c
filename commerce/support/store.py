"""Tickets in Postgres: found with the caller's eyes, written together with their history."""

from collections.abc import Sequence
from uuid import UUID

from commerce.support import statements
from commerce.support.errors import UnknownTicket
from commerce.support.schemas import Change
from commerce.support.tables import Escalation, Satisfaction, Ticket, TicketMessage
from kernel.db import Record, Work
from kernel.ids import new_id
from kernel.repository import Repository

MESSAGES_SHOWN = 200
"""Of a ticket: the latest ones."""


class TicketStore:
    def __init__(self) -> None:
        self._tickets = Repository(Ticket, "customer_id", "guest_key", "merchant_id")
        self._messages = Repository(TicketMessage)
        self._escalations = Repository(Escalation)
        self._ratings = Repository(Satisfaction)

    async def get(self, work: Work, ticket_id: UUID) -> Ticket:
        ticket = await self._tickets.get(work, ticket_id)
        if ticket is None:
            raise UnknownTicket()
        return ticket

    async def locked(self, work: Work, ticket_id: UUID) -> Ticket:
        locked = await self._tickets.lock(work, [ticket_id])
        if not locked:
            raise UnknownTicket()
        return locked[0]

    async def by_number(self, work: Work, number: str) -> Ticket:
        ticket = await self._tickets.find(work, self._tickets.table.c.number == number.upper())
        if ticket is None:
            raise UnknownTicket()
        return ticket

    async def page(
        self, work: Work, status: str | None, cursor: str | None, size: int
    ) -> tuple[list[Ticket], str | None]:
        where = [self._tickets.table.c.status == status] if status else []
        return await self._tickets.page(work, *where, cursor=cursor, size=size)

    async def next_number(self, work: Work) -> str:
        number: str = await work.value("select 'T-' || nextval('support_ticket_number_seq')")
        return number

    async def open(self, work: Work, ticket: Ticket) -> None:
        """Writes a new ticket; the line of its history follows with `save`."""
        await self._tickets.add(work, ticket)

    async def save(self, work: Work, ticket: Ticket, *changes: Change) -> None:
        """Writes what a locked ticket became, and its history, in one statement."""
        await work.run(
            statements.SAVE,
            *(ticket.id, ticket.status, ticket.assigned_to, ticket.escalation, ticket.first_responded_at),
            *(ticket.resolution_due_at, ticket.paused_at, ticket.solved_at, ticket.events, work.now),
            *([change.kind for change in changes], [change.facts for change in changes]),
            *(work.principal.subject, work.principal.act),
        )
        ticket.events += len(changes)
        ticket.updated_at = work.now

    async def say(self, work: Work, ticket: Ticket, side: str, body: str, internal: bool = False) -> UUID:
        message = TicketMessage(
            id=new_id(),
            ticket_id=ticket.id,
            side=side,
            author=work.principal.subject,
            act=work.principal.act,
            internal=internal,
            body=body,
            created_at=work.now,
        )
        await self._messages.add(work, message)
        return message.id

    async def escalate(self, work: Work, ticket: Ticket, reason: str, note: str) -> None:
        """Notes one level more on a locked ticket and in its escalations; a missed target escalates once."""
        ticket.escalation += 1
        escalation = Escalation(
            id=new_id(),
            ticket_id=ticket.id,
            level=ticket.escalation,
            reason=reason,
            note=note,
            actor=work.principal.subject,
            created_at=work.now,
        )
        await self._escalations.add(work, escalation)

    async def rate(self, work: Work, ticket: Ticket, score: int, comment: str) -> None:
        await self._ratings.add(
            work, Satisfaction(ticket_id=ticket.id, score=score, comment=comment, created_at=work.now)
        )

    async def messages(self, work: Work, ticket: Ticket, internal: bool) -> Sequence[Record]:
        """The latest messages, oldest first; with the house's notes when `internal`."""
        return await work.rows(statements.MESSAGES, ticket.id, internal, MESSAGES_SHOWN)

    async def history(self, work: Work, ticket: Ticket) -> Sequence[Record]:
        return await work.rows("select * from support_ticket_events where ticket_id = $1 order by number", ticket.id)

    async def score(self, work: Work, ticket: Ticket) -> int | None:
        score: int | None = await work.value("select score from support_satisfaction where ticket_id = $1", ticket.id)
        return score
