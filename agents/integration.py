"""The integration agent: webhooks, imports and exports are not there yet."""

from agents.spec import SELLERS, AgentSpec, uses
from tools import gateway, support

SPEC = AgentSpec(
    name="integration",
    purpose="Explains what connects to this shop, and opens a ticket for what does not yet.",
    tools=uses(support.search_help, gateway.api_usage, support.open_ticket),
    hand_offs=frozenset({"gateway", "orchestration", "support"}),
    autonomy="propose",
    cannot="set up webhooks, imports, exports or other connections",
    audience=SELLERS,
)
