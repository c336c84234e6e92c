"""The shipping agent: what delivery costs, how long it takes, where an order is; and it looks after parcels in trouble."""

from agents.rules import Json, Step, Told
from agents.spec import AgentSpec, uses
from tools import order, shipping, support


def trouble(facts: Json, told: Told) -> Step:
    """A parcel is late, or will not arrive: its customer is told, then what makes up for it is proposed."""
    parcel = {"order": facts["shipment_id"]}
    if "parcel_case" not in told:
        return "parcel_case", parcel
    case = told["parcel_case"]
    if case.get("trouble") is None:
        return f"The parcel of order {case['order']} is in order by now: nothing was done."
    if "propose_parcel_news" not in told:
        return "propose_parcel_news", parcel
    if "propose_parcel_remedy" not in told:
        return "propose_parcel_remedy", parcel
    news, remedy = told["propose_parcel_news"], told["propose_parcel_remedy"]
    return f"{news['summary']} {remedy['summary']} {remedy['why']}"


SPEC = AgentSpec(
    name="shipping",
    purpose="Says what delivery costs and how long it takes, where an order goes and how far it is; looks after parcels that "
    "are late or lost.",
    tools=uses(
        *(shipping.shipping_options, order.get_order, support.search_help, support.open_ticket),
        *(shipping.parcel_case, shipping.propose_parcel_news, shipping.propose_parcel_remedy),
    ),
    hand_offs=frozenset({"order", "returns", "warehouse", "support"}),
    autonomy="limit",
    rules={"ShipmentDelayed": trouble, "ShipmentLost": trouble},
    cannot="call a carrier, buy a label, or change the way of a parcel that has left",
)
