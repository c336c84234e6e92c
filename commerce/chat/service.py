"""Chat: threads belong to who began them, one answer at a time, everything said is kept."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from commerce.chat.confirmations import Confirmations, asked_in
from commerce.chat.errors import OtherMessage, ThreadBusy, ThreadClosed, UnknownMessage, UnknownThread
from commerce.chat.facts import FactService
from commerce.chat.permissions import TALK
from commerce.chat.retention import Retention
from commerce.chat.schemas import Answered, HandoffView, Heard, MessageView, Rate, Said, Spoken, ThreadView
from commerce.chat.tables import ChatFeedback, ChatMessage, ChatThread
from commerce.support import SupportService
from commerce.support.events import TicketReplied
from commerce.support.schemas import HandOver, OpenTicket, Reply
from commerce.support.schemas import Turn as TicketTurn
from kernel.auth import Principal
from kernel.db import Work
from kernel.ids import new_id
from kernel.inbox import Delivery
from kernel.repository import Repository
from kernel.schemas import Page

TURN = timedelta(seconds=45)
"""How long one answer may take before its thread is free again (an agent's run ends after 30 s)."""
ROLES = ("admin", "support", "merchant", "customer", "guest")
TRANSCRIPT_MOST = 100
"""Messages of a conversation that go into its ticket."""

_HEAR = """
with own as (
  select id, status, role, created_at from chat_threads where id = $1 and subject = $5
), taken as (
  update chat_threads t set turn_id = $2, busy_until = $3, updated_at = $4 from own
  where t.id = own.id and t.status <> 'closed' and (t.busy_until is null or t.busy_until <= $4 or t.turn_id = $2)
  returning t.id
), said as (
  insert into chat_messages (id, thread_id, author, text, options, created_at)
  select $2, taken.id, 'person', $6, '[]'::jsonb, $4 from taken
  on conflict (id) do update set id = excluded.id returning text
)
select own.*, taken.id is not null as taken, said.text as said,
       c.id as question, c.summary, c.digest, c.expires_at
from own left join taken on true left join said on true
left join chat_confirmations c on c.thread_id = own.id and c.status = 'pending' and c.expires_at > $4
"""

_ANSWER = """
with first as (
  insert into chat_messages (id, thread_id, answers, author, agent, text, notice, options, created_at)
  select $1, $2, $3, 'agent', $4, $5, $6, $7, $8 where not exists (select from chat_messages where answers = $3)
  returning *
), blocked as (
  insert into chat_blocked (message_id, reason, at)
  select m.id, $9, $8 from chat_messages m, first where m.id = $3 and $9::text is not null on conflict do nothing
), freed as (
  update chat_threads set turn_id = null, busy_until = null, updated_at = $8
  where id = $2 and turn_id = $3 and exists (select from first)
)
select first.*, c.id as question, c.summary, c.digest, c.expires_at, h.thread_id is not null as handed_over
from (select) x left join first on true
left join chat_confirmations c on c.thread_id = $2 and c.status = 'pending' and c.expires_at > $8
left join chat_handoffs h on h.thread_id = $2
"""

_SAY = """
insert into chat_messages (id, thread_id, answers, author, agent, text, notice, options, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (id) do update set id = excluded.id returning text
"""


class ChatService:
    def __init__(self, support: SupportService, confirmations: Confirmations, idle_days: int, fact_days: int) -> None:
        self.confirmations = confirmations
        self.retention = Retention(idle_days)
        self.facts = FactService(fact_days)
        self._support = support
        self._threads = Repository(ChatThread)
        self._messages = Repository(ChatMessage)

    async def begin(self, work: Work) -> ThreadView:
        """A new conversation of the caller, who is signed in or holds a guest's token."""
        who = work.principal
        who.require(TALK)
        thread = ChatThread(
            id=new_id(),
            subject=who.subject,
            customer_id=who.customer_id,
            role=role_of(who),
            status="open",
            turn_id=None,
            busy_until=None,
            pruned_at=None,
            created_at=work.now,
            updated_at=work.now,
        )
        await self._threads.add(work, thread)
        return _thread(thread)

    async def threads(self, work: Work, cursor: str | None = None, size: int = 20) -> Page[ThreadView]:
        """The caller's own conversations, newest first."""
        work.principal.require(TALK)
        mine = self._threads.table.c.subject == work.principal.subject
        rows, following = await self._threads.page(work, mine, cursor=cursor, size=size)
        return Page(items=[_thread(row) for row in rows], next=following)

    async def thread(self, work: Work, thread_id: UUID) -> ThreadView:
        return _thread(await self._own(work, thread_id))

    async def messages(
        self, work: Work, thread_id: UUID, cursor: str | None = None, size: int = 50
    ) -> Page[MessageView]:
        """What was said, newest first."""
        await self._own(work, thread_id)
        here = self._messages.table.c.thread_id == thread_id
        rows, following = await self._messages.page(work, here, cursor=cursor, size=size)
        return Page(items=[_message(row) for row in rows], next=following)

    async def answers(self, work: Work, turn_id: UUID) -> list[MessageView]:
        """What was answered to a message, oldest first."""
        rows = await self._messages.all(work, self._messages.table.c.answers == turn_id)
        return [_message(row) for row in rows]

    async def spoken(self, work: Work, thread_id: UUID, turn_id: UUID) -> Spoken:
        """A turn of anybody's conversation as it is on record, for the house alone. Raises UnknownThread."""
        thread, message = await self._threads.get(work, thread_id), await self._messages.get(work, turn_id)
        if not work.principal.is_staff or thread is None or message is None:
            raise UnknownThread()
        answers = "\n".join(answer.text for answer in await self.answers(work, turn_id))
        return Spoken(thread.role, message.text, answers)

    # --- a turn: one message and its answer ---

    async def hear(self, work: Work, thread_id: UUID, turn_id: UUID, text: str) -> Heard:
        """Notes a person's message and takes the thread for its answer; `turn_id` is the message's id.

        The same turn may begin again after a crash. Raises UnknownThread, ThreadClosed, ThreadBusy, OtherMessage."""
        who = work.principal
        who.require(TALK)
        row = await work.row(_HEAR, thread_id, turn_id, work.now + TURN, work.now, who.subject, text)
        if row is None:
            raise UnknownThread()
        if row["status"] == "closed":
            raise ThreadClosed()
        if not row["taken"]:
            raise ThreadBusy()
        if row["said"] != text:
            raise OtherMessage()
        return Heard(row["status"] == "handed_over", asked_in(row))

    async def say(self, work: Work, thread_id: UUID, turn_id: UUID, said: Said) -> Answered:
        """Notes the answer and frees the thread; once per turn: a second answer finds the first."""
        row = await work.row(
            _ANSWER,
            *(new_id(), thread_id, turn_id, said.agent, said.text, said.notice, said.options, work.now, said.blocked),
        )
        assert row is not None
        messages = [_message(self._messages.row(row))] if row["id"] else await self.answers(work, turn_id)
        return Answered(messages, asked_in(row), await self.handoff(work, thread_id) if row["handed_over"] else None)

    async def answered(self, work: Work, thread_id: UUID, turn_id: UUID) -> Answered:
        """What a turn brought that is over."""
        pending = await self.confirmations.pending(work, thread_id)
        return Answered(await self.answers(work, turn_id), pending, await self.handoff(work, thread_id))

    # --- people ---

    async def hand_over(self, work: Work, thread_id: UUID, reason: str) -> HandoffView:
        """Opens a ticket with the conversation in it, once per thread; from then on a person answers as well."""
        thread = await self._own(work, thread_id)
        if found := await self.handoff(work, thread_id):
            return found
        lines = await self._messages.page(work, self._messages.table.c.thread_id == thread_id, size=TRANSCRIPT_MOST)
        said = [
            TicketTurn(who="customer" if line.author == "person" else "agent", text=line.text)
            for line in reversed(lines[0])
        ]
        wish = next((line.text for line in lines[0] if line.author == "person"), reason)
        ticket = await self._support.open(
            work, OpenTicket(subject=reason, body=wish, channel="chat"), HandOver(summary=reason, transcript=said)
        )
        await work.run(
            "insert into chat_handoffs (thread_id, ticket_id, reason, created_at) values ($1, $2, $3, $4)",
            *(thread_id, ticket.id, reason, work.now),
        )
        await work.run(
            "update chat_threads set status = 'handed_over', updated_at = $2 where id = $1", thread.id, work.now
        )
        return HandoffView(ticket_id=ticket.id, number=ticket.number, reason=reason)

    async def handoff(self, work: Work, thread_id: UUID) -> HandoffView | None:
        """Who took over, None while nobody did."""
        row = await work.row("select ticket_id, reason from chat_handoffs where thread_id = $1", thread_id)
        if row is None:
            return None
        ticket = await self._support.view(work, row["ticket_id"])
        return HandoffView(ticket_id=ticket.id, number=ticket.number, reason=row["reason"])

    async def tell_staff(self, work: Work, thread_id: UUID, text: str) -> HandoffView:
        """Adds what a person says to the ticket of their conversation."""
        handoff = await self.handoff(work, thread_id)
        assert handoff is not None, "a thread that is handed over has its handoff"
        await self._support.reply(work, handoff.ticket_id, Reply(body=text))
        return handoff

    async def pass_on(self, work: Work, deliveries: Sequence[Delivery]) -> None:
        """Reaction: what the house answers to a ticket is said in the conversation it came from, once."""
        answers = {e.message_id: e.ticket_id for d in deliveries if isinstance(e := d.event, TicketReplied)}
        rows = await work.rows(
            "select thread_id, ticket_id from chat_handoffs where ticket_id = any($1)", list(answers.values())
        )
        threads = {row["ticket_id"]: row["thread_id"] for row in rows}
        bodies = await self._support.said(work, [answer for answer, ticket in answers.items() if ticket in threads])
        for answer, body in bodies.items():
            await work.run(_SAY, answer, threads[answers[answer]], None, "staff", None, body, None, [], work.now)

    async def rate(self, work: Work, thread_id: UUID, message_id: UUID, command: Rate) -> None:
        """Notes whether an agent's answer helped. Raises UnknownThread, UnknownMessage."""
        await self._own(work, thread_id)
        message = await self._messages.get(work, message_id)
        if message is None or message.thread_id != thread_id or message.author != "agent":
            raise UnknownMessage()
        feedback = ChatFeedback(message_id=message_id, score=command.score, note=command.note, at=work.now)
        await work.run(
            "insert into chat_feedback (message_id, score, note, at) values ($1, $2, $3, $4) on conflict (message_id) "
            "do update set score = excluded.score, note = excluded.note, at = excluded.at",
            *(feedback.message_id, feedback.score, feedback.note, feedback.at),
        )

    async def close(self, work: Work, thread_id: UUID) -> None:
        """Ends a conversation."""
        await self._own(work, thread_id)
        await work.run("update chat_threads set status = 'closed', updated_at = $2 where id = $1", thread_id, work.now)

    async def _own(self, work: Work, thread_id: UUID) -> ChatThread:
        """The caller's own thread: nobody else's, not even for staff."""
        work.principal.require(TALK)
        thread = await self._threads.get(work, thread_id)
        if thread is None or thread.subject != work.principal.subject:
            raise UnknownThread()
        return thread


def role_of(principal: Principal) -> str:
    """The strongest role of a caller: it decides which tools a conversation offers."""
    return next((role for role in ROLES if role in principal.roles), "guest")


def _thread(row: ChatThread) -> ThreadView:
    return ThreadView(id=row.id, status=row.status, role=row.role, created_at=row.created_at)


def _message(row: ChatMessage) -> MessageView:
    return MessageView(
        id=row.id,
        author=row.author,
        agent=row.agent,
        text=row.text,
        notice=row.notice,
        options=row.options,
        created_at=row.created_at,
    )
