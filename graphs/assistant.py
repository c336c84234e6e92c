"""A turn of a chat from end to end: note what was said > run the graph > note the answer. A repetition finds it there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from agents.models import Models
from agents.turn import Hear, Turn, deaf
from commerce.app import Commerce
from commerce.chat import ChatAnswer
from commerce.chat.schemas import Accepted, ActionView, Said
from commerce.chat.service import role_of
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
        async with self._commerce.database.work(principal) as work:
            thread = await self._commerce.chat.hear(work, thread_id, turn_id, text)
            pending = await self._commerce.chat.confirmations.pending(work, thread_id)
            if thread.status == "handed_over":
                return await self._to_staff(work, thread_id, turn_id, text)
            said = decision(text) if pending else None
            accepted = None
            if pending and said is not None:
                accepted = await self._commerce.chat.confirmations.answer(work, thread_id, pending.id, said)
            turn, over = await self._begin(work, principal, thread_id, turn_id, accepted, hear)
        fault.point("chat.begin.after_commit")
        if not over:
            await self._run(turn, turn_id, text, said)
        return await self._answer(turn, thread_id, turn_id, over)

    async def confirm(
        self, principal: Principal, thread_id: UUID, confirmation_id: UUID, accept: bool, hear: Hear = deaf
    ) -> ChatAnswer:
        """Answers a question with yes or no; the same answer again changes nothing more.

        Raises UnknownThread, UnknownConfirmation, ConfirmationOver."""
        async with self._commerce.database.work(principal) as work:
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
        chat, runs = self._commerce.chat, self._commerce.runs
        fault.point("chat.answer.before_commit")
        async with self._commerce.database.work(turn.principal) as work:
            if not over:
                agent = turn.agent or ENTRY
                said = Said(turn.text or SORRY, agent, turn.notice, turn.options, turn.blocked)
                await chat.say(work, thread_id, turn_id, said)
                status = "failed" if turn.failed else "done"
                outcome = turn.failed or ("asked" if turn.confirmation else "answered")
                await runs.handed_on(work, turn.run_id, agent)
                await runs.end(work, turn.run_id, agent, status, outcome, turn.model, turn.prompt)
            actions = [
                ActionView(agent=call.agent, tool=call.tool, status=call.status, call_id=call.call_id)
                for call in await runs.calls(work, turn.run_id)
            ]
            return ChatAnswer(
                thread_id=thread_id,
                messages=await chat.answers(work, turn_id),
                actions=actions,
                pending_confirmation=await chat.confirmations.pending(work, thread_id),
                handoff=await chat.handoff(work, thread_id),
            )

    async def _to_staff(self, work: Work, thread_id: UUID, turn_id: UUID, text: str) -> ChatAnswer:
        """A person has this conversation: the message goes into their ticket."""
        chat = self._commerce.chat
        handoff = await chat.tell_staff(work, thread_id, text)
        await chat.say(work, thread_id, turn_id, Said(WITH_STAFF.format(number=handoff.number), "support"))
        return ChatAnswer(
            thread_id=thread_id,
            messages=await chat.answers(work, turn_id),
            actions=[],
            pending_confirmation=None,
            handoff=handoff,
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
