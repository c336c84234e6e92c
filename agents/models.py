"""The model port: any OpenAI-compatible endpoint, and the offline planner beside it.

The endpoint is used when a key is set. It may be silent for `model_patience` seconds and has `model_timeout` to end its
answer, one more try where the first came to nothing, and a circuit breaker; whatever fails there, the planner answers and
says so. Only `answer` is called from outside.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.runnables import Runnable

from agents.rules import MODEL as RULE
from agents.spec import Tier
from kernel import telemetry
from kernel.settings import Settings

NOTICE = "Our language model cannot be reached right now, so this is the shop's built-in assistant."
FAILURES_MOST, OPEN_SECONDS = 3, 30.0
"""Failures in a row after which the endpoint is left alone, and for how long."""
TRIES = 2
log = telemetry.log("models")
OnText = Callable[[str], Awaitable[None]]
Schemas = Sequence[dict[str, Any]]


class Malformed(Exception):
    """The endpoint answered something that is no answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One turn of a model; `notice` is what the person should know about where it comes from."""

    message: AIMessage
    model: str
    notice: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    cost_micro: int = 0
    latency_ms: int = 0


class Breaker:
    """Leaves an endpoint alone after FAILURES_MOST failures in a row; then one call may try it again."""

    def __init__(self) -> None:
        self._failures = 0
        self._open_until = 0.0

    @property
    def closed(self) -> bool:
        return time.monotonic() >= self._open_until

    def note(self, good: bool) -> None:
        self._failures = 0 if good else self._failures + 1
        if self._failures >= FAILURES_MOST:
            self._open_until = time.monotonic() + OPEN_SECONDS


class Models:
    """One per process."""

    def __init__(self, settings: Settings, planner: BaseChatModel | None = None) -> None:
        self._settings = settings
        self._planner = planner
        self._breaker = Breaker()
        self.uses_endpoint = settings.model != "offline" and settings.openai_api_key is not None

    async def answer(
        self,
        tier: Tier,
        messages: Sequence[BaseMessage],
        tools: Schemas,
        on_text: OnText | None = None,
        notice: str | None = None,
        rule: Callable[[Sequence[BaseMessage]], AIMessage] | None = None,
    ) -> Reply:
        """The next turn of a conversation: text, or calls of `tools` (OpenAI's function form). Never raises for what
        an endpoint does wrong. `on_text` hears the text as it comes. With the `notice` of an earlier reply to the same
        message the planner goes on: nobody waits for a silent endpoint twice. `rule` answers in the planner's place."""
        began = time.perf_counter()
        if self.uses_endpoint and notice is None:
            if reply := await self._from_endpoint(tier, messages, tools, on_text, began):
                return reply
            notice = NOTICE
        if rule:
            return Reply(rule(messages), RULE, notice, latency_ms=_since(began))
        message = await self.planner.bind_tools(list(tools)).ainvoke(list(messages))
        if on_text and message.text:
            await on_text(message.text)
        return Reply(message, "offline", notice, latency_ms=_since(began))

    def load(self) -> None:
        """Loads what the first answer needs; takes a second or two, so call it in a thread."""
        if self.uses_endpoint:
            _ = self._endpoints
        _ = self.planner

    @property
    def planner(self) -> BaseChatModel:
        if self._planner is None:
            from agents.planner import Planner  # loads embeddings: only when somebody needs it

            self._planner = Planner()
        return self._planner

    # --- the endpoint ---

    async def _from_endpoint(
        self, tier: Tier, messages: Sequence[BaseMessage], tools: Schemas, on_text: OnText | None, began: float
    ) -> Reply | None:
        """The endpoint's turn, or None when it has none in time."""
        if not self._breaker.closed:
            return None
        model = self._endpoints[tier]
        bound: Runnable[Any, AIMessage] = model.bind_tools(list(tools)) if tools else model
        until = time.perf_counter() + self._settings.model_patience  # loading the client is not the endpoint's time
        for attempt in range(TRIES):
            try:
                message = await self._stream(bound, messages, until, on_text)
            except Exception as failed:  # the edge of the endpoint: an SDK raises many kinds
                log.warning("model_failed", attempt=attempt, cause=type(failed).__name__)
                self._breaker.note(False)
                if time.perf_counter() >= until - 0.1 or not self._breaker.closed or _hopeless(failed):
                    return None
                await asyncio.sleep(0.1)
                continue
            self._breaker.note(True)
            return self._reply(message, tier, began)
        return None

    async def _stream(
        self, bound: "Runnable[Any, AIMessage]", messages: Sequence[BaseMessage], until: float, on_text: OnText | None
    ) -> AIMessage:
        """Reads one streamed answer: its beginning before `until`, then never silent for longer than the patience, its
        end within the whole time-out."""
        whole: AIMessageChunk | None = None
        source = aiter(bound.astream(list(messages)))
        end = time.perf_counter() + self._settings.model_timeout
        while True:
            left = until - time.perf_counter()
            try:
                chunk = await asyncio.wait_for(anext(source), max(left, 0.01))
            except StopAsyncIteration:
                break
            assert isinstance(chunk, AIMessageChunk)
            whole = chunk if whole is None else whole + chunk
            if chunk.text or chunk.tool_call_chunks:  # one that says nothing is silence too
                until = min(time.perf_counter() + self._settings.model_patience, end)
            if on_text and chunk.text:
                await on_text(chunk.text)
        return _sound(whole)

    def _reply(self, message: AIMessage, tier: Tier, began: float) -> Reply:
        used = message.usage_metadata
        tokens_in, tokens_out = (used["input_tokens"], used["output_tokens"]) if used else (0, 0)
        price_in, price_out = self._settings.model_price_in, self._settings.model_price_out
        cost = int(tokens_in * price_in + tokens_out * price_out)
        return Reply(message, self._name(tier), None, tokens_in, tokens_out, cost, _since(began))

    def _name(self, tier: Tier) -> str:
        small = self._settings.model_name_small
        return small if tier == "small" and small else self._settings.model_name

    @cached_property
    def _endpoints(self) -> dict[str, BaseChatModel]:
        from langchain_openai import ChatOpenAI  # costs a second: only where an endpoint is configured

        found = self._settings
        return {
            tier: ChatOpenAI(
                model=self._name(tier),
                base_url=found.openai_base_url,
                api_key=found.openai_api_key,
                timeout=found.model_timeout,
                max_retries=0,
                streaming=True,
                stream_usage=True,
            )
            for tier in ("small", "standard")
        }


def _sound(whole: AIMessageChunk | None) -> AIMessage:
    """The message of a stream, or Malformed: nothing said, or tool calls that are no JSON."""
    if whole is None or whole.invalid_tool_calls or not (whole.text.strip() or whole.tool_calls):
        raise Malformed()
    for chunk in whole.tool_call_chunks:  # the library completes broken JSON in silence: we do not act on half a call
        _require_json(chunk["args"] or "{}")
    for number, call in enumerate(whole.tool_calls):
        call["id"] = call["id"] or f"call_{number}"
    return AIMessage(
        content=whole.text,
        tool_calls=whole.tool_calls,
        usage_metadata=whole.usage_metadata,
    )


def _require_json(text: str) -> None:
    try:
        json.loads(text)
    except ValueError:
        raise Malformed() from None


def _hopeless(failed: Exception) -> bool:
    """Whether asking again cannot help: the request itself is refused."""
    return getattr(failed, "status_code", None) in (400, 401, 403, 404, 422)


def _since(began: float) -> int:
    return int((time.perf_counter() - began) * 1000)
