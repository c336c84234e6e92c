"""Commands, views and facts of chat."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from kernel.ids import PublicId, TicketId
from kernel.schemas import PERSONAL, Command, LongText, View

ThreadId = Annotated[UUID, PublicId("thr")]
MessageId = Annotated[UUID, PublicId("msg")]
FactId = Annotated[UUID, PublicId("fct")]
ConfirmationId = Annotated[UUID, PublicId("cnf")]


@dataclass(frozen=True, slots=True)
class Ask:
    """What an agent wants to do: the tool call, and what the service demands a yes to."""

    agent: str
    tool: str
    arguments: dict[str, Any]
    action: str
    summary: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """An agent's answer. `options` are replies a person can pick; `blocked` why the message was declined."""

    text: str
    agent: str
    notice: str | None = None
    options: list[str] = field(default_factory=list)
    blocked: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A confirmed call, to be made now; `used` when it already was."""

    id: UUID
    agent: str
    tool: str
    arguments: dict[str, Any]
    used: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the past and what became of it; without its words, which are personal."""

    id: UUID
    agent: str
    tool: str
    status: str
    asked_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Spoken:
    """A turn on record: who talked, what they said, what was answered."""

    role: str
    said: str
    answer: str


class Talk(Command):
    text: LongText


class Confirm(Command):
    confirmation_id: ConfirmationId
    accept: bool


class Rate(Command):
    score: Literal[-1, 1]
    note: Annotated[str, Field(max_length=1000)] = ""


class Remember(Command):
    text: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=2, max_length=300, pattern=r"^[^\r\n]+$"),
        Field(description="the fact, in one short sentence of the person's own"),
        PERSONAL,
    ]
    about: (
        Annotated[
            str,
            StringConstraints(strip_whitespace=True, min_length=2, max_length=60),
            Field(description="what it is about in one or two words: a later fact about the same replaces it"),
        ]
        | None
    ) = None


class FactView(View):
    """Something a person told us, when, and until when we remember it."""

    id: FactId
    key: str
    text: str
    created_at: datetime
    expires_at: datetime


class ThreadView(View):
    id: ThreadId
    status: str
    role: str
    created_at: datetime


class MessageView(View):
    """`author` is person, agent or staff; `options` are replies to pick from."""

    id: MessageId
    author: str
    agent: str | None
    text: str
    notice: str | None
    options: list[str]
    created_at: datetime


class ConfirmationView(View):
    """A question the person has to answer: `summary` is what would be done. The digest binds the answer to it."""

    id: ConfirmationId
    summary: str
    digest: str
    expires_at: datetime


class HandoffView(View):
    ticket_id: TicketId
    number: str
    reason: str


class ActionView(View):
    """A tool that an agent used for this answer, and what came of it: done, refused, failed or confirmation."""

    agent: str
    tool: str
    status: str
    call_id: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that is noted: whether a person has this conversation, and the question that is open in it."""

    handed_over: bool
    pending: ConfirmationView | None


@dataclass(frozen=True, slots=True)
class Answered:
    """What a turn brought: the messages that answer it, the question that is open now, who took over."""

    messages: list[MessageView]
    pending: ConfirmationView | None
    handoff: HandoffView | None


class ChatAnswer(View):
    """Everything an answer brings: messages, what was done for it, an open question, a person who takes over."""

    thread_id: ThreadId
    messages: list[MessageView]
    actions: list[ActionView]
    pending_confirmation: ConfirmationView | None
    handoff: HandoffView | None
