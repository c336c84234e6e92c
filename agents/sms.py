"""The SMS agent: there are no text messages yet; what was told is in the feed."""

from agents.spec import AgentSpec, uses
from tools import notification, support

SPEC = AgentSpec(
    name="sms",
    purpose="Shows people what they were told, in their feed.",
    tools=uses(notification.my_notifications, support.search_help),
    hand_offs=frozenset({"notification", "support"}),
    autonomy="free",
    cannot="send text messages, or change what you get as one",
)
