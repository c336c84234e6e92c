"""The orchestration agent: what runs by itself and does not get on, and why."""

from agents.spec import STAFF, AgentSpec, uses
from tools import orchestration, order, warehouse

SPEC = AgentSpec(
    name="orchestration",
    purpose="Shows staff stuck sagas and dead letters, and explains how far an order's processes came.",
    tools=uses(
        orchestration.stuck_sagas,
        orchestration.dead_letters,
        orchestration.explain_saga,
        order.get_order,
        warehouse.pick_status,
    ),
    hand_offs=frozenset({"order", "payment", "warehouse", "email", "gateway", "integration", "support"}),
    autonomy="propose",
    cannot="retry, skip or undo anything: the inspector does, in a person's hands",
    audience=STAFF,
)
