"""Facts of recall, and the port of the index."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal, Protocol
from uuid import UUID

from commerce.support import ArticleHit
from kernel.schemas import View

Collection = Literal["articles", "products", "tickets"]
COLLECTIONS: tuple[Collection, ...] = ("articles", "products", "tickets")
Place = Literal["articles", "products", "tickets", "policies"]
"""What an index holds: the collections, and the rules of the agents, which are files."""
Revision = int


@dataclass(frozen=True, slots=True)
class Change:
    collection: Collection
    document_id: UUID
    revision: Revision


@dataclass(frozen=True, slots=True)
class Document:
    """What an index needs of one document: its passages as texts to embed, in order. It keeps the vectors alone."""

    collection: Collection
    id: UUID
    passages: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Changes with every passage: an index that has it is fresh."""
        return sha256("\n\n".join(self.passages).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Found:
    """A document near a question by its best passage; `nearness` is a cosine."""

    id: UUID
    passage: int
    nearness: float


class Index(Protocol):
    """Finds documents by meaning. It ranks, and nothing else: what is shown is read from Postgres."""

    async def near(self, place: Place, question: str, most: int) -> list[Found] | None:
        """Best first; None when there is no index right now."""
        ...


@dataclass(frozen=True, slots=True)
class NoIndex:
    """A process in which nobody asks by meaning."""

    async def near(self, place: Place, question: str, most: int) -> list[Found] | None:  # noqa: ARG002
        return None


@dataclass(frozen=True, slots=True)
class Lookup:
    """What the index said to a question, before the transaction in which the answer is read."""

    question: str
    found: dict[Place, Sequence[Found] | None] = field(default_factory=dict)


class HelpHit(ArticleHit):
    """A help article, or a rule of the shop, that answers; `cite` names it in an answer. `by` is how it was found."""

    cite: str
    by: Literal["meaning", "words"]


class CaseHit(View):
    """A solved ticket like the one at hand, without personal data."""

    number: str
    category: str
    subject: str
    answer: str
    cite: str
