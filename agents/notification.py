"""The notification agent: what a person was told."""

from agents.spec import AgentSpec, uses
from tools import notification, order

SPEC = AgentSpec(
    name="notification",
    purpose="Shows people what they were told about their orders or their shop.",
    tools=uses(notification.my_notifications, order.get_order),
    hand_offs=frozenset({"order", "email", "sms", "support"}),
    autonomy="free",
    cannot="change which notices you get, or mark them as read",
)
