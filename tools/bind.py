"""The one place where a model's tool call becomes an effect.

In this order: token > known and allowed > arguments > switch and budget > permission of the agent and of the person > once per
run and call > one transaction, in which the service demands consent for a write and a policy weighs a proposal > record >
errors mapped to advice. Every attempt to write stands in the audit log, whatever came of it.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python

from commerce.app import Commerce
from commerce.approval import Draft, Proposed
from commerce.chat.schemas import Ask, ConfirmationView
from commerce.identity import audit
from commerce.identity.errors import BadAgentToken, BadToken
from commerce.orchestration import Limits
from commerce.orchestration.schemas import ModelTurn, ToolRecord
from kernel import fault, telemetry
from kernel.auth import ANONYMOUS, SYSTEM, Principal
from kernel.consent import ConfirmationRequired
from kernel.db import Work
from kernel.errors import AgoraError, Forbidden, Kind
from kernel.saga_engine import Run
from kernel.schemas import Command
from tools.advice import advice, opaque
from tools.redact import redacted
from tools.spec import PUBLIC, Answer, Call, Effect, Tool, grants

log = telemetry.log("tools")
Drive = Callable[[Run], Awaitable[None]]
ILLEGIBLE = {"error": "invalid_arguments", "advice": "ask", "message": "Some of this cannot be read as text or number."}


@dataclass(frozen=True, slots=True)
class Errand:
    """What a run is to do: by which agent, with which tools, and for whom: that only the `token` says (ADR 0017)."""

    run_id: UUID
    token: str
    agent: str
    tools: tuple[Tool, ...]
    limits: Limits
    thread_id: UUID | None = None
    tainted: bool = False
    """Whether a model acts that has read more than the person's own words: it may obey somebody else."""
    unkept: list[ModelTurn] = field(default_factory=list)
    """Turns of the model that led here and are not in the journal yet: the next call takes them there."""

    acting: Principal = ANONYMOUS
    """The person through the agent, as read from the token at each call: what stood here before counts for nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a model is told of its call; `confirmation` when a person has to answer first."""

    record: ToolRecord
    confirmation: ConfirmationView | None = None

    @property
    def content(self) -> dict[str, Any]:
        return self.record.result


class Binder:
    """One per process. `drive` runs a saga on for a moment after its transaction, as the API does."""

    def __init__(self, commerce: Commerce, drive: Drive) -> None:
        self._commerce = commerce
        self._drive = drive

    def errand(
        self,
        run_id: UUID,
        person: Principal,
        agent: str,
        tools: tuple[Tool, ...],
        limits: Limits,
        thread_id: UUID | None = None,
        unkept: list[ModelTurn] | None = None,
    ) -> Errand:
        """An agent's part of a run, with a token for it: the ORIGINAL person, and no right that either of them lacks."""
        identity, now = self._commerce.identity, self._commerce.database.clock()
        token = identity.agent_token(person, agent, grants(tools), now, thread_id)
        return Errand(run_id, token, agent, tools, limits, thread_id, unkept=[] if unkept is None else unkept)

    async def call(self, errand: Errand, name: str, call_id: str, given: dict[str, Any]) -> Outcome:
        """Makes one call, once per run and `call_id`; never raises for what a caller may do wrong."""
        began, identity, legible = time.perf_counter(), self._commerce.identity, _legible(given)
        try:
            errand = replace(
                errand, acting=identity.acting(errand.token, errand.agent, self._commerce.database.clock())
            )
        except BadToken:
            nobody = replace(errand, acting=SYSTEM.acting(errand.agent, frozenset()))
            return await self._refuse(nobody, name, call_id, given if legible else {}, BadAgentToken())
        tool = next((tool for tool in errand.tools if tool.name == name), None)
        if tool is None:
            return await self._refuse(errand, name, call_id, given if legible else {}, UnknownTool(permission=name))
        if not legible:
            return await self._note(errand, tool, call_id, {}, "failed", "invalid_arguments", ILLEGIBLE)
        try:
            args = tool.command.model_validate(given)
        except ValidationError as bad:
            return await self._note(errand, tool, call_id, given, "failed", "invalid_arguments", _fields(bad))
        try:
            with telemetry.span(f"tool.{name}", agent=errand.agent):
                record, sagas = await self._effect(errand, tool, call_id, args, began)
        except ConfirmationRequired as required:
            return await self._ask(errand, tool, call_id, args, required)
        except AgoraError as error:
            status = "refused" if error.kind is Kind.FORBIDDEN else "failed"
            return await self._note(errand, tool, call_id, args, status, error.code, advice(error))
        except Exception as error:  # the edge of one call: a model is told nothing of what broke
            log.error("tool_failed", tool=name, agent=errand.agent, exc_info=True)
            return await self._note(errand, tool, call_id, args, "failed", "internal_error", opaque(error))
        return Outcome(await self._follow(errand, record, sagas))

    # --- the effect ---

    async def _effect(
        self, errand: Errand, tool: Tool, call_id: str, args: Command, began: float
    ) -> tuple[ToolRecord, list[tuple[Run, Callable[[Any], Awaitable[Answer]]]]]:
        """One transaction: gate, permission, the call itself, its record. A repetition gets the record that is there."""
        who, runs = errand.acting, self._commerce.runs
        looked = await tool.look(self._commerce, args) if tool.look else None
        async with self._commerce.database.work(who, durable=tool.effect is not Effect.READ) as work:
            if found := await runs.admit(work, errand.run_id, call_id, errand.agent, errand.limits, errand.unkept):
                return found, []
            if tool.permission != PUBLIC:
                who.require(tool.permission)
            call = Call(self._commerce, work, who, errand.thread_id, looked)
            answer = await tool.run(call, args)
            if tool.effect is Effect.PROPOSE:
                answer = await self._propose(work, errand, answer)
            work.principal = who  # a saga past its pivot acts as the system; the call stays this person's
            record = _record(errand, tool, call_id, args, "done", None, rendered(answer), began)
            if not await runs.tool_call(work, errand.run_id, record):
                raise Repeated()
            if tool.effect is not Effect.READ:
                audit.append(work, f"tool.{tool.name}", f"run:{errand.run_id}", arguments=record.arguments)
            fault.point("chat.tool.before_commit")
        errand.unkept.clear()
        fault.point("chat.tool.after_commit")
        return record, call.sagas

    async def _propose(self, work: Work, errand: Errand, draft: Answer) -> Proposed:
        """What a propose tool drafted goes to its policy in the same transaction: the tool itself changes nothing."""
        if not isinstance(draft, Draft):
            raise TypeError("a propose tool returns a draft")
        return await self._commerce.approval.propose(work, draft, errand.run_id, errand.tainted)

    async def _follow(
        self, errand: Errand, record: ToolRecord, sagas: list[tuple[Run, Callable[[Any], Awaitable[Answer]]]]
    ) -> ToolRecord:
        """Drives what the call began, and shows how far it came."""
        for run, show in sagas:
            await self._drive(run)
            async with self._commerce.database.work(errand.acting) as work:
                result = rendered(await show(work))
                await self._commerce.runs.better_result(work, errand.run_id, record.call_id, result)
            record = record.model_copy(update={"result": result})
        return record

    # --- what is told instead ---

    async def _ask(
        self, errand: Errand, tool: Tool, call_id: str, args: Command, required: ConfirmationRequired
    ) -> Outcome:
        """Nothing was changed: the person is asked. Where there is nobody to ask, the call is refused."""
        if errand.thread_id is None:
            result = {"error": required.code, "advice": "stop", "message": "A person has to decide this."}
            return await self._note(errand, tool, call_id, args, "refused", required.code, result)
        given = args.model_dump(mode="json")
        ask = Ask(errand.agent, tool.name, given, required.action, required.summary, required.digest)
        result = {"asked": required.summary}
        async with self._commerce.database.work(errand.acting) as work:
            if found := await self._commerce.runs.found(work, errand.run_id, call_id):
                return Outcome(found)  # the same call, already made by somebody faster
            confirmation = await self._commerce.chat.confirmations.ask(work, errand.thread_id, ask)
            record = _record(errand, tool, call_id, args, "confirmation", required.code, result)
            await self._keep(work, errand, record)
            audit.append(work, "tool.asked", f"run:{errand.run_id}", tool=tool.name, code=required.action)
        errand.unkept.clear()
        return Outcome(record, confirmation)

    async def _refuse(
        self, errand: Errand, name: str, call_id: str, given: dict[str, Any], error: AgoraError
    ) -> Outcome:
        """A tool the agent does not have, or an agent without a right to act: noted for all to see, and nothing done."""
        record = ToolRecord(
            call_id=call_id,
            agent=errand.agent,
            tool=name.encode(errors="replace").decode().replace("\0", "")[:80],
            effect="read",
            arguments={"fields": sorted(given)[:20]},
            status="refused",
            code=error.code,
            result=advice(error),
        )
        async with self._commerce.database.work(errand.acting) as work:
            await self._keep(work, errand, record)
            audit.append(work, "tool.refused", f"run:{errand.run_id}", tool=record.tool, code=error.code)
        errand.unkept.clear()
        return Outcome(record)

    async def _note(
        self,
        errand: Errand,
        tool: Tool,
        call_id: str,
        args: Command | dict[str, Any],
        status: str,
        code: str,
        result: dict[str, Any],
    ) -> Outcome:
        record = _record(errand, tool, call_id, args, status, code, result)
        async with self._commerce.database.work(errand.acting) as work:
            if found := await self._commerce.runs.found(work, errand.run_id, call_id):
                return Outcome(found)  # the same call, already made by somebody faster
            await self._keep(work, errand, record)
            if status == "refused" or tool.effect is not Effect.READ:
                audit.append(work, f"tool.{status}", f"run:{errand.run_id}", tool=tool.name, code=code)
        errand.unkept.clear()
        return Outcome(record)

    async def _keep(self, work: Work, errand: Errand, record: ToolRecord) -> None:
        """A call that had no effect, and the model's turns that led to it."""
        await self._commerce.runs.keep(work, errand.run_id, errand.unkept)
        await self._commerce.runs.tool_call(work, errand.run_id, record)


class UnknownTool(Forbidden):
    code = "tool_not_allowed"
    message = "There is no such tool here."


class Repeated(AgoraError):
    """The same call ran at the same time and was first: this one is undone, and that one's record is the answer."""

    kind = Kind.CONFLICT
    code = "call_repeated"
    message = "This was just done."


def rendered(answer: Answer) -> dict[str, Any]:
    """A view as JSON; a list becomes `{"items": [...]}`."""
    if isinstance(answer, BaseModel):
        plain: dict[str, Any] = answer.model_dump(mode="json", exclude_none=True)
        return plain
    return {"items": to_jsonable_python(answer, exclude_none=True)}


def _record(
    errand: Errand,
    tool: Tool,
    call_id: str,
    args: Command | dict[str, Any],
    status: str,
    code: str | None,
    result: dict[str, Any],
    began: float | None = None,
) -> ToolRecord:
    latency = int((time.perf_counter() - began) * 1000) if began else 0
    return ToolRecord.model_validate(
        {
            "call_id": call_id,
            "agent": errand.agent,
            "tool": tool.name,
            "effect": tool.effect.value,
            "arguments": redacted(tool.command, args),
            "status": status,
            "code": code,
            "result": result,
            "latency_ms": latency,
        }
    )


def _legible(given: dict[str, Any]) -> bool:
    """Whether Postgres could keep these arguments: it takes no NUL, no half of a character, no number beyond 64 bits."""
    try:
        return b"\\u0000" not in orjson.dumps(given)
    except orjson.JSONEncodeError:
        return False


def _fields(bad: ValidationError) -> dict[str, Any]:
    problems = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in bad.errors()[:8]]
    return {"error": "invalid_arguments", "advice": "ask", "message": "; ".join(problems)}
