"""The support agent: answers from the shop's articles, opens tickets, brings in a person, proposes gestures."""

from agents.rules import Json, Step, Told
from agents.spec import AgentSpec, uses
from tools import order, support


def opened(facts: Json, told: Told) -> Step:
    """A ticket came in."""
    if "get_ticket" not in told:
        return "get_ticket", {"ticket": facts["ticket_id"]}
    if "search_help" not in told:
        return "search_help", {"q": told["get_ticket"]["subject"][:300]}
    titles = [f"“{article['title']}”" for article in told["search_help"]["items"]]
    if not titles:
        return "No article answers it: it waits for a person."
    if "propose_note" not in told:
        text = f"These articles may answer it: {', '.join(titles)}."
        return "propose_note", {"ticket": facts["ticket_id"], "text": text}
    return "Noted which articles may answer it."


SPEC = AgentSpec(
    name="support",
    purpose="Answers questions about how the shop works from its articles, opens tickets, brings in a person.",
    tools=uses(
        *(support.search_help, support.similar_cases, support.list_tickets, support.get_ticket, support.open_ticket),
        *(support.propose_note, support.propose_goodwill, order.get_order),
    ),
    hand_offs=frozenset({"order", "payment", "product", "customer", "shipping", "returns", "refund"}),
    autonomy="limit",
    rules={"TicketOpened": opened},
)
