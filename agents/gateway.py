"""The gateway agent: who calls how often, and which requests hang."""

from agents.spec import STAFF, AgentSpec, uses
from tools import gateway

SPEC = AgentSpec(
    name="gateway",
    purpose="Shows staff who calls the API how often and which requests never got their answer.",
    tools=uses(gateway.api_usage),
    hand_offs=frozenset({"integration", "orchestration", "support"}),
    autonomy="limit",
    cannot="block or slow down a caller, or give out keys",
    audience=STAFF,
)
