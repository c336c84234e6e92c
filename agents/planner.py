"""The offline model: it chooses a tool by the examples it knows, fills the arguments, and says results from templates.

Deterministic and without state: everything is read from the messages. It holds LangChain's chat model interface, so
that an agent does not know whether a language model answers or this. It invents nothing: what it does not understand
it asks about, and what it cannot do it says.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models.base import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from agents import results, talk, wishes
from agents.hand import Hand
from agents.replies import reply


class Planner(BaseChatModel):
    """`tools` are the bound ones: name > JSON schema of the arguments."""

    tools: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @property
    def _llm_type(self) -> str:
        return "offline"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """A copy that offers exactly these. `tool_choice` is ignored: it never calls what was not wished for."""
        known = [
            tool if isinstance(tool, dict) and "function" in tool else convert_to_openai_tool(tool) for tool in tools
        ]
        return Planner(tools={tool["function"]["name"]: tool["function"].get("parameters", {}) for tool in known})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.answer(messages))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        """In a thread: embedding a sentence takes some 15 ms of CPU."""
        return await asyncio.to_thread(self._generate, messages)

    def answer(self, messages: Sequence[BaseMessage]) -> AIMessage:
        hand = Hand(self.tools, talk.read(messages))
        last = messages[-1] if messages else None
        if isinstance(last, ToolMessage):
            return results.after(hand, messages, last)
        if isinstance(last, HumanMessage):
            return wishes.said(hand, talk.said(last))
        return hand.say(reply("capabilities", can=hand.can), options=hand.offers())
