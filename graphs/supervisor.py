"""The supervisor: one graph whose nodes are the agents. A router sends a message to one of them; agents may pass it on.

The graph is compiled once per process. Its checkpoints hold what a conversation remembers; who talks, and what may be
done, comes with every turn and is never remembered.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command

from agents.models import Models
from agents.node import Node
from agents.roster import AGENTS, FRONT, wishes
from agents.turn import Turn
from commerce.app import Commerce
from graphs.routing import Ranks, best, open_question, strays
from graphs.state import Talk
from kernel import telemetry
from tools.bind import Binder, Drive

HOPS_MOST = 3
"""How often one message may be passed on."""
SORRY = "Something went wrong on our side, and nothing more was done. Please try again, or ask for a person."
NOTHING_CHANGED = "All right, nothing was changed."
log = telemetry.log("supervisor")
Graph = CompiledStateGraph[Talk, Turn, Talk, Talk]


class Supervisor:
    """One per process. `drive` runs sagas on for a moment, as the API does."""

    def __init__(
        self,
        commerce: Commerce,
        models: Models,
        drive: Drive,
        intents: Callable[[], Ranks],
        saver: BaseCheckpointSaver[Any] | None,
        binder: Binder | None = None,
    ) -> None:
        binder = binder or Binder(commerce, drive)
        self._intents = intents
        self._nodes = {name: Node(spec, commerce, models, binder, AGENTS) for name, spec in AGENTS.items()}
        self.graph = self._build(saver)

    def _build(self, saver: BaseCheckpointSaver[Any] | None) -> Graph:
        graph: StateGraph[Talk, Turn, Talk, Talk] = StateGraph(Talk, context_schema=Turn)
        graph.add_node("route", self._route, destinations=tuple(AGENTS))
        for name, node in self._nodes.items():
            graph.add_node(name, _step(node), destinations=(*sorted(node.spec.hand_offs), END))
        graph.add_edge(START, "route")
        return graph.compile(checkpointer=saver)

    async def run(self, turn: Turn, turn_id: UUID, text: str) -> None:
        """One turn of a conversation; what came of it stands in `turn`. Does not raise for what an agent does wrong."""
        agent = turn.accepted.agent if turn.accepted else ""
        limits = (AGENTS[agent] if agent else AGENTS[FRONT]).limits
        turn.until = time.monotonic() + limits.seconds
        heard: Talk = {"messages": [HumanMessage(text, id=str(turn_id))], "hops": 0}
        if agent:
            heard["agent"] = agent
        config: RunnableConfig = {"configurable": {"thread_id": str(turn.thread_id)}}
        try:
            if self.graph.checkpointer is None:
                await self.graph.ainvoke(heard, config, context=turn)
            else:
                await self.graph.ainvoke(heard, config, context=turn, durability="exit")
        except Exception:  # the edge of a turn: the person gets an answer, the log the cause
            log.error("turn_failed", run=str(turn.run_id), exc_info=True)
            turn.failed, turn.text = "error", SORRY

    async def resume(self, turn: Turn, talk: list[AnyMessage], agent: str | None) -> None:
        """One turn on a conversation that is handed in, with the agent it was with, on a graph without a memory. Raises what goes
        wrong."""
        turn.until = time.monotonic() + AGENTS[agent or FRONT].limits.seconds
        state: Talk = {"messages": talk, "hops": 0}
        if agent:
            state["agent"] = agent
        await self.graph.ainvoke(state, context=turn)

    async def errand(self, turn: Turn, agent: str, text: str) -> None:
        """A command or a query for one agent: no router, no memory, nobody to ask."""
        node = self._nodes[agent]
        turn.until = time.monotonic() + node.spec.limits.seconds
        try:
            await node.run(turn, [HumanMessage(text)], False)
        except Exception:  # the edge of a run: it is answered as failed, the log has the cause
            log.error("errand_failed", run=str(turn.run_id), exc_info=True)
            turn.failed, turn.text = "error", SORRY

    async def declined(self, turn: Turn, turn_id: UUID) -> None:
        """The person said no to a question: code answers, and the conversation remembers both."""
        talk: Talk = {"messages": [HumanMessage("No.", id=str(turn_id)), AIMessage(NOTHING_CHANGED)]}
        config = {"configurable": {"thread_id": str(turn.thread_id)}}
        await self.graph.aupdate_state(config, talk, as_node=FRONT)  # type: ignore[arg-type]
        turn.text, turn.agent = NOTHING_CHANGED, FRONT

    async def _route(self, state: Talk, runtime: Runtime[Turn]) -> Command[Any]:
        turn, talk = runtime.context, state["messages"]
        agent = state.get("agent")
        if turn.accepted:
            return Command(goto=turn.accepted.agent)
        heard, wanted = talk[-1].text, wishes(turn.principal)
        ranked = await asyncio.to_thread(lambda: self._intents().rank(heard, wanted))  # embedding takes CPU
        question = open_question(talk)
        if agent and question and not strays(question, talk[-1].text, ranked, agent):
            return Command(goto=agent)
        return Command(goto=best(ranked, agent))


def _step(node: Node) -> Any:  # LangGraph reads the function's own signature
    """A node of the graph from an agent's node."""

    async def step(state: Talk, runtime: Runtime[Turn]) -> Command[Any]:
        hops = state.get("hops", 0)
        added, passed = await node.run(runtime.context, state["messages"], hops < HOPS_MOST)
        update = {"messages": added, "agent": node.spec.name, "hops": hops + 1}
        return Command(update=update, goto=passed.agent if passed else END)

    return step
