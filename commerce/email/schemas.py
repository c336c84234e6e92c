"""Facts of e-mail."""

from dataclasses import dataclass
from uuid import UUID


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
