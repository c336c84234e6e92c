"""Agents at work without a conversation: commands, queries and events from the queue, each run once, whoever takes it."""

import asyncio
import json

from agents.models import Models
from agents.roster import AGENTS
from agents.rules import woken
from agents.turn import Turn
from commerce.app import Commerce
from commerce.orchestration.errands import ATTEMPTS_MOST
from commerce.orchestration.runs import Ending
from commerce.orchestration.schemas import Queued
from graphs.supervisor import Supervisor
from kernel import fault, telemetry
from kernel.auth import SYSTEM
from kernel.saga_engine import Run
from kernel.settings import Settings


class Automation:
    """One per process."""

    def __init__(self, commerce: Commerce, supervisor: Supervisor) -> None:
        self._commerce = commerce
        self._supervisor = supervisor

    async def carry_out(self, errands: list[Queued]) -> None:
        """Runs claimed errands side by side and answers each."""
        async with asyncio.TaskGroup() as group:
            for errand in errands:
                group.create_task(self._one(errand))

    async def _one(self, errand: Queued) -> None:
        telemetry.continue_trace(errand.trace)
        async with self._commerce.database.work(SYSTEM) as work:
            past = await self._commerce.runs.model_turns(work, errand.id)
        turn = Turn(run_id=errand.id, principal=SYSTEM, role="system", trigger=errand.trigger, past=past)
        turn.agent, ask = errand.agent, errand.ask
        if errand.trigger == "event":
            turn.event = json.loads(errand.ask)
            ask = woken(turn.event)
        if errand.agent not in AGENTS:
            turn.failed = "agent_unknown"
        elif errand.attempts > ATTEMPTS_MOST:
            turn.failed = "attempts"
        else:
            await self._supervisor.errand(turn, errand.agent, ask)
        status, outcome = ("failed", turn.failed) if turn.failed else ("done", "answered")
        fault.point("errand.answer.before_commit")
        async with self._commerce.database.work(SYSTEM) as work:
            ending = Ending(errand.agent, status, outcome, turn.model, turn.prompt, turn.unkept)
            if (await self._commerce.runs.end(work, errand.id, ending)).first:
                await self._commerce.errands.answer(work, errand, status, outcome, turn.text)
        fault.point("errand.answer.after_commit")


def automation(commerce: Commerce, settings: Settings) -> Automation:
    """The automation of this process, with its models."""
    from agents.intents import intents  # loads embeddings: only where there is work for an agent

    async def drive(run: Run) -> None:
        await commerce.checkout.drive(run)

    return Automation(commerce, Supervisor(commerce, Models(settings), drive, intents, None))
