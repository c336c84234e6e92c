"""All agents, by name. A new one is a file of its own and a line here."""

from agents import (
    analytics,
    chat,
    customer,
    email,
    gateway,
    integration,
    inventory,
    merchant,
    notification,
    orchestration,
    order,
    payment,
    pricing,
    product,
    promotion,
    recommendation,
    refund,
    returns,
    review,
    search,
    shipping,
    sms,
    supplier,
    support,
    vendor,
    warehouse,
)
from agents.spec import AgentSpec
from kernel.auth import Principal
from tools.spec import Tool

AGENTS: dict[str, AgentSpec] = {
    module.SPEC.name: module.SPEC
    for module in (
        *(order, product, inventory, customer, payment, pricing),
        *(warehouse, shipping, returns, refund),
        *(promotion, recommendation, search, review),
        *(merchant, vendor, supplier),
        *(support, chat, email, sms),
        *(notification, analytics, integration, gateway, orchestration),
    )
}
FRONT = "chat"
"""The agent that takes what fits no other."""
OWNERS = {"checkout": "order"}
"""Contexts without an agent, and the agent that has their tools."""


LABELS = frozenset({"none", "greeting", "thanks", "capabilities", "person", "injection"})
"""What may be said that is no wish for a tool."""


def wishes(principal: Principal) -> frozenset[str]:
    """Everything this person may mean: tools they may use through any agent, agents that say what they cannot do, and
    what needs neither."""
    tools = {tool.name for spec in AGENTS.values() for tool in spec.offered(principal)}
    return LABELS | tools | {name for name, spec in AGENTS.items() if spec.concerns(principal)}


def owner(tool: Tool) -> str:
    """The agent a wish for this tool goes to."""
    return OWNERS.get(tool.context, tool.context)
