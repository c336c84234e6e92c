"""`python -m bench.agents`: what the agent layer costs a turn, with a model that answers at once.

A turn notes the message, routes it, asks the model, notes the answer; or asks it twice and makes one tool call between;
each with and without the checkpoint. The reference is a durable one-row transaction on the same server, in turn with it.
Time says what somebody waits for, CPU time what this process does for it: on a busy machine only the latter stays put.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.base import BaseCheckpointSaver

from agents.models import Models
from agents.roster import AGENTS
from cli.database import ensure
from cli.demo.shop import demo_shop
from cli.runtime import commerce, server, sync
from commerce.app import Commerce
from graphs.assistant import Assistant
from graphs.supervisor import Supervisor
from kernel.auth import SYSTEM, Principal
from kernel.saga_engine import Run
from kernel.settings import Settings
from memory.checkpoints import checkpoints

TURNS, ROUNDS, TOGETHER, WARM = 40, 3, 300, 10
BUILDS = 5
HELLO, ASK = "hello", "what do you sell?"
BARE = "bare transaction"
Spent = tuple[float, float]
"""Seconds that passed, and seconds of CPU time of this process."""
TARGETS = "Targets: the graph of all agents built in < 300 ms; p50 <= 6 ms without and <= 15 ms with checkpoint a turn; 300 turns at once without an error."


class Echo(BaseChatModel):
    """Asks for the categories, then says that it has them; to a greeting it says so at once."""

    @property
    def _llm_type(self) -> str:
        return "echo"

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> "Echo":  # noqa: ARG002  # the interface's name
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        call = {"name": "list_categories", "args": {}, "id": f"c{len(messages)}", "type": "tool_call"}
        said = (
            AIMessage("Here they are.")
            if messages[-1].type == "tool" or messages[-1].text == HELLO
            else AIMessage("", tool_calls=[call])
        )
        return ChatResult(generations=[ChatGeneration(message=said)])

    async def _agenerate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        return self._generate(messages)  # no thread: what is measured is the layer, not the model


class Straight:
    """Sends every message to the product agent."""

    def rank(self, _: str, __: object) -> list[tuple[str, float]]:
        return [("list_categories", 1.0)]


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="agora-bench-") as folder:
        found = Settings(data_dir=Path(folder), model="offline")
        async with server(found, owner=True) as url:
            await ensure(url)
            async with commerce(found, url) as shop, checkpoints(url) as saver:
                await sync(shop)
                await demo_shop(shop, found)
                await measure(shop, saver)
    print(TARGETS)


async def measure(shop: Commerce, saver: BaseCheckpointSaver[Any]) -> None:
    async with shop.database.work(SYSTEM) as work:
        user = await shop.identity.user_by_email(work, "customer@demo.test")
    assert user is not None
    who = replace(shop.identity.as_role("customer"), customer_id=user.customer_id, user_id=user.id)
    print(f"  {len(AGENTS)} agents, their graph built in {_build(shop) * 1000:.0f} ms")
    bare, plain = _assistant(shop, None), _assistant(shop, saver)
    sides = {
        "no tool, no checkpoint": (bare, HELLO),
        "no tool, checkpoint": (plain, HELLO),
        "one tool, no checkpoint": (bare, ASK),
        "one tool, checkpoint": (plain, ASK),
    }
    for assistant, text in sides.values():
        await _turns(shop, assistant, who, text, WARM)
    spent: dict[str, list[Spent]] = {name: [] for name in (*sides, BARE)}
    for _ in range(ROUNDS):
        for name, (assistant, text) in sides.items():
            spent[name] += await _turns(shop, assistant, who, text, TURNS)
        spent[BARE] += await _bare(shop)
    _tell(spent)
    began = time.perf_counter()
    together = [_turn(plain, who, await _thread(shop, who), ASK) for _ in range(TOGETHER)]
    failed = [answer for answer in await asyncio.gather(*together, return_exceptions=True) if answer is not None]
    print(f"  {TOGETHER} turns at once in {time.perf_counter() - began:.1f} s, {len(failed)} errors {failed[:1]}")


def _tell(spent: dict[str, list[Spent]]) -> None:
    """Medians, each also as a multiple of the bare transaction's."""
    bare_time, bare_cpu = (median(found) for found in zip(*spent[BARE], strict=True))
    for name, found in spent.items():
        times, cpu = zip(*found, strict=True)
        p50, p95, used = median(times), sorted(times)[int(len(times) * 0.95)], median(cpu)
        print(
            f"  {name:<24} p50 {p50 * 1000:6.2f} ms  p95 {p95 * 1000:6.2f} ms  {p50 / bare_time:5.1f} x the bare one   "
            f"CPU {used * 1000:5.2f} ms  {used / bare_cpu:5.1f} x"
        )


def _assistant(shop: Commerce, saver: BaseCheckpointSaver[Any] | None) -> Assistant:
    async def drive(run: Run) -> None:
        await shop.checkout.drive(run)

    return Assistant(shop, Supervisor(shop, Models(Settings(model="offline"), Echo()), drive, Straight, saver))


def _build(shop: Commerce) -> float:
    """Seconds for one supervisor with all its nodes, median of BUILDS: prompts and examples are read before the first."""
    times = []
    for _ in range(BUILDS):
        began = time.perf_counter()
        _assistant(shop, None)
        times.append(time.perf_counter() - began)
    return median(times)


async def _thread(shop: Commerce, who: Principal) -> UUID:
    async with shop.database.work(who) as work:
        return (await shop.chat.begin(work)).id


async def _turn(assistant: Assistant, who: Principal, thread: UUID, text: str) -> None:
    answer = await assistant.message(who, thread, text)
    if answer.messages[0].text != "Here they are.":
        raise RuntimeError(answer.messages[0].text)


async def _turns(shop: Commerce, assistant: Assistant, who: Principal, text: str, count: int) -> list[Spent]:
    thread = await _thread(shop, who)
    return [await _spent(lambda: _turn(assistant, who, thread, text)) for _ in range(count)]


async def _bare(shop: Commerce) -> list[Spent]:
    async def one() -> None:
        async with shop.database.work(SYSTEM) as work:
            await work.run("insert into agent_usage (agent, on_day, runs) values (gen_random_uuid()::text, now(), 1)")

    return [await _spent(one) for _ in range(TURNS)]


async def _spent(call: Callable[[], Awaitable[None]]) -> Spent:
    began, used = time.perf_counter(), time.process_time()
    await call()
    return time.perf_counter() - began, time.process_time() - used


if __name__ == "__main__":
    asyncio.run(main())
