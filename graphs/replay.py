"""Runs a run again: today's router, agents and tools' schemas on what the model and the tools said then.

Nothing is called and nothing is written: a tool's answer is the recorded one, and a step that is not in the record ends
the replay there. That step is the first difference.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from pydantic import ValidationError

from agents.models import Models, Reply
from agents.turn import Turn
from commerce.app import Commerce
from commerce.chat.schemas import Accepted, ConfirmationView
from commerce.orchestration.schemas import Recorded, ToolRecord
from graphs.supervisor import SORRY, Supervisor
from kernel.auth import SYSTEM, Principal
from kernel.saga_engine import Run
from kernel.settings import Settings
from tools.bind import Binder, Errand, Outcome
from tools.redact import redacted


class Differs(Exception):
    """The first step that is not as it was."""

    def __init__(self, step: str, then: object, now: object) -> None:
        super().__init__(step)
        self.step, self.then, self.now = step, str(then), str(now)


@dataclass(slots=True)
class Replay:
    """What came of it: the steps that were the same, notes, and the first that was not."""

    same: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    difference: Differs | None = None


class Tape(Binder):
    """Answers calls from the record; one that is not in it differs."""

    def __init__(self, commerce: Commerce, record: Recorded, replay: Replay) -> None:
        super().__init__(commerce, _still)
        self._calls = {call.call_id: call for call in record.calls}
        self._replay = replay

    async def call(self, errand: Errand, name: str, call_id: str, given: dict[str, Any]) -> Outcome:
        record = self._calls.get(call_id)
        step = f"call {len(self._replay.same) + 1}"
        now = f"{errand.agent}: {name}({_listed(_arguments(errand, name, given))})"
        if record is None:
            raise self._found(Differs(step, "no such call", now))
        then = f"{record.agent}: {record.tool}({_listed(record.arguments)})"
        if then != now:
            raise self._found(Differs(step, then, now))
        self._replay.same.append(f"{now} > {record.status}")
        return Outcome(record, _confirmation(record))

    def _found(self, difference: Differs) -> Differs:
        """Kept beside being raised: a graph answers every failure with an apology."""
        self._replay.difference = difference
        return difference


class Silent(Models):
    """Asked for more than was recorded."""

    def __init__(self, settings: Settings, record: Recorded, replay: Replay) -> None:
        super().__init__(settings)
        self._parts = record, replay

    async def answer(self, *_: Any, **__: Any) -> Reply:
        record, replay = self._parts
        replay.difference = Differs("model turns", len(record.models), "one more is wanted")
        raise replay.difference


async def again(
    commerce: Commerce, settings: Settings, saver: BaseCheckpointSaver[Any], run_id: UUID
) -> tuple[Recorded, Replay]:
    """Replays a run. `commerce` may stand on a database that refuses to write. Raises UnknownRun."""
    from agents.intents import intents  # loads embeddings: only where a run is routed

    async with commerce.database.work(SYSTEM) as work:
        record = await commerce.runs.recorded(work, run_id)
    replay = Replay()
    tape, models = Tape(commerce, record, replay), Silent(settings, record, replay)
    supervisor = Supervisor(commerce, models, _still, intents, None, tape)
    if record.thread_id:
        turn, answer = await _chat(commerce, supervisor, saver, record, replay)
    else:
        turn = Turn(run_id=record.id, principal=SYSTEM, role="system", trigger=record.trigger, past=record.models)
        turn.agent, answer = record.entry, record.answer
        await supervisor.errand(turn, record.entry, record.ask or "")
    replay.difference = replay.difference or _ending(record, turn, answer)
    if turn.prompt != record.prompt:
        replay.notes.append(f"the prompt is another one now: {record.prompt} > {turn.prompt}")
    return record, replay


async def _chat(
    commerce: Commerce, supervisor: Supervisor, saver: BaseCheckpointSaver[Any], record: Recorded, replay: Replay
) -> tuple[Turn, str | None]:
    assert record.thread_id
    async with commerce.database.work(SYSTEM) as work:
        spoken = await commerce.chat.spoken(work, record.thread_id, record.cause)
        given = await commerce.chat.confirmations.accepted(work, _yes(record) or record.cause)
    kept = await saver.aget_tuple({"configurable": {"thread_id": str(record.thread_id)}})
    talk: list[AnyMessage] = kept.checkpoint["channel_values"].get("messages", []) if kept else []
    place = next((i for i, message in enumerate(talk) if message.id == str(record.cause)), None)
    if place is None:
        replay.notes.append("what was said before is no longer kept: replayed without it")
    principal = _principal(commerce, record, spoken.role)
    turn = Turn(
        run_id=record.id,
        principal=principal,
        role=spoken.role,
        thread_id=record.thread_id,
        past=record.models,
        accepted=given,
    )
    if _declined(record, given):
        replay.notes.append("the person had said no: code answered, nothing to replay")
        turn.agent, turn.text, turn.prompt = record.agent, spoken.answer, record.prompt or ""
    else:
        before = talk[:place] if place else []
        try:
            await supervisor.resume(turn, [*before, HumanMessage(spoken.said)], record.before)
        except Differs as found:
            replay.difference = found
        except Exception:  # the edge of a turn, as it was then: the person got an apology
            turn.text = SORRY
    return turn, spoken.answer


def _declined(record: Recorded, given: Accepted | None) -> bool:
    return given is None and not record.models and not record.calls


def _yes(record: Recorded) -> UUID | None:
    """The confirmation a run carried out: its call bears that id, every other one a number and a dot."""
    first = record.calls[0].call_id if record.calls else "."
    return None if "." in first else UUID(hex=first)


def _ending(record: Recorded, turn: Turn, answer: str | None) -> Differs | None:
    """How the run ended, against how it had ended."""
    if turn.agent != record.agent:
        return Differs("agent", record.agent, turn.agent)
    if turn.model_calls < len(record.models):
        return Differs("model turns", len(record.models), turn.model_calls)
    if answer is not None and turn.text != answer:
        return Differs("answer", answer, turn.text)
    return None


def _principal(commerce: Commerce, record: Recorded, role: str) -> Principal:
    """The person of the run, with what their role may do today."""
    found = commerce.identity.guest(None) if role == "guest" else commerce.identity.as_role(role)
    kind, _, name = record.subject.partition(":")
    user = UUID(name) if kind == "user" else None
    return replace(found, customer_id=record.customer_id, user_id=user)


def _arguments(errand: Errand, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """As the record keeps them: checked, and without what is personal."""
    tool = next((tool for tool in errand.tools if tool.name == name), None)
    if tool is None:
        return {"fields": sorted(given)[:20]}
    try:
        return redacted(tool.command, tool.command.model_validate(given))
    except ValidationError:
        return redacted(tool.command, given)


def _listed(arguments: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in sorted(arguments.items()))


def _confirmation(record: ToolRecord) -> ConfirmationView | None:
    """The question that had been asked. Its id and end are no longer of use."""
    if record.status != "confirmation":
        return None
    summary = str(record.result.get("asked", ""))
    return ConfirmationView(id=UUID(int=0), summary=summary, digest="", expires_at=datetime.max.replace(tzinfo=UTC))


async def _still(_: Run) -> None:
    """No saga runs in a replay."""
