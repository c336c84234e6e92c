"""Events: past-tense facts, versioned, sufficient for their readers. Emitted only through the unit of work."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

REGISTRY: dict[str, type["Event"]] = {}
"""Every event class by its name: what the schema files and the relay read."""


UNREADABLE = "Unreadable"
"""The type of a message that stands for a record of the transport which nobody can read; a reader buries it."""


class Event(BaseModel):
    """A fact of one aggregate.

    `topic` is the context that emits it; `aggregate` names the field that holds the aggregate's id, which is the
    ordering key. Fields are ids, numbers and short codes, never personal data.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    topic: ClassVar[str]
    aggregate: ClassVar[str]
    version: ClassVar[int] = 1

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        REGISTRY[cls.__name__] = cls

    @property
    def key(self) -> UUID:
        found: UUID = getattr(self, self.aggregate)
        return found

    @property
    def destination(self) -> str:
        """Where it goes: its topic, unless the message itself names an addressee."""
        return self.topic


class Message(BaseModel):
    """An event (or a command, or a query) on its way: what a transport carries and a consumer reads."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    topic: str
    key: UUID
    sequence: int
    """Position within the aggregate `key`, from 1 without gaps."""
    type: str
    version: int = 1
    payload: dict[str, Any]
    headers: dict[str, str] = {}
    occurred_at: datetime

    def event(self) -> Event:
        """The typed event; raises KeyError or ValidationError for one nobody can read (a poison message)."""
        return REGISTRY[self.type].model_validate(self.payload)
