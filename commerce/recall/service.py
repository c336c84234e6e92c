"""Recall: notes what changed for those who index, hands them documents, and reads what an index found.

An index ranks and never speaks: every hit is read from Postgres with the caller's eyes, so that what is stale, hidden or
somebody else's does not show, whatever an index holds.
"""

from collections.abc import Sequence
from uuid import UUID

from commerce.product import ProductService
from commerce.recall import rules
from commerce.recall.permissions import INDEX
from commerce.recall.schemas import (
    CaseHit,
    Change,
    Collection,
    Document,
    Found,
    HelpHit,
    Index,
    Lookup,
    NoIndex,
    Place,
)
from commerce.support import SupportService
from commerce.support.permissions import WORK_TICKETS
from kernel.db import Work
from kernel.inbox import Delivery

NEAR = 0.35
"""The cosine from which a passage is about the question, measured by `python -m bench.recall`."""
PAGE = 500

_NOTE = """
insert into recall_changes as c (collection, document_id, revision, barred, at)
select $1, id, nextval('recall_revision_seq'), $3, $4 from unnest($2::uuid[]) id order by id
on conflict (collection, document_id) do update set revision = excluded.revision, barred = c.barred or excluded.barred,
  at = excluded.at
"""

_NOTE_KNOWN = "update recall_changes set revision = nextval('recall_revision_seq'), at = $2 where collection = $1"
_LOCK = "select pg_advisory_xact_lock(hashtextextended('recall_changes', 0))"

BY_EVENT: dict[str, Collection] = {
    "ArticleChanged": "articles",
    "ProductPublished": "products",
    "ProductUnpublished": "products",
    "TicketResolved": "tickets",
}


class RecallService:
    """`index` is what this process finds by meaning with; one that has none answers by words."""

    def __init__(self, support: SupportService, product: ProductService) -> None:
        self._support = support
        self._product = product
        self.index: Index = NoIndex()

    # --- what changed ---

    async def note(self, work: Work, deliveries: Sequence[Delivery]) -> None:
        """Reaction: what these events are about has to be indexed anew."""
        changed: dict[Collection, set[UUID]] = {}
        for delivery in deliveries:
            changed.setdefault(BY_EVENT[delivery.message.type], set()).add(delivery.message.key)
        for collection, ids in changed.items():
            await self._note(work, collection, ids)

    async def note_all(self, work: Work, collection: Collection, after: UUID | None = None) -> list[UUID]:
        """Notes the next PAGE documents of a collection, for a rebuild; returns their ids, none when that was all. The
        first page also notes all that was ever noted: what is gone has to leave an index too."""
        work.principal.require(INDEX)
        if after is None:
            await work.run(_LOCK)
            await work.run(_NOTE_KNOWN, collection, work.now)
        ids = await self._ids(work, collection, after)
        await self._note(work, collection, ids)
        return ids

    async def erase(self, work: Work, customer_id: UUID) -> int:
        """Bars a customer's tickets from every index, for good; returns how many. Part of the erasure of a customer."""
        work.principal.require(INDEX)
        ids = await self._support.recalled.tickets_of(work, customer_id)
        await self._note(work, "tickets", ids, barred=True)
        return len(ids)

    async def changes(self, work: Work, after: int, most: int) -> list[Change]:
        """What changed since a revision, in order."""
        work.principal.require(INDEX)
        rows = await work.rows(
            "select collection, document_id, revision from recall_changes where revision > $1 order by revision limit $2",
            *(after, most),
        )
        return [Change(row["collection"], row["document_id"], row["revision"]) for row in rows]

    async def latest(self, work: Work) -> int:
        """The revision an index has when it knows everything."""
        work.principal.require(INDEX)
        found: int = await work.value("select coalesce(max(revision), 0) from recall_changes")
        return found

    async def origin(self, work: Work) -> str:
        """A name of this very database: the same revision of another one, or of a restored one, means something else."""
        work.principal.require(INDEX)
        name: str = await work.value("select datname || '-' || oid from pg_database where datname = current_database()")
        return name

    async def documents(self, work: Work, collection: Collection, ids: Sequence[UUID]) -> list[Document]:
        """Those of `ids` that may be found now; the others have to leave an index."""
        work.principal.require(INDEX)
        barred = await work.rows(
            "select document_id from recall_changes where collection = $1 and document_id = any($2) and barred",
            *(collection, list(ids)),
        )
        open_ids = sorted(set(ids) - {row["document_id"] for row in barred})
        if collection == "products":
            found = await self._product.texts(work, open_ids)
            return [Document(collection, key, rules.passages(*text)) for key, text in found.items()]
        if collection == "articles":
            found = await self._support.recalled.articles(work, open_ids)
            return [Document(collection, key, rules.passages(*text)) for key, text in found.items()]
        tickets = await self._support.recalled.tickets(work, open_ids)
        return [
            Document(
                collection, t.id, rules.passages(*(rules.without_people(x, *t.people) for x in (t.subject, t.text)))
            )
            for t in tickets
        ]

    async def every(self, work: Work, collection: Collection) -> list[Document]:
        """All documents of a collection as they should be indexed: what `agora recall check` compares with."""
        found: list[Document] = []
        last: UUID | None = None
        while ids := await self._ids(work, collection, last):
            found += await self.documents(work, collection, ids)
            last = ids[-1]
        return found

    async def _ids(self, work: Work, collection: Collection, after: UUID | None) -> list[UUID]:
        if collection == "products":
            return await self._product.text_ids(work, after, PAGE)
        return await self._support.recalled.ids(work, collection, after, PAGE)

    async def _note(
        self, work: Work, collection: Collection, ids: Sequence[UUID] | set[UUID], barred: bool = False
    ) -> None:
        """One transaction at a time: otherwise a later revision could commit before an earlier one, and be read past it."""
        if ids:
            await work.run(_LOCK)
            await work.run(_NOTE, collection, sorted(ids), barred, work.now)

    # --- what is found ---

    async def look(self, question: str, *places: Place, most: int = 5) -> Lookup:
        """Asks the index, outside any transaction: embedding a question is a model call."""
        return Lookup(question, {place: await self.index.near(place, question, most * 2) for place in places})

    async def help(self, work: Work, lookup: Lookup, most: int = 3) -> list[HelpHit]:
        """Help articles that answer, best first: by meaning, or by words where no index is at hand or it knows none."""
        near = near_of(lookup, "articles")
        hits: list[HelpHit] = []
        if near:
            shown = {article.id: article for article in await self._support.recalled.shown(work, list(near))}
            hits = [
                HelpHit(
                    title=shown[key].title,
                    slug=shown[key].slug,
                    snippet=rules.snippet(shown[key].title, shown[key].body, found.passage),
                    cite=_cite(shown[key].title, shown[key].slug),
                    by="meaning",
                )
                for key, found in near.items()
                if key in shown
            ]
        if hits:
            return hits[:most]
        words = await self._support.search_articles(work, lookup.question, most)
        return [HelpHit(**hit.model_dump(), cite=_cite(hit.title, hit.slug), by="words") for hit in words]

    async def cases(self, work: Work, lookup: Lookup, most: int = 3) -> list[CaseHit]:
        """Solved tickets like a question, for staff: subject and the house's last answer without personal data."""
        work.principal.require(WORK_TICKETS)
        near = near_of(lookup, "tickets")
        tickets = {ticket.id: ticket for ticket in await self._support.recalled.tickets(work, list(near))}
        return [
            CaseHit(
                number=tickets[key].number,
                category=tickets[key].category,
                subject=rules.without_people(tickets[key].subject, *tickets[key].people),
                answer=rules.without_people(tickets[key].answer, *tickets[key].people),
                cite=f"ticket {tickets[key].number}",
            )
            for key in near
            if key in tickets
        ][:most]


def near_of(lookup: Lookup, place: Place) -> dict[UUID, Found]:
    """What an index said is about the question, best first; empty without one."""
    return {one.id: one for one in lookup.found.get(place) or () if one.nearness >= NEAR}


def _cite(title: str, slug: str) -> str:
    return f"“{title}” ({slug})"
