"""All agents, by name. A new one is a file of its own and a line here."""

from agents import chat, customer, inventory, order, payment, product, support
from agents.spec import AgentSpec
from tools.spec import Tool

AGENTS: dict[str, AgentSpec] = {
    module.SPEC.name: module.SPEC for module in (order, product, inventory, customer, payment, support, chat)
}
FRONT = "chat"
"""The agent that takes what fits no other."""
OWNERS = {"checkout": "order"}
"""Contexts without an agent, and the agent that has their tools."""


def owner(tool: Tool) -> str:
    """The agent a wish for this tool goes to."""
    return OWNERS.get(tool.context, tool.context)
