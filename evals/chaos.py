"""The chaos suite: a model out of order in every way there is. Chat answers in time by the planner and says so, and a
purchase in the same chat goes through."""

from evals.case import Case, Turn
from evals.drive import Outcome, Played, play
from evals.endpoint import Mode
from evals.graders.state import effects
from evals.ground import ground, served
from kernel.settings import Settings

MODES: tuple[Mode, ...] = ("slow", "stalls", "malformed", "not_json", "empty", "refuses", "400", "401", "429", "500")
LONGEST = 2.0
"""Seconds until somebody else has answered in a model's place."""
SAID = "built-in assistant"
CASE = Case(
    case="purchase",
    agent="chaos",
    turns=[
        Turn(say="do you have a stoneware mug?"),
        Turn(say="add the blue mug to my cart"),
        Turn(confirm=True),
        Turn(say="buy my cart with my saved card"),
        Turn(confirm=True),
    ],
)

WARM = Case(case="warm", agent="chaos", turns=[Turn(say="hello")])
"""Loads the agents: that is not the model's time."""


async def run(server: str, settings: Settings) -> list[tuple[str, list[str], float]]:
    """(mode, what was wrong, the slowest answer in seconds); a new application for each, which trusts its model yet."""
    found: list[tuple[str, list[str], float]] = []
    async with ground(server, settings, "scripted") as shop:
        for mode in MODES:
            async with served(shop.shop, shop.settings) as shop.http:
                shop.model.mode = "ok"
                await play(shop, WARM)
                shop.model.mode = mode
                outcome = await play(shop, CASE, [[{"name": "get_order", "args": {}}] * 4] * len(CASE.turns))
            found.append((mode, _wrong(outcome), max(played.seconds for played in outcome.turns)))
    return found


def _wrong(outcome: Outcome) -> list[str]:
    wrong = [problem for number, played in enumerate(outcome.turns, 1) for problem in _late(number, played)]
    paid = [
        one.after for one in effects(outcome.difference) if one.table == "orders" and one.before is None and one.after
    ]
    if [order["payment_status"] for order in paid] != ["paid"]:
        wrong.append("the purchase did not go through")
    return wrong


def _late(number: int, played: Played) -> list[str]:
    wrong = []
    if played.seconds >= LONGEST:
        wrong.append(f"turn {number} took {played.seconds:.2f} s")
    if number == 1 and SAID not in played.shown:
        wrong.append("the answer does not say where it comes from")
    return wrong
