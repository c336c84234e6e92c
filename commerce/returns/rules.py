"""The policy engine: a store's rules are data, its verdicts are pure, and a customer can read why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from kernel.money import split

TRANSITIONS: dict[str, frozenset[str]] = {
    "requested": frozenset({"authorised", "rejected", "cancelled"}),
    "authorised": frozenset({"in_transit", "cancelled"}),
    "in_transit": frozenset({"partly_received", "received", "cancelled"}),
    "partly_received": frozenset({"partly_received", "received"}),
    "received": frozenset({"inspected"}),
    "inspected": frozenset({"completed"}),
    "completed": frozenset(),
    "cancelled": frozenset(),
    "rejected": frozenset(),
}
CONDITIONS = ("unopened", "opened", "used", "damaged")
"""How a thing is, best first."""
REMEMBERED = timedelta(days=180)
"""How far back a customer's returns say something about the next one."""
Outcome = Literal["authorised", "grey", "rejected"]
_SEVERITY: dict[Outcome, int] = {"authorised": 0, "grey": 1, "rejected": 2}


@dataclass(frozen=True, slots=True)
class Policy:
    """A store's rules for one category. Days count from the delivery; amounts are minor units.

    After `window_days` come `grey_days` in which a person decides. `fault_days` hold when the shop is at fault.
    `one_per_order` allows one return or exchange per order. A grey request that nobody decided in `grey_hours` ends as
    `grey_default` says. The parcel has to arrive within `send_days`."""

    window_days: int = 30
    grey_days: int = 14
    fault_days: int = 180
    final_sale: bool = False
    conditions: tuple[str, ...] = ("unopened", "opened")
    review_minor: int = 100_000
    abuse_from: int = 60
    one_per_order: bool = False
    destinations: tuple[str, ...] = ("original", "gift_card", "store_credit")
    refund_shipping: bool = True
    free_label: bool = False
    send_days: int = 21
    grey_hours: int = 72
    grey_default: str = "reject"


@dataclass(frozen=True, slots=True)
class Facts:
    """What one line's verdict rests on. `amount` is what the whole request is worth."""

    item: str
    delivered_at: datetime
    now: datetime
    condition: str
    fault: bool
    """Whether the reason is the shop's fault."""
    amount: int
    score: int


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    explanation: str
    """A sentence for the customer."""


def judge(policy: Policy, facts: Facts) -> Verdict:
    """One line under one policy; the first rule that does not hold speaks."""
    days = policy.fault_days if facts.fault else policy.window_days
    until = facts.delivered_at + timedelta(days=days)
    if policy.final_sale and not facts.fault:
        return Verdict("rejected", f"{facts.item} was sold as final sale and can only be sent back when it is faulty.")
    if not facts.fault and facts.condition not in policy.conditions:
        allowed = " or ".join(policy.conditions)
        return Verdict("rejected", f"{facts.item} can be sent back {allowed}, and you say it is {facts.condition}.")
    if facts.now > until + timedelta(days=policy.grey_days):
        return Verdict(
            "rejected", f"{facts.item} could be sent back for {days} days, until {_day(until)}; that is over."
        )
    if facts.now > until:
        return Verdict(
            "grey",
            f"The {days} days for {facts.item} ended on {_day(until)}; a person of the shop decides whether it still can be.",
        )
    if facts.score >= policy.abuse_from or facts.amount > policy.review_minor:
        return Verdict("grey", f"A person of the shop looks at the return of {facts.item} first.")
    return Verdict("authorised", f"{facts.item} can be sent back until {_day(until)}.")


def _day(instant: datetime) -> str:
    return f"{instant.day} {instant:%B %Y}"


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """The worst of several, with the sentences that led to it."""
    worst = max((v.outcome for v in verdicts), key=lambda outcome: _SEVERITY[outcome])
    said = dict.fromkeys(v.explanation for v in verdicts if v.outcome == worst)
    return Verdict(worst, " ".join(said))


def worse(found: str, said: str) -> bool:
    """Whether a thing is in a worse condition than it was said to be."""
    return CONDITIONS.index(found) > CONDITIONS.index(said)


RETURNS_FREE = 3
"""Returns of half a year that say nothing about a customer."""


def abuse(returns: int, mismatches: int, rejected_claims: int, accepted_claims: int) -> int:
    """0 (none) to 100 from a customer's last 180 days: how much sending back there was, and how often it was not as said."""
    score = 8 * max(returns - RETURNS_FREE, 0) + 25 * mismatches + 15 * rejected_claims
    return min(score + 5 * max(accepted_claims - 2, 0), 100)


@dataclass(frozen=True, slots=True)
class Replacement:
    """How a replacement is paid, minor units: `discount` is what the returned units are worth to it."""

    subtotal: int
    discount: int
    tax: int
    due: int
    """What the customer still pays; 0 when the replacement is not dearer."""
    back: int
    """What the customer gets back; 0 when it is not cheaper."""


def replace(subtotal: int, tax: int, credit: int, included: bool) -> Replacement:
    """A replacement of price `subtotal` with its `tax` for units that are worth `credit` (tax inside)."""
    whole = subtotal + (0 if included else tax)
    due, back = max(whole - credit, 0), max(credit - whole, 0)
    if due == 0:
        return Replacement(subtotal, subtotal, 0, 0, back)
    if included:
        return Replacement(subtotal, subtotal - due, split(tax, [due, whole - due])[0], due, 0)
    net, on_top = split(due, [subtotal, tax])
    return Replacement(subtotal, subtotal - net, on_top, due, 0)
