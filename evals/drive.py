"""Drives a case the way its people would: through the HTTP routes of chat, or a message to an agent; and notes it all."""

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from evals.case import Call, Case, Errand, Turn
from evals.endpoint import Line
from evals.ground import Changed, Ground

DONE = "Done."
"""What a scripted model says when it has made its calls."""
Json = dict[str, Any]

_CALLS = """
select c.agent, c.tool, c.arguments, c.status, c.code, c.effect, c.result, c.latency_ms, r.trigger
from agent_tool_calls c join agent_runs r on r.id = c.run_id where c.run_id = any($1) order by c.id
"""
_MODELS = """
select m.run_id, m.number, m.agent, m.model, m.answer, m.tokens_in, m.tokens_out, m.cost_micro, m.latency_ms, r.trigger
from agent_model_calls m join agent_runs r on r.id = m.run_id where m.run_id = any($1) order by m.run_id, m.number
"""


@dataclass(slots=True)
class Played:
    """What came of one turn: the HTTP answer, and what the journal has of it."""

    turn: Turn
    status: int
    answer: Json
    calls: list[Json] = field(default_factory=list)
    models: list[Json] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def text(self) -> str:
        return "\n".join(message["text"] for message in self.answer.get("messages", []))

    @property
    def shown(self) -> str:
        """Everything the person reads."""
        messages = self.answer.get("messages", [])
        parts = [part for message in messages for part in (message["notice"] or "", *message["options"])]
        asked = self.answer.get("pending_confirmation") or {}
        return "\n".join([self.text, *parts, asked.get("summary", ""), str(self.answer.get("detail", ""))])


@dataclass(slots=True)
class Outcome:
    """A whole case as it went. `told` is what models were sent."""

    case: Case
    turns: list[Played] = field(default_factory=list)
    difference: list[Changed] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def calls(self) -> list[Json]:
        return [call for turn in self.turns for call in turn.calls]

    @property
    def models(self) -> list[Json]:
        return [model for turn in self.turns for model in turn.models]


async def play(ground: Ground, case: Case, cassette: list[list[Line]] | None = None) -> Outcome:
    """Puts the world back and plays the case; `cassette` holds a model's lines per turn, else the case's own are used."""
    await ground.reset()
    ground.model.heard.clear()
    outcome, began = Outcome(case), time.perf_counter()
    if case.errand:
        _line_up(ground, case.errand, cassette[0] if cassette else None)
        outcome.turns.append(await _errand(ground, case.errand))
    else:
        await _chat(ground, case, outcome, cassette)
    outcome.seconds = time.perf_counter() - began
    await ground.settle()
    outcome.difference = await ground.difference()
    heard = [message for body in ground.model.heard for message in body["messages"]]
    outcome.told = [str(message) for message in heard if message["role"] != "assistant"]
    return outcome


async def _chat(ground: Ground, case: Case, outcome: Outcome, cassette: list[list[Line]] | None) -> None:
    headers = await ground.headers(case.who)
    begun = (await ground.http.post("/v1/chat/threads", json={}, headers=headers)).json()
    if begun.get("cart_token"):
        headers = {"X-Cart-Token": begun["cart_token"]}
    path, pending = f"/v1/chat/threads/{begun['id']}", None
    for number, turn in enumerate(case.turns):
        turn = turn.model_copy(update={"say": ground.world.filled(turn.say)})
        _line_up(ground, turn, cassette[number] if cassette else None)
        known = {run["id"] for run in await _runs(ground)}
        whose = await ground.headers(turn.who) if turn.who else headers
        clock = time.perf_counter()
        answer = await _deed(ground, path, turn, whose, pending)
        played = Played(turn, answer.status_code, answer.json() if answer.content else {})
        played.seconds = time.perf_counter() - clock
        await ground.settle()
        new = [run["id"] for run in await _runs(ground) if run["id"] not in known]
        await _journal(ground, played, new)
        outcome.turns.append(played)
        pending = played.answer.get("pending_confirmation") or pending


async def _deed(ground: Ground, path: str, turn: Turn, headers: dict[str, str], pending: Json | None) -> httpx.Response:
    if turn.post is not None:
        keyed = {**headers, "Idempotency-Key": uuid4().hex}
        return await ground.http.post(
            ground.world.filled(turn.post), json=ground.world.filled(turn.body), headers=keyed
        )
    if turn.say is not None:
        return await ground.http.post(f"{path}/messages", json={"text": turn.say}, headers=headers)
    body = {"confirmation_id": (pending or {"id": f"cnf_{'0' * 32}"})["id"], "accept": turn.confirm}
    return await ground.http.post(f"{path}/confirm", json=body, headers=headers)


async def _errand(ground: Ground, errand: Errand) -> Played:
    """Sends the message as staff, lets the outbox carry it, and fetches the answer."""
    headers, plural = await ground.headers("support"), {"command": "commands", "query": "queries"}[errand.kind]
    clock = time.perf_counter()
    agent = errand.agent
    known = {run["id"] for run in await _runs(ground)}
    sent = await ground.http.post(f"/v1/agents/{agent}/{plural}", json={"text": errand.text}, headers=headers)
    sent.raise_for_status()
    await ground.settle()
    answer = await ground.http.get(f"/v1/agents/errands/{sent.json()['id']}", headers=headers)
    found = answer.json()
    said: Json = {"text": found.get("text") or "", "notice": None, "options": []}
    turn = Turn(say=errand.text, calls=errand.calls, tells=errand.tells)
    played = Played(turn, answer.status_code, {"messages": [said], "status": found.get("status")})
    played.seconds = time.perf_counter() - clock
    await _journal(ground, played, [run["id"] for run in await _runs(ground) if run["id"] not in known])
    return played


async def _runs(ground: Ground) -> list[Any]:
    return list(await ground.sql.fetch("select id from agent_runs order by id"))


async def _journal(ground: Ground, played: Played, runs: list[Any]) -> None:
    played.calls = [_plain(row) for row in await ground.sql.fetch(_CALLS, runs)]
    played.models = [_plain(row) for row in await ground.sql.fetch(_MODELS, runs)]


def _plain(row: Any) -> Json:
    import json

    decoded = {name: json.loads(row[name]) for name in ("arguments", "result", "answer") if name in row}
    return {**{name: str(value) if name == "run_id" else value for name, value in row.items()}, **decoded}


def _line_up(ground: Ground, turn: Turn | Errand, lines: list[Line] | None) -> None:
    """What the local model will say in this turn."""
    if lines is None:
        answers = isinstance(turn, Turn) and turn.confirm is not None  # what was agreed to is called by code
        script = turn.script if turn.script is not None else [] if answers else list(turn.calls)
        lines = [line if isinstance(line, str) else _call(line) for line in script]
    ground.model.otherwise = DONE
    ground.model.says = ground.world.filled(lines)


def _call(call: Call) -> Json:
    return {"name": call.tool, "args": call.args}
