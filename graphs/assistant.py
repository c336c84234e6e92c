"""A turn of a chat from end to end: note what was said > run the graph > note the answer. A repetition finds it there."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

from agents.models import Models
from agents.turn import Hear, Turn, deaf
from commerce.app import Commerce
from commerce.chat import ChatAnswer
from commerce.chat.schemas import Accepted, ActionView, Answered, Said
from commerce.chat.service import role_of
from commerce.orchestration.runs import CallMade, Ending
from commerce.orchestration.schemas import NewRun
from commerce.recall.schemas import NoIndex
from graphs.routing import decision
from graphs.supervisor import SORRY, Supervisor
from kernel import fault
from kernel.auth import Principal
from kernel.db import Work
from kernel.ids import new_id
from kernel.settings import Settings
from memory.checkpoints import checkpoints
from tools.bind import Drive
from tools.recall import Library

ENTRY = "supervisor"
WITH_STAFF = "Your message is added to ticket {number}; a colleague will answer it here."
YES = "Yes, please."


class Assistant:
    """Answers messages of everybody who may talk."""

    def __init__(self, commerce: Commerce, supervisor: Supervisor) -> None:
        self._commerce = commerce
        self._supervisor = supervisor

    async def message(
        self, principal: Principal, thread_id: UUID, text: str, turn_id: UUID | None = None, hear: Hear = deaf
    ) -> ChatAnswer:
        """Answers one message. `turn_id` makes a repetition the same message. Raises what `ChatService.hear` refuses."""
        turn_id = turn_id or new_id()
        async with self._commerce.database.work(principal, durable=False) as work:  # the answer's commit waits for both
            heard = await self._commerce.chat.hear(work, thread_id, turn_id, text)
            pending = heard.pending
            said = decision(text) if pending else None
            accepted = None
            if pending and said is not None and not heard.handed_over:
                accepted = await self._commerce.chat.confirmations.answer(work, thread_id, pending.id, said)
            if not heard.handed_over:
                turn, over = await self._begin(work, principal, thread_id, turn_id, accepted, hear)
        fault.point("chat.begin.after_commit")
        if heard.handed_over:
            return await self._to_staff(principal, thread_id, turn_id, text)
        if not over:
            await self._run(turn, turn_id, text, said)
        return await self._answer(turn, thread_id, turn_id, over)

    async def confirm(
        self, principal: Principal, thread_id: UUID, confirmation_id: UUID, accept: bool, hear: Hear = deaf
    ) -> ChatAnswer:
        """Answers a question with yes or no; the same answer again changes nothing more.

        Raises UnknownThread, UnknownConfirmation, ConfirmationOver."""
        async with self._commerce.database.work(principal, durable=False) as work:
            await self._commerce.chat.thread(work, thread_id)
            accepted = await self._commerce.chat.confirmations.answer(work, thread_id, confirmation_id, accept)
            await self._commerce.chat.hear(work, thread_id, confirmation_id, YES if accept else "No.")
            turn, over = await self._begin(work, principal, thread_id, confirmation_id, accepted, hear)
        fault.point("chat.begin.after_commit")
        if not over:
            await self._run(turn, confirmation_id, YES, accept)
        return await self._answer(turn, thread_id, confirmation_id, over)

    async def _begin(
        self,
        work: Work,
        principal: Principal,
        thread_id: UUID,
        turn_id: UUID,
        accepted: Accepted | None,
        hear: Hear,
    ) -> tuple[Turn, bool]:
        run = NewRun(agent=ENTRY, trigger="chat", cause=turn_id, thread_id=thread_id)
        begun = await self._commerce.runs.begin(work, run)
        turn = Turn(
            run_id=begun.id,
            principal=principal,
            role=role_of(principal),
            thread_id=thread_id,
            facts=await self._commerce.chat.facts.told(work),
            past=begun.model_turns,
            accepted=accepted,
            hear=hear,
        )
        return turn, begun.over

    async def _run(self, turn: Turn, turn_id: UUID, text: str, said: bool | None) -> None:
        if said is False:
            await self._supervisor.declined(turn, turn_id)
        else:
            await self._supervisor.run(turn, turn_id, text)

    async def _answer(self, turn: Turn, thread_id: UUID, turn_id: UUID, over: bool) -> ChatAnswer:
        """The answer: noted with the last of the run, or read again when the turn was over before."""
        chat, runs = self._commerce.chat, self._commerce.runs
        fault.point("chat.answer.before_commit")
        async with self._commerce.database.work(turn.principal) as work:
            if over:
                answered = await chat.answered(work, thread_id, turn_id)
                calls = [CallMade(c.agent, c.tool, c.status, c.call_id) for c in await runs.calls(work, turn.run_id)]
            else:
                agent = turn.agent or ENTRY
                said = Said(turn.text or SORRY, agent, turn.notice, turn.options, turn.blocked)
                answered = await chat.say(work, thread_id, turn_id, said)
                calls = (await runs.end(work, turn.run_id, _ending(turn, agent))).calls
        return _whole(thread_id, answered, calls)

    async def _to_staff(self, principal: Principal, thread_id: UUID, turn_id: UUID, text: str) -> ChatAnswer:
        """A person has this conversation: the message goes into their ticket."""
        chat = self._commerce.chat
        async with self._commerce.database.work(principal) as work:
            handoff = await chat.tell_staff(work, thread_id, text)
            said = Said(WITH_STAFF.format(number=handoff.number), "support")
            answered = await chat.say(work, thread_id, turn_id, said)
        return _whole(thread_id, replace(answered, pending=None), [])


def _ending(turn: Turn, agent: str) -> Ending:
    status = "failed" if turn.failed else "done"
    outcome = turn.failed or ("asked" if turn.confirmation else "answered")
    return Ending(agent, status, outcome, turn.model, turn.prompt, turn.unkept)


def _whole(thread_id: UUID, answered: Answered, calls: Sequence[CallMade]) -> ChatAnswer:
    return ChatAnswer(
        thread_id=thread_id,
        messages=answered.messages,
        actions=[ActionView(agent=c.agent, tool=c.tool, status=c.status, call_id=c.call_id) for c in calls],
        pending_confirmation=answered.pending,
        handoff=answered.handoff,
    )


@asynccontextmanager
async def assistant(commerce: Commerce, settings: Settings, url: str, drive: Drive) -> AsyncIterator[Assistant]:
    """The assistant of this process, with its models and its memory."""
    from agents.intents import intents  # loads embeddings: only where somebody talks

    models = Models(settings)
    await asyncio.to_thread(models.load)
    library = Library(commerce, settings)
    commerce.recall.index = library
    following = asyncio.create_task(library.follow())
    try:
        async with checkpoints(url) as saver:
            yield Assistant(commerce, Supervisor(commerce, models, drive, intents, saver))
    finally:
        commerce.recall.index = NoIndex()
        following.cancel()
        await asyncio.wait({following})
        library.close()
