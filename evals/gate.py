"""The gates: sentences of people who have not seen the planner's examples, frozen before they were ever measured.

An item is right when the chat acts with a wanted tool (a write acts when it asks for the person's yes), or does what its
`or` allows instead: asks back with a wanted tool among what it offers, brings in a person, or does nothing.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import click
import yaml
from pydantic import Field

from agents.node import PERSON
from agents.replies import sentence
from evals.case import HERE, Case, Strict, Turn
from evals.drive import Json, Outcome, play
from evals.graders.state import effects
from evals.ground import Ground, ground
from kernel.settings import Settings

GATES = HERE / "gates"
FROZEN = GATES / "FROZEN"
PEOPLE = {"guest": "guest", "customer": "ann", "merchant": "north", "staff": "support"}
"""Who of the world speaks for a role."""
ACTED = ("done", "confirmation", "failed")
THEN = frozenset(
    [
        *("list_orders", "get_order", "cancel_order", "change_order_address", "merchant_orders", "merchant_sales"),
        *("find_products", "get_product", "list_categories", "view_cart", "add_to_cart", "change_cart_quantity"),
        *("remove_from_cart", "apply_coupon", "buy_cart", "check_stock", "merchant_stock", "my_profile"),
        *("list_addresses", "add_address", "remove_address", "payment_options", "payment_status", "save_gift_card"),
        *("search_help", "list_tickets", "open_ticket"),
    ]
)
"""The tools there were when the gates were frozen: none of their items can want what was added since."""


class Thawed(Exception):
    """A gate is not the one that was frozen: it measures nothing any more."""


class Item(Strict):
    """`want` are the tools that are right, none where nothing may be done."""

    say: str
    role: Literal["guest", "customer", "merchant", "staff"]
    want: list[str] = Field(default_factory=list)
    instead: Literal["act", "clarify", "person", "none"] = Field("act", alias="or")


@dataclass(slots=True)
class Verdict:
    """`acted` is the tool it acted with; `offered` what it asked back about."""

    item: Item
    acted: str | None
    offered: set[str]
    person: bool
    unasked: bool

    @property
    def right(self) -> bool:
        """By the item's own rules."""
        if self.person:
            return self.item.instead == "person" or PERSON in self.item.want
        if self.acted:
            return self.acted in self.item.want
        if self.item.instead == "clarify":
            return self.asked
        return self.item.instead == "none"

    @property
    def asked(self) -> bool:
        """Asked back, with a wanted tool among what it offered or wants to know more for; about anything where no tool
        is named."""
        about = self.offered & set(self.item.want) if self.item.want else self.offered
        return not self.acted and not self.person and self.item.instead != "none" and bool(about)


@dataclass(slots=True)
class Score:
    """What one gate came to."""

    name: str
    verdicts: list[Verdict] = field(default_factory=list)

    def lines(self) -> list[str]:
        found = self.verdicts
        acting = [one for one in found if one.acted]
        right, asked = sum(one.right for one in found), sum(one.asked and not one.right for one in found)
        precise = sum(one.acted in one.item.want for one in acting)
        rows = [
            f"{self.name}: {len(found)} items",
            f"  right by the item's own rules      {right / len(found):6.1%}",
            f"  right, or asked about a wanted tool {(right + asked) / len(found):5.1%}",
            f"  precision when it acts             {precise / max(len(acting), 1):6.1%}  ({precise} of {len(acting)})",
            f"  writes without a yes               {sum(one.unasked for one in found):6}",
        ]
        if all((THEN | {PERSON}).issuperset(one.item.want) for one in found):
            known = [one for one in acting if one.acted in THEN]
            share = precise / max(len(known), 1)
            rows.insert(4, f"    with tools of the gate's time    {share:6.1%}  ({precise} of {len(known)})")
        by_role = Counter(one.item.role for one in found)
        good = Counter(one.item.role for one in found if one.right or one.asked)
        return [*rows, "  by role: " + ", ".join(f"{role} {good[role]} of {count}" for role, count in by_role.items())]

    def wrong(self) -> list[str]:
        """Every sentence that was neither right nor asked about, and what came of it."""
        return [
            f"  {one.item.role}: {one.item.say} | wants {' '.join(one.item.want)} or {one.item.instead} | "
            + (one.acted or ("a person" if one.person else f"offered {' '.join(sorted(one.offered)) or 'nothing'}"))
            for one in self.verdicts
            if not (one.right or one.asked)
        ]


async def run(names: tuple[str, ...], server: str, settings: Settings) -> int:
    """Measures the gates, prints the figures; 1 when a write happened without a yes."""
    chosen = names or tuple(sorted(path.stem for path in GATES.glob("*.yaml")))
    return await measure({name: items(name) for name in chosen}, server, settings)


async def measure(sets: dict[str, list[Item]], server: str, settings: Settings, wrong: bool = False) -> int:
    """Says all the sentences, set by set, prints the figures, and what was `wrong` where that is wanted."""
    unasked = 0
    async with ground(server, settings, "offline") as found:
        for name, said in sets.items():
            score = Score(name, [await judge(found, item) for item in said])
            click.echo("\n".join([*score.lines(), *(score.wrong() if wrong else [])]))
            unasked += sum(verdict.unasked for verdict in score.verdicts)
    return 1 if unasked else 0


def items(name: str) -> list[Item]:
    """The items of a frozen gate. Raises Thawed when the file was changed since."""
    path = GATES / f"{name}.yaml"
    if f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" not in FROZEN.read_text().splitlines():
        raise Thawed(name)
    return [Item(**facts) for facts in yaml.safe_load(path.read_text())]


async def judge(found: Ground, item: Item) -> Verdict:
    """Says the sentence in a new conversation and looks at what the chat did."""
    case = Case(case="item", agent="gate", who=PEOPLE[item.role], turns=[Turn(say=item.say)])
    outcome = await play(found, case)
    played = outcome.turns[0]
    calls = [call for call in _chats(played.calls) if call["status"] in ACTED and call["tool"] != PERSON]
    person = bool(played.answer.get("handoff"))
    acted = calls[-1]["tool"] if calls else None
    offered = _offered(outcome)
    if acted not in item.want and offered & set(item.want) and _looked_up(calls):
        acted = None  # it only looked something up to ask a better question
    return Verdict(item, acted, offered, person, not person and _wrote(outcome) and not _proposed(calls))


def _chats(rows: list[Json]) -> list[Json]:
    """Those of the conversation itself: a ticket that came of it wakes agents, which are not what is measured."""
    return [row for row in rows if row["trigger"] == "chat"]


def _offered(outcome: Outcome) -> set[str]:
    """Tools behind the options of the last answer, the tool it wants an argument for, and the one it looked things up for."""
    played = outcome.turns[0]
    options = [option for message in played.answer.get("messages", []) for option in message["options"]]
    by_sentence = {sentence(tool): tool for tool in _tools()}
    facts: list[Json] = [row["answer"]["data"].get("additional_kwargs", {}) for row in _chats(played.models)]
    said = facts[-1] if facts else {}
    wishes: list[Json] = [*(said.get("picks") or {}).values(), *filter(None, [said.get("pending")])]
    wishes += [fact["plan"] for fact in facts if fact.get("plan")]
    known = {by_sentence[option] for option in options if option in by_sentence}
    return known | {wish["tool"] for wish in wishes} | {tool for wish in wishes for tool in wish["then"]}


def _tools() -> list[str]:
    from tools.spec import TOOLS

    return [*TOOLS, PERSON]


def _looked_up(calls: list[Json]) -> bool:
    return all(call["effect"] == "read" for call in calls)


def _proposed(calls: list[Json]) -> bool:
    """What was proposed is decided by a policy or by people (ADR 0013), not by the one who asked for it."""
    return any(call["effect"] == "propose" for call in calls)


def _wrote(outcome: Outcome) -> bool:
    """Something changed though nobody said yes. An empty cart that is opened for a look is no change."""
    return any(changed.table != "carts" for changed in effects(outcome.difference))
