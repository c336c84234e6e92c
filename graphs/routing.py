"""Which agent answers: rules first, then the similarity of what was said to known wishes; a model only for the rest."""

import re
from collections.abc import Collection, Sequence
from typing import Protocol

from langchain_core.messages import AIMessage, BaseMessage

from agents.roster import AGENTS, FRONT, owner
from agents.talk import picked
from tools.spec import TOOLS


class Ranks(Protocol):
    """Knows how likely a sentence is a wish for each of `names`: best first, 0 to 1."""

    def rank(self, text: str, names: Collection[str]) -> Sequence[tuple[str, float]]: ...


SURE = 0.5
"""Confidence from which a wish goes to the agent that owns it."""
CERTAIN = 0.97
"""Confidence from which words that could answer a question are taken for another wish."""
_YES = re.compile(
    r"^(yes|yes please|yep|yeah|y|ok|okay|sure|confirm|confirmed|i confirm|go ahead|do it|please do|ja|oui|si)[\s.!]*$",
    re.I,
)
_NO = re.compile(r"^(no|no thanks|nope|n|don'?t|do not|stop|never mind|nevermind|cancel that|nein|non)[\s.!]*$", re.I)


def decision(text: str) -> bool | None:
    """A plain yes or no to a question that is open; None for anything else."""
    if _YES.match(text.strip()):
        return True
    return False if _NO.match(text.strip()) else None


def open_question(talk: Sequence[BaseMessage]) -> str | None:
    """What the last agent asked for, when the newest message is to answer it."""
    last = next((m for m in reversed(talk[:-1]) if isinstance(m, AIMessage)), None)
    if last is None:
        return None
    if picked(talk[-1].text, last.additional_kwargs.get("picks", {})):
        return "pick"
    pending = last.additional_kwargs.get("pending")
    return str(pending["missing"]) if pending else None


def strays(question: str, said: str, ranked: Sequence[tuple[str, float]], agent: str) -> bool:
    """Whether an answer clearly is a wish for another agent. Free words (a reason, an address) may sound like anything, and
    a word or two is an answer."""
    name, confidence = ranked[0] if ranked else ("", 0.0)
    free = question in ("reason", "text", "subject", "pick") or question.startswith("address") or len(said.split()) <= 2
    return not free and confidence >= CERTAIN and name in TOOLS and TOOLS[name] not in AGENTS[agent].tools


def best(ranked: Sequence[tuple[str, float]], agent: str | None) -> str:
    """The agent for the best-ranked wish; the present one where nothing is sure."""
    name, confidence = ranked[0] if ranked else ("", 0.0)
    if name in TOOLS and confidence >= SURE:
        tool = TOOLS[name]
        if agent and tool in AGENTS[agent].tools and AGENTS[agent].name != FRONT:
            return agent
        return owner(tool)
    if name in TOOLS:
        return agent if agent and agent != FRONT else owner(TOOLS[name])
    return name if name in AGENTS and confidence >= SURE else FRONT
