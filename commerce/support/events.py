"""What support tells others. The key is the ticket, or the article."""

from uuid import UUID

from kernel.events import Event


class ArticleChanged(Event):
    """A help article was written, or says something else from now on."""

    topic = "support"
    aggregate = "article_id"

    article_id: UUID


class TicketEvent(Event):
    topic = "support"
    aggregate = "ticket_id"

    ticket_id: UUID


class TicketOpened(TicketEvent):
    channel: str
    category: str
    priority: str


class TicketReplied(TicketEvent):
    """The house answered; what its owner writes is no event, since nobody below waits for it."""

    message_id: UUID


class TicketResolved(TicketEvent):
    """`by`: `owner`, `staff`, or `reply` when the answer itself solved it."""

    by: str


class TicketEscalated(TicketEvent):
    level: int
    reason: str


class SlaAtRisk(TicketEvent):
    """`target` is `first_response` or `resolution`; `minutes_left` until it is missed."""

    target: str
    minutes_left: int
