"""Facts and views of e-mail."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.schemas import View


@dataclass(frozen=True, slots=True)
class Mail:
    """A message to send. `cause` names the fact it tells: the same cause is never mailed twice to one address."""

    cause: str
    recipient: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Due:
    """A queued message in the hands of a sender."""

    id: UUID
    recipient: str
    subject: str
    text: str
    attempts: int


class MailView(View):
    """How far a message came; its recipient and its text are not shown."""

    subject: str
    status: str
    attempts: int
    error: str | None
    created_at: datetime
    sent_at: datetime | None
