"""The e-mail agent: did the mails of an order go out."""

from agents.spec import STAFF, AgentSpec, uses
from tools import email, order

SPEC = AgentSpec(
    name="email",
    purpose="Tells staff which mails were written about an order and whether they went out.",
    tools=uses(email.email_status, order.get_order),
    hand_offs=frozenset({"notification", "order", "support"}),
    autonomy="free",
    cannot="write, send or repeat a mail, or change an address",
    audience=STAFF,
)
