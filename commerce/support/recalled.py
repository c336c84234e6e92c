"""What support lets others find by meaning: help articles, and how tickets were solved."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from commerce.customer import CustomerService, CustomerView
from commerce.support.permissions import WORK_TICKETS
from kernel.db import Record, Work

TEXT_MOST = 6000
"""Characters of a ticket that are worth comparing."""

_TICKETS = """
select t.id, t.number, t.category, t.subject, t.customer_id, t.email,
       (select string_agg(m.body, E'\\n\\n' order by m.id) from support_ticket_messages m
        where m.ticket_id = t.id and not m.internal) as text,
       (select m.body from support_ticket_messages m
        where m.ticket_id = t.id and m.side = 'staff' and not m.internal order by m.id desc limit 1) as answer
from support_tickets t
where t.id = any($1) and t.status in ('solved', 'closed')
"""
_IDS = {
    "articles": "select id from support_articles where published and ($1::uuid is null or id > $1) order by id limit $2",
    "tickets": "select id from support_tickets where status in ('solved', 'closed') and ($1::uuid is null or id > $1) "
    "order by id limit $2",
}
_SHOWN = """
select id, slug, title, body from support_articles where id = any($1) and published and ($2 or audience = 'public')
"""


@dataclass(frozen=True, slots=True)
class SolvedTicket:
    """`people` are names and addresses that must not be repeated; `answer` is the house's last word."""

    id: UUID
    number: str
    category: str
    subject: str
    text: str
    answer: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownArticle:
    id: UUID
    slug: str
    title: str
    body: str


class Recalled:
    """Read by recall; only `shown` is for callers, with their own eyes."""

    def __init__(self, customer: CustomerService) -> None:
        self._customer = customer

    async def ids(
        self, work: Work, collection: Literal["articles", "tickets"], after: UUID | None, most: int
    ) -> list[UUID]:
        """Everything that can be found, in id order."""
        work.principal.require(WORK_TICKETS)
        return [row["id"] for row in await work.rows(_IDS[collection], after, most)]

    async def articles(self, work: Work, ids: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
        """Title and body of published articles."""
        work.principal.require(WORK_TICKETS)
        rows = await work.rows(_SHOWN, list(ids), True)
        return {row["id"]: (row["title"], row["body"]) for row in rows}

    async def tickets(self, work: Work, ids: Sequence[UUID]) -> list[SolvedTicket]:
        """Those of `ids` that are solved, with everything said to or by their owners."""
        work.principal.require(WORK_TICKETS)
        rows = await work.rows(_TICKETS, list(ids))
        owners = await self._customer.contacts(work, [row["customer_id"] for row in rows if row["customer_id"]])
        return [_ticket(row, owners.get(row["customer_id"])) for row in rows]

    async def tickets_of(self, work: Work, customer_id: UUID) -> list[UUID]:
        work.principal.require(WORK_TICKETS)
        rows = await work.rows("select id from support_tickets where customer_id = $1 order by id", customer_id)
        return [row["id"] for row in rows]

    async def shown(self, work: Work, ids: Sequence[UUID]) -> list[ShownArticle]:
        """Those of `ids` that the caller may read."""
        rows = await work.rows(_SHOWN, list(ids), work.principal.is_staff)
        return [ShownArticle(*row.values()) for row in rows]


def _ticket(row: Record, owner: CustomerView | None) -> SolvedTicket:
    known = (owner.name, owner.email, row["email"]) if owner else (row["email"],)
    people = tuple(word for word in known if word)
    text = (row["text"] or "")[:TEXT_MOST]
    return SolvedTicket(row["id"], row["number"], row["category"], row["subject"], text, row["answer"] or "", people)
