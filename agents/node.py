"""The one generic node: a spec becomes a loop of model turns and tool calls, within hard limits.

A model's turn is kept in the transaction of the call it asked for, and that call with its effect: a turn that is resumed
after a crash hears the answers that were acted on, and makes each call once.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    message_to_dict,
    messages_from_dict,
)

from agents.models import Models
from agents.roster import wishes
from agents.rules import MODEL as RULE
from agents.rules import follow
from agents.spec import AgentSpec
from agents.turn import Turn
from commerce.app import Commerce
from commerce.chat.schemas import Accepted, HandoffView
from commerce.orchestration.schemas import ModelTurn, ToolRecord
from kernel import fault, telemetry
from prompts.load import prompt
from tools.bind import Binder, Errand
from tools.spec import Effect

PERSON = "ask_for_person"
HAND_ON = "pass_on"
LIMIT_TEXT = "I could not finish this in the steps I may take. Please say it more simply, or ask for a person."
SLOW_TEXT = "This took too long, so I stopped. Nothing was left half done. Please try again, or ask for a person."
REMEMBERED, EARLIER = "remembered", "earlier"
NOT_SAID = frozenset({REMEMBERED, EARLIER})
"""Ids of messages that stand among the person's and are not their words: what we remember, and what was cut."""
log = telemetry.log("agents")

ASK_FOR_PERSON: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": PERSON,
        "description": "Brings in a person of the shop, with the conversation so far. Use it when the person wants "
        "one, or when no tool can help.",
        "parameters": {
            "type": "object",
            "properties": {"reason": {"type": "string", "maxLength": 200}},
            "required": ["reason"],
            "additionalProperties": False,
        },
    },
}


@dataclass(frozen=True, slots=True)
class Passed:
    """The conversation goes to another agent."""

    agent: str


class Node:
    """One agent at work. Made once per process and agent."""

    def __init__(
        self, spec: AgentSpec, commerce: Commerce, models: Models, binder: Binder, others: Mapping[str, AgentSpec]
    ) -> None:
        """`others` are all agents by name: its hand-offs are among them."""
        self.spec = spec
        self._neighbours = tuple(others[name] for name in sorted(spec.hand_offs))
        self._commerce = commerce
        self._models = models
        self._binder = binder
        self._prompt = prompt(spec.name, spec.purpose, spec.cannot)

    async def run(
        self, turn: Turn, talk: Sequence[BaseMessage], may_pass: bool
    ) -> tuple[list[BaseMessage], Passed | None]:
        """One agent's part of a turn: the messages it adds, and to whom it passes on, if it does."""
        added: list[BaseMessage] = []
        turn.agent, turn.prompt = self.spec.name, self._prompt.version
        try:
            with telemetry.span(f"agent.{self.spec.name}"):
                async with asyncio.timeout(max(turn.until - time.monotonic(), 0.01)):
                    return added, await self._loop(turn, talk, added, may_pass)
        except TimeoutError:
            turn.failed, turn.text = "time", SLOW_TEXT
            return [AIMessage(SLOW_TEXT)], None

    async def _loop(
        self, turn: Turn, talk: Sequence[BaseMessage], added: list[BaseMessage], may_pass: bool
    ) -> Passed | None:
        errand = self._errand(turn)
        if turn.accepted:
            added += await self._carry_out(turn, replace(errand, tainted=True), turn.accepted)
        neighbours = [spec for spec in self._neighbours if spec.serves(turn.principal)] if may_pass else []
        schemas = self._schemas(turn, errand, neighbours)
        among = sorted(wishes(turn.principal)) if turn.thread_id else []
        system = SystemMessage(self._prompt.render(turn.role), additional_kwargs={**self.spec.note, "among": among})
        while turn.model_calls < self.spec.limits.model_calls and turn.cost_micro <= self.spec.limits.cost_micro:
            read = [*remembered(turn.facts), *talk, *added]
            answer = await self._think(turn, [system, *read], schemas)
            errand = replace(errand, tainted=_tainted(turn, read))
            added.append(answer)
            if not answer.tool_calls:
                self._conclude(turn, answer)
                return None
            for call in answer.tool_calls:
                if turn.tool_calls >= self.spec.limits.tool_calls:
                    break
                turn.tool_calls += 1
                if call["name"] == HAND_ON and call["args"].get("agent") in {spec.name for spec in neighbours}:
                    del added[-1]  # who takes over reads the person's words, not this call
                    return Passed(call["args"]["agent"])
                added.append(await self._act(turn, errand, call))
                if turn.handoff:
                    self._say(turn, added, _brought_in(turn.handoff))
                    return None
            if turn.confirmation:
                self._say(turn, added, turn.confirmation.summary)
                return None
        turn.failed = "limit"
        self._say(turn, added, LIMIT_TEXT)
        return None

    def _errand(self, turn: Turn) -> Errand:
        tools = self.spec.tools
        if turn.trigger == "query":  # a question never changes anything
            tools = tuple(tool for tool in tools if tool.effect is Effect.READ)
        return self._binder.errand(
            turn.run_id, turn.principal, self.spec.name, tools, self.spec.limits, turn.thread_id, turn.unkept
        )

    def _schemas(self, turn: Turn, errand: Errand, neighbours: Sequence[AgentSpec]) -> list[dict[str, Any]]:
        found = [tool.schema for tool in self.spec.offered(turn.principal) if tool in errand.tools]
        if turn.thread_id:
            found.append(ASK_FOR_PERSON)
            if neighbours:
                found.append(_pass_on(neighbours))
        return found

    async def _think(self, turn: Turn, messages: list[BaseMessage], schemas: list[dict[str, Any]]) -> AIMessage:
        """The model's next turn: the one a former attempt kept, or a new one, kept with what comes of it."""
        number = turn.model_calls
        turn.model_calls += 1
        if number < len(turn.past):
            past = turn.past[number]
            turn.model = past.model
            (message,) = messages_from_dict([past.answer])
            assert isinstance(message, AIMessage)
            return message

        async def on_text(text: str) -> None:
            await turn.hear("token", {"text": text})

        reply = await self._models.answer(self.spec.tier, messages, schemas, on_text, turn.notice, self._rule(turn))
        turn.model, turn.notice = reply.model, reply.notice or turn.notice
        turn.cost_micro += reply.cost_micro
        kept = ModelTurn(
            number=number,
            agent=self.spec.name,
            model=reply.model,
            answer=message_to_dict(reply.message),
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            cost_micro=reply.cost_micro,
            latency_ms=reply.latency_ms,
        )
        turn.unkept.append(kept)
        fault.point("chat.model.before_kept")
        return reply.message

    def _rule(self, turn: Turn) -> Callable[[Sequence[BaseMessage]], AIMessage] | None:
        """What answers about an event where no language model does."""
        if turn.event is None or turn.event["event"] not in self.spec.rules:
            return None
        return partial(follow, self.spec.rules[turn.event["event"]], turn.event)

    async def _act(self, turn: Turn, errand: Errand, call: Any) -> ToolMessage:
        name, call_id = call["name"], f"{turn.model_calls}.{call['id']}"[:120]
        if name == PERSON and turn.thread_id:
            return await self._bring_in(turn, call, call_id)
        outcome = await self._binder.call(errand, name, call_id, call["args"])
        turn.confirmation = outcome.confirmation or turn.confirmation
        await turn.hear("action", {"agent": self.spec.name, "tool": name, "status": outcome.record.status})
        return _told(outcome.content, call["id"], name)

    async def _bring_in(self, turn: Turn, call: Any, call_id: str) -> ToolMessage:
        """A person takes over: the wish of whoever talks, so it needs no yes of theirs."""
        assert turn.thread_id
        reason = str(call["args"].get("reason") or "asked for a person")[:200]
        async with self._commerce.database.work(turn.principal) as work:
            turn.handoff = await self._commerce.chat.hand_over(work, turn.thread_id, reason)
            result = turn.handoff.model_dump(mode="json")
            record = ToolRecord(
                call_id=call_id,
                agent=self.spec.name,
                tool=PERSON,
                effect="write",
                arguments={},
                status="done",
                result=result,
            )
            await self._commerce.runs.keep(work, turn.run_id, turn.unkept)
            if await self._commerce.runs.found(work, turn.run_id, call_id) is None:
                await self._commerce.runs.tool_call(work, turn.run_id, record)
        turn.unkept.clear()
        return _told(result, call["id"], PERSON)

    async def _carry_out(self, turn: Turn, errand: Errand, accepted: Accepted) -> list[BaseMessage]:
        """Makes the call that the person has just said yes to."""
        call_id = accepted.id.hex
        outcome = await self._binder.call(errand, accepted.tool, call_id, accepted.arguments)
        turn.confirmation = outcome.confirmation
        turn.tool_calls += 1
        asked = {"name": accepted.tool, "args": accepted.arguments, "id": call_id, "type": "tool_call"}
        return [AIMessage("", tool_calls=[asked]), _told(outcome.content, call_id, accepted.tool)]

    def _conclude(self, turn: Turn, answer: AIMessage) -> None:
        turn.text = answer.text
        turn.options = list(answer.additional_kwargs.get("options", []))[:5]
        turn.blocked = answer.additional_kwargs.get("blocked")

    @staticmethod
    def _say(turn: Turn, added: list[BaseMessage], text: str) -> None:
        """Words that code chose: nothing a model could change."""
        added.append(AIMessage(text))
        turn.text = text


def _tainted(turn: Turn, read: Sequence[BaseMessage]) -> bool:
    """Whether what a model just decided may be the wish of somebody else: it had read results of tools, a record or
    remembered facts, or there is no person whose words it could have read. A rule of the house obeys nobody."""
    others = any(isinstance(message, ToolMessage) or message.id in NOT_SAID for message in read)
    return turn.model != RULE and (turn.thread_id is None or others)


def remembered(facts: Sequence[str]) -> list[HumanMessage]:
    """What somebody told us before, as data: JSON between marks that no fact can close."""
    if not facts:
        return []
    listed = json.dumps(facts, ensure_ascii=False).replace("<", "\\u003c")
    return [HumanMessage(f"<remembered>{listed}</remembered>", id=REMEMBERED)]


def _told(result: dict[str, Any], call_id: str, name: str) -> ToolMessage:
    return ToolMessage(json.dumps(result, ensure_ascii=False), tool_call_id=call_id, name=name)


def _brought_in(handoff: HandoffView) -> str:
    return (
        f"I have brought in a colleague: your ticket is {handoff.number}, with this conversation in it. "
        "The answer comes here, to that ticket, and by e-mail where we have your address."
    )


def _pass_on(agents: Sequence[AgentSpec]) -> dict[str, Any]:
    """The tool that ends this agent's part: to one of these, with nothing but the conversation."""
    listed = "\n".join(f"- {spec.name}: {spec.purpose}" for spec in agents)
    return {
        "type": "function",
        "function": {
            "name": HAND_ON,
            "description": "Passes this conversation on to the agent that has the tools for what the person wants:\n"
            + listed,
            "parameters": {
                "type": "object",
                "properties": {"agent": {"enum": [spec.name for spec in agents]}},
                "required": ["agent"],
                "additionalProperties": False,
            },
        },
    }
