"""The routing suite: labelled utterances, said to the chat; the agent that answers must be the labelled one."""

from typing import Any

import yaml

from evals.case import HERE
from evals.ground import Ground

FILE = HERE / "routing.yaml"


def utterances() -> list[tuple[str, str, str]]:
    """(who, agent, what is said); a person of the world stands for each role."""
    found: dict[str, dict[str, list[str]]] = yaml.safe_load(FILE.read_text())
    return [(who, agent, text) for who, agents in found.items() for agent, texts in agents.items() for text in texts]


async def measure(ground: Ground) -> tuple[float, list[str]]:
    """The share that the right agent answered, and the others in words."""
    said, wrong = utterances(), []
    await ground.reset()
    for who, agent, text in said:
        answered = await _answered(ground, who, text)
        if answered != agent:
            wrong.append(f"{agent} < {answered}: {text}")
    return 1 - len(wrong) / len(said), wrong


async def _answered(ground: Ground, who: str, text: str) -> str:
    headers = await ground.headers(who)
    begun = (await ground.http.post("/v1/chat/threads", json={}, headers=headers)).json()
    if begun.get("cart_token"):
        headers = {"X-Cart-Token": begun["cart_token"]}
    path = f"/v1/chat/threads/{begun['id']}/messages"
    answer: dict[str, Any] = (await ground.http.post(path, json={"text": text}, headers=headers)).json()
    return str(answer["messages"][0]["agent"])
