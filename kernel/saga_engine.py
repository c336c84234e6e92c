"""The engine: starts sagas in their caller's transaction, drives them, takes over those whose driver died."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel

from kernel import fault, saga_store, telemetry
from kernel.auth import SYSTEM
from kernel.db import Database, Work
from kernel.ids import new_id
from kernel.orchestration_events import SagaStuck
from kernel.saga import ATTEMPTS_MOST, Call, Definition, External, Fail, Retry, Saga, Step, Wait, back_off
from kernel.saga_store import Fenced, StepRow
from kernel.tables import Json

S = TypeVar("S", bound=BaseModel)
log = telemetry.log("saga")


@dataclass(frozen=True, slots=True)
class Pending:
    """An intent that is committed (or about to be): the call to make outside any transaction."""

    step: External[Any]
    phase: str
    key: str
    request: Json

    @property
    def call(self) -> Call[Any]:
        call = self.step.do if self.phase == "do" else self.step.undo
        assert call is not None
        return call

    def point(self, kind: str, place: str) -> None:
        fault.point(f"{kind}.{self.step.name}.{self.phase}.{place}")


@dataclass(slots=True)
class Run:
    """A saga in the hands of this process: what to call next, and which steps the last transaction recorded."""

    saga: Saga[Any]
    pending: Pending | None
    recorded: list[StepRow]


class Engine:
    """One per process. `owner` is the lease holder; `lease` seconds, renewed while a call is out."""

    def __init__(self, database: Database, definitions: list[Definition[Any]], lease: float = 30.0) -> None:
        self.database = database
        self.lease = lease
        self.owner = new_id()
        self.definitions = {(d.kind, d.version): d for d in definitions}
        self.newest = {d.kind: d for d in sorted(definitions, key=lambda d: d.version)}

    def add(self, definition: Definition[Any]) -> None:
        """A kind of saga whose steps need services that start sagas themselves: it joins when those are there."""
        self.definitions[definition.kind, definition.version] = definition
        self.newest[definition.kind] = definition

    # --- start and drive ---

    async def start(self, work: Work, kind: str, subject_id: UUID, state: BaseModel, deadline: timedelta) -> Run:
        """Begins a saga inside the caller's transaction, up to its first call. `drive` it after the commit, or let
        any worker find it when the lease has passed."""
        definition = self.newest[kind]
        saga = Saga(new_id(), kind, subject_id, state, definition.version, trace=telemetry.trace_id.get())
        saga.deadline_at = work.now + deadline
        run = Run(saga, None, [])
        await self._move(work, run)
        self._points(run, "before_commit")
        await saga_store.insert(work, saga, run.recorded, self.owner, self.lease)
        return run

    async def drive(self, run: Run) -> str:
        """Goes on until the saga ends or waits; returns its status. A fenced run stops: another worker has it."""
        self._points(run, "after_commit")
        try:
            while run.pending:
                await self._settle(run, await self._call(run))
            return run.saga.status
        except Retry as unknown:
            await self._postpone(run, str(unknown) or "unknown")
        except Fenced:
            log.info("saga_fenced", saga=str(run.saga.id))
        except Exception as error:  # the edge of one saga: it must not take its neighbours, or its request, down
            log.error("saga_step_failed", saga=str(run.saga.id), kind=run.saga.kind, exc_info=True)
            await self._postpone(run, type(error).__name__)
        return "running"

    async def run_due(self, limit: int = 20) -> int:
        """Claims due sagas and drives them side by side; returns how many."""
        kinds = list(self.newest)
        async with self.database.work(SYSTEM) as work:
            rows = await saga_store.claim(work, self.owner, self.lease, limit, kinds)
        async with asyncio.TaskGroup() as group:
            for row in rows:
                group.create_task(self._resume(row))
        return len(rows)

    # --- one claimed saga ---

    async def _resume(self, row: Any) -> None:
        definition = self.definitions[row["kind"], row["definition"]]
        saga: Saga[Any] = Saga(
            *(row["id"], row["kind"], row["subject_id"], definition.state.model_validate(row["data"])),
            *(row["definition"], row["status"], row["step"], row["version"], row["attempts"], row["error"]),
            *(row["deadline_at"], row["trace"]),
        )
        telemetry.continue_trace(saga.trace)
        run = Run(saga, None, [])
        try:
            async with self.database.work(SYSTEM) as work:
                steps = await saga_store.steps_of(work, saga.id)
                saga.done = {s["name"] for s in steps if s["phase"] == "do" and s["status"] == "done"}
                run.pending = self._open_intent(definition, saga, steps)
                if run.pending is None:
                    await self._move(work, run)
                    self._points(run, "before_commit")
                    await saga_store.progress(work, saga, run.recorded, self.owner, self._due(saga))
        except Fenced:
            log.info("saga_fenced", saga=str(saga.id))
            return
        except Exception as error:  # the edge of one saga: it must not take its neighbours down
            log.error("saga_step_failed", saga=str(saga.id), kind=saga.kind, exc_info=True)
            await self._postpone(run, type(error).__name__)
            return
        await self.drive(run)

    def _open_intent(self, definition: Definition[Any], saga: Saga[Any], steps: list[Any]) -> Pending | None:
        """The intent whose result nobody recorded, or a waiting call that must be asked again."""
        if saga.step < 0 or saga.step >= len(definition.steps):
            return None
        step, phase = definition.steps[saga.step], "undo" if saga.status == "compensating" else "do"
        row = next((s for s in steps if s["name"] == step.name and s["phase"] == phase), None)
        if not isinstance(step, External) or row is None or row["status"] != "intent":
            return None
        saga.status = "compensating" if phase == "undo" else "running"
        return Pending(step, phase, row["key"], row["request"])

    async def _call(self, run: Run) -> Json:
        """The outside call, heartbeat included; raises Retry when the outcome is unknown."""
        pending, saga = run.pending, run.saga
        assert pending is not None
        pending.point(saga.kind, "after_intent")
        beat = asyncio.create_task(self._heartbeat(saga))
        try:
            with telemetry.span(f"saga.{saga.kind}.{pending.step.name}"):
                result = await pending.call.send(pending.key, pending.request)
        finally:
            beat.cancel()
        pending.point(saga.kind, "after_effect")
        return result

    async def _heartbeat(self, saga: Saga[Any]) -> None:
        while True:
            await asyncio.sleep(self.lease / 3)
            async with self.database.work(SYSTEM) as work:
                if not await saga_store.renew(work, saga, self.owner, self.lease):
                    return

    async def _settle(self, run: Run, result: Json) -> None:
        """One transaction: record the result, run the local steps that follow, commit the next intent."""
        saga, pending = run.saga, run.pending
        assert pending is not None
        run.pending, run.recorded = None, []
        async with self.database.work(SYSTEM) as work:
            answer = await pending.call.settle(work, saga, result)
            run.recorded.append(
                (pending.step.name, pending.phase, _status(answer), pending.key, pending.request, result)
            )
            saga.attempts = 0
            self._take(saga, pending.step, pending.phase, answer)
            if saga.status != "waiting":
                await self._move(work, run)
            self._points(run, "before_commit")
            await saga_store.progress(work, saga, run.recorded, self.owner, self._due(saga))
        self._points(run, "after_commit")

    async def _postpone(self, run: Run, cause: str) -> None:
        """Schedules the same step again, later each time; after ATTEMPTS_MOST a person is called.

        Only the attempt is written: what a failed transaction changed in memory is not the truth."""
        saga = run.saga
        attempts = saga.attempts + 1
        stuck = attempts >= ATTEMPTS_MOST
        async with self.database.work(SYSTEM) as work:
            if not await saga_store.postpone(work, saga, self.owner, attempts, back_off(attempts), cause, stuck):
                log.info("saga_fenced", saga=str(saga.id))
            elif stuck:
                telemetry.SAGAS.labels(saga.kind, "stuck").inc()
                work.emit(SagaStuck(saga_id=saga.id, kind=saga.kind, subject_id=saga.subject_id, cause=cause))

    # --- inside a transaction ---

    async def _move(self, work: Work, run: Run) -> None:
        """Forward or back through local steps, to the next intent, a wait, or the end."""
        saga = run.saga
        definition = self.definitions[saga.kind, saga.definition]
        if saga.status == "waiting":
            saga.status = "running"
        saga.wait_seconds = None
        while saga.status == "running" and saga.step < len(definition.steps):
            if saga.step >= definition.pivot:
                await work.become_system()
            if await self._forward(work, run, definition.steps[saga.step]):
                return
        if saga.status == "compensating":
            await work.become_system()
        while saga.status == "compensating" and saga.step >= 0:
            if await self._back(work, run, definition.steps[saga.step]):
                return
        if saga.status in ("running", "compensating"):
            await self._end(work, saga, definition)

    async def _forward(self, work: Work, run: Run, step: Step[Any]) -> bool:
        """One step ahead; True when the transaction must end here."""
        saga = run.saga
        if isinstance(step, External):
            run.pending = await self._intent(work, run, step, "do")
            if run.pending:
                return True
            saga.step += 1
            return False
        answer = await step.do(work, saga)
        run.recorded.append((step.name, "do", _status(answer), "", None, None))
        self._take(saga, step, "do", answer)
        return saga.status == "waiting"

    async def _back(self, work: Work, run: Run, step: Step[Any]) -> bool:
        saga = run.saga
        if step.undo is None or step.name not in saga.done:
            saga.step -= 1
            return False
        if isinstance(step, External):
            run.pending = await self._intent(work, run, step, "undo")
            if run.pending:
                return True
        else:
            await step.undo(work, saga)
            run.recorded.append((step.name, "undo", "done", "", None, None))
        saga.step -= 1
        return False

    async def _intent(self, work: Work, run: Run, step: External[Any], phase: str) -> Pending | None:
        saga = run.saga
        call = step.do if phase == "do" else step.undo
        assert call is not None
        fault.point(f"{saga.kind}.{step.name}.{phase}.before_intent")
        request = await call.request(work, saga)
        key = f"{saga.id.hex}.{step.name}.{phase}"
        run.recorded.append((step.name, phase, "skipped" if request is None else "intent", key, request, None))
        return None if request is None else Pending(step, phase, key, request)

    def _take(self, saga: Saga[Any], step: Step[Any], phase: str, answer: Wait | Fail | None) -> None:
        """The answer of a step becomes the saga's next position."""
        if isinstance(answer, Wait):
            saga.status, saga.wait_seconds = "waiting", answer.seconds
        elif phase == "undo":
            if isinstance(answer, Fail):
                raise RuntimeError(f"{saga.kind}.{step.name}: undo was refused ({answer.code})")
            saga.step -= 1
        elif isinstance(answer, Fail):
            if saga.step > self.definitions[saga.kind, saga.definition].pivot:
                raise RuntimeError(f"{saga.kind}.{step.name}: {answer.code} after the pivot")
            saga.error, saga.status = answer.code, "compensating"
            saga.step -= 1
        else:
            saga.done.add(step.name)
            saga.step += 1

    async def _end(self, work: Work, saga: Saga[Any], definition: Definition[Any]) -> None:
        saga.status = "completed" if saga.status == "running" else "compensated"
        telemetry.SAGAS.labels(saga.kind, saga.status).inc()
        if definition.on_end:
            await definition.on_end(work, saga)

    def _due(self, saga: Saga[Any]) -> float:
        return saga.wait_seconds if saga.wait_seconds is not None else self.lease

    @staticmethod
    def _points(run: Run, place: str) -> None:
        for name, phase, status, *_ in run.recorded:
            if status in ("done", "failed") or (status == "intent" and run.saga.status == "waiting"):
                fault.point(f"{run.saga.kind}.{name}.{phase}.{place}")


def _status(answer: Wait | Fail | None) -> str:
    """How a step's row records what it answered."""
    return "done" if answer is None else "intent" if isinstance(answer, Wait) else "failed"
