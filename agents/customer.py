"""The customer agent: a person's own profile and addresses."""

from agents.spec import AgentSpec, uses
from tools import chat, customer

SPEC = AgentSpec(
    name="customer",
    purpose="Shows and changes what a person saved with us: profile and addresses.",
    tools=uses(
        *(customer.my_profile, customer.find_customer, customer.list_addresses, customer.add_address),
        *(customer.change_default_address, customer.remove_address),
        *(chat.remember, chat.recall_facts, chat.forget_facts),
    ),
    hand_offs=frozenset({"order", "payment", "notification", "support"}),
    autonomy="free",
)
