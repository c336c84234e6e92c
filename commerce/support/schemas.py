"""Commands, views and facts of support."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from kernel.ids import OrderId, PublicId, TicketId, UserId
from kernel.schemas import Code, Command, Email, LongText, Text, View

TicketMessageId = Annotated[UUID, PublicId("tms")]
TicketNumber = Annotated[str, StringConstraints(pattern=r"^[Tt]-[0-9]{1,12}$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Body = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]

Channel = Literal["chat", "web", "email"]
Category = Literal["order", "delivery", "payment", "return", "product", "account", "selling", "other"]
Priority = Literal["low", "normal", "high", "urgent"]
Status = Literal["open", "pending", "solved", "closed"]
Audience = Literal["public", "staff"]
Tags = Annotated[list[Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9 -]{0,39}$")]], Field(max_length=20)]


class OpenTicket(Command):
    """`email` is where the answer goes when nobody is signed in; with an order, the order's address is used."""

    subject: Text
    body: LongText
    channel: Channel = "web"
    category: Category = "other"
    priority: Priority | None = None
    order_id: OrderId | None = None
    email: Email | None = None


class Turn(Command):
    """One thing said in a chat before a person took over."""

    who: Literal["customer", "agent"]
    text: Annotated[str, StringConstraints(min_length=1, max_length=4000)]


class HandOver(Command):
    """What a chat leaves to the person who takes over. Made by the chat itself, never taken from a request."""

    summary: LongText
    transcript: Annotated[list[Turn], Field(max_length=200)]


class Reply(Command):
    """A message. The last two are the house's: a note its owner never sees, and what the ticket becomes
    (an answer to an open ticket waits for its owner, unless it says otherwise)."""

    body: LongText
    internal: bool = False
    then: Literal["open", "pending", "solved"] | None = None

    @model_validator(mode="after")
    def _a_note_moves_nothing(self) -> Self:
        if self.internal and self.then:
            raise ValueError("an internal note does not change the status")
        return self


class MoveTicket(Command):
    status: Status


class Assign(Command):
    """To a member of the support team, or to the caller."""

    user_id: UserId | None = None


class Escalate(Command):
    note: LongText


class Rate(Command):
    score: Annotated[int, Field(ge=1, le=5, strict=True)]
    comment: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] = ""


class ChangeArticle(Command):
    """`body` is plain text with blank lines between paragraphs."""

    title: Text
    body: Body
    tags: Tags = Field(default_factory=list)
    audience: Audience = "public"
    published: bool = True


class WriteArticle(ChangeArticle):
    slug: Slug


class ChangeMacro(Command):
    """`body` may hold {{ name }}, {{ number }}, {{ order }} and {{ subject }}."""

    title: Text
    body: LongText


class WriteMacro(ChangeMacro):
    code: Code


class SetTargets(Command):
    first_response_minutes: Annotated[int, Field(ge=1, le=100_000)]
    resolution_minutes: Annotated[int, Field(ge=1, le=100_000)]

    @model_validator(mode="after")
    def _answer_before_solving(self) -> Self:
        if self.first_response_minutes > self.resolution_minutes:
            raise ValueError("the first response cannot be due after the resolution")
        return self


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a ticket's history to be written; facts are ids, numbers and short codes."""

    kind: str
    facts: dict[str, str | int] = field(default_factory=dict)


class TicketMessageView(View):
    """`side` is `owner` (who asked) or `staff` (the house); `internal` ones are shown to staff alone."""

    id: TicketMessageId
    side: Literal["owner", "staff"]
    body: str
    internal: bool
    by_agent: bool
    created_at: datetime


class TicketEventView(View):
    kind: str
    actor: str
    act: str | None
    facts: dict[str, Any]
    at: datetime


class DeskView(View):
    """What the house sees of a ticket: targets, assignment, history. `due` instants move when the clock was paused."""

    assigned_to: UserId | None
    escalation: int
    first_response_due_at: datetime
    first_responded_at: datetime | None
    resolution_due_at: datetime
    paused_at: datetime | None
    solved_at: datetime | None
    summary: str | None
    transcript: list[dict[str, str]] | None
    history: list[TicketEventView]


class TicketLine(View):
    id: TicketId
    number: str
    subject: str
    status: Status
    channel: Channel
    category: Category
    priority: Priority
    order_id: OrderId | None
    created_at: datetime
    updated_at: datetime


class TicketView(TicketLine):
    """`ticket_token` is shown once, to a guest without any token: send it back as `X-Ticket-Token`."""

    messages: list[TicketMessageView]
    score: int | None
    desk: DeskView | None
    ticket_token: str | None = None


class ArticleView(View):
    slug: str
    title: str
    body: str
    tags: list[str]
    audience: Audience
    published: bool
    updated_at: datetime


class ArticleHit(View):
    title: str
    slug: str
    snippet: str


class MacroView(View):
    code: str
    title: str
    body: str


class DraftView(View):
    """A macro filled for one ticket, ready to be sent as a reply."""

    body: str


class TargetsView(View):
    priority: Priority
    first_response_minutes: int
    resolution_minutes: int
