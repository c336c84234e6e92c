"""The warehouse agent: what waits to be picked, where it lies, and what to do about bins that are not as the books say."""

from agents.rules import Json, Step, Told
from agents.spec import SELLERS, AgentSpec, uses
from tools import inventory, order, warehouse


def short(facts: Json, told: Told) -> Step:
    """A bin had fewer units than an order wanted."""
    if "propose_replan" not in told:
        return "propose_replan", {"short": facts["short_id"]}
    return str(told["propose_replan"]["summary"])


def variance(facts: Json, told: Told) -> Step:
    """A count is off by more than its place allows."""
    if "propose_variance" not in told:
        return "propose_variance", {"count": facts["count_id"]}
    return f"A count is {facts['units']} units off; somebody other than who counted decides."


SPEC = AgentSpec(
    name="warehouse",
    purpose="Shows merchants and staff what has to be picked and where it lies, and re-plans rounds.",
    tools=uses(
        *(warehouse.pick_tasks, warehouse.pick_status, warehouse.find_in_warehouse, warehouse.propose_replan),
        *(warehouse.propose_variance, inventory.merchant_stock, order.get_order),
    ),
    hand_offs=frozenset({"order", "inventory", "shipping", "support"}),
    autonomy="limit",
    rules={"ShortPick": short, "CountVariance": variance},
    cannot="receive goods, count bins, or pick for you",
    audience=SELLERS,
)
