"""What somebody wants us to know the next time: kept with where it comes from, for a while, and theirs to erase.

A fact is written down only with its person's yes, even where an agent could take it back: it stands in the prompt of
every later conversation, so one sentence that a foreign text slipped in would speak again for a year. The question
shows the exact words.
"""

import re
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import ColumnElement

from commerce.chat.errors import NobodyToRemember, TooManyFacts, UnknownFact
from commerce.chat.permissions import KEEP_HOUSE, OWN_FACTS
from commerce.chat.schemas import FactView, Remember
from commerce.chat.tables import ChatFact
from kernel.auth import Principal
from kernel.consent import demand
from kernel.db import Work
from kernel.ids import new_id
from kernel.repository import Repository

FACTS_MOST = 50
"""Of one customer or shop."""
TOLD_MOST = 20
"""Facts that go into one prompt, the latest."""
KEY_MOST = 60

_REMEMBER = """
insert into chat_facts (id, customer_id, merchant_id, key, text, thread_id, message_id, act, created_at, expires_at)
select $1, $2, $3, $4, $5, $6, (select turn_id from chat_threads where id = $6), $7, $8, $9
on conflict {target} do update set id = excluded.id, text = excluded.text, thread_id = excluded.thread_id,
  message_id = excluded.message_id, act = excluded.act, created_at = excluded.created_at,
  expires_at = excluded.expires_at
"""
_TOLD = "select text from chat_facts where {owner} = $1 and expires_at > $2 order by id desc limit $3"
_TARGETS = {
    "customer_id": "(customer_id, key) where customer_id is not null",
    "merchant_id": "(merchant_id, key) where merchant_id is not null",
}


class FactService:
    """Facts of customers and of shops; guests have none, since nobody could tell them apart the next time."""

    def __init__(self, days: int) -> None:
        self._lifetime = timedelta(days=days)
        self._rows = Repository(ChatFact, "customer_id", "merchant_id")

    async def remember(self, work: Work, command: Remember) -> FactView:
        """Notes a fact for its lifetime; a later one about the same takes its place.

        Raises NobodyToRemember, TooManyFacts."""
        work.principal.require(OWN_FACTS)
        owner, owner_id = _owner(work.principal)
        key = _key(command.about or command.text)
        await demand(work, "chat.remember", f"Remember for next time: “{command.text}”?", key=key, text=command.text)
        await work.run("select pg_advisory_xact_lock(hashtextextended('chat_facts' || $1::text, 0))", str(owner_id))
        known = {fact.key for fact in await self._known(work)}
        if key not in known and len(known) >= FACTS_MOST:
            raise TooManyFacts(most=FACTS_MOST)
        customer, merchant = (owner_id, None) if owner == "customer_id" else (None, owner_id)
        await work.run(
            _REMEMBER.format(target=_TARGETS[owner]),
            *(new_id(), customer, merchant, key, command.text, work.principal.session, work.principal.act),
            *(work.now, work.now + self._lifetime),
        )
        (noted,) = await self._known(work, self._rows.table.c.key == key)
        return _view(noted)

    async def facts(self, work: Work) -> list[FactView]:
        """What we know from the caller, oldest first."""
        work.principal.require(OWN_FACTS)
        return [_view(fact) for fact in await self._known(work)]

    async def told(self, work: Work) -> list[str]:
        """For a prompt: what the caller told us, the latest last; nothing of a caller who can have no facts."""
        who = work.principal
        if not who.may(OWN_FACTS) or not (who.customer_id or who.merchant_ids):
            return []
        owner, owner_id = _owner(who)
        rows = await work.rows(_TOLD.format(owner=owner), owner_id, work.now, TOLD_MOST)
        return [row["text"] for row in reversed(rows)]

    async def forget(self, work: Work, about: str | None = None) -> list[FactView]:
        """Erases the facts that hold these words, or all; returns what is left. Raises UnknownFact for words of none."""
        work.principal.require(OWN_FACTS)
        known = await self._known(work)
        words = (about or "").casefold().strip(" .!?")
        gone = [fact for fact in known if not words or words in fact.text.casefold() or _key(words) == fact.key]
        if words and not gone:
            raise UnknownFact()
        asked = f"Forget “{gone[0].text}”?" if len(gone) == 1 else f"Forget all {len(gone)} things you told me?"
        if gone:
            await demand(work, "chat.forget", asked, facts=[fact.id for fact in gone])
            await work.run("delete from chat_facts where id = any($1)", [fact.id for fact in gone])
        return [_view(fact) for fact in known if fact not in gone]

    async def forget_one(self, work: Work, fact_id: UUID) -> None:
        """Erases one of the caller's facts by its id. Raises UnknownFact, also for somebody else's."""
        work.principal.require(OWN_FACTS)
        fact = await self._rows.get(work, fact_id)
        if fact is None:
            raise UnknownFact()
        await demand(work, "chat.forget", f"Forget “{fact.text}”?", facts=[fact.id])
        await work.run("delete from chat_facts where id = $1", fact_id)

    # --- by the house ---

    async def expire(self, work: Work) -> int:
        """Deletes what has outlived its time; returns how many. Run by the schedule."""
        work.principal.require(KEEP_HOUSE)
        return await work.run("delete from chat_facts where expires_at <= $1", work.now)

    async def erase(self, work: Work, customer_id: UUID) -> int:
        """Deletes everything a customer told us; returns how much it was. Part of the erasure of a customer."""
        work.principal.require(KEEP_HOUSE)
        return await work.run("delete from chat_facts where customer_id = $1", customer_id)

    async def _known(self, work: Work, *where: ColumnElement[bool]) -> list[ChatFact]:
        """The caller's own alone, whoever they are: staff has no eyes here."""
        owner, owner_id = _owner(work.principal)
        column = self._rows.table.c
        return await self._rows.all(work, column[owner] == owner_id, column.expires_at > work.now, *where)


def _owner(who: Principal) -> tuple[str, UUID]:
    """Whose facts a caller's are: a customer's, or the first of a merchant's shops'."""
    if who.customer_id:
        return "customer_id", who.customer_id
    if who.merchant_ids:
        return "merchant_id", who.merchant_ids[0]
    raise NobodyToRemember()


def _key(about: str) -> str:
    """A name for what a fact is about; words in other scripts are named by their digest."""
    words = "-".join(re.findall(r"[a-z0-9]+", about.casefold()))[:KEY_MOST].strip("-")
    return words or f"note-{sha256(about.encode()).hexdigest()[:12]}"


def _view(fact: ChatFact) -> FactView:
    return FactView.model_validate({name: getattr(fact, name) for name in FactView.model_fields})
