"""Pure rules of approval: what a policy says to a proposal, and which of two that contradict each other stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from commerce.approval.schemas import Policy
from kernel.money import Money

BASIS = 10_000
"""Basis points of a whole: `change` and `change_most` count in them."""


class Rule(StrEnum):
    """The numbered rules of every policy, in the order they are asked."""

    CLOSED = "APPROVAL-1"
    AMOUNT = "APPROVAL-2"
    CHANGE = "APPROVAL-3"
    OPPOSITE = "APPROVAL-4"
    AGENT_DAY = "APPROVAL-5"
    PARTY_DAY = "APPROVAL-6"
    ONE_PERSON = "APPROVAL-7"
    TWO_PEOPLE = "APPROVAL-8"
    CONTRARY = "APPROVAL-9"
    WITHIN = "APPROVAL-10"
    OTHERS_WORDS = "APPROVAL-11"


TEXTS = {
    Rule.CLOSED: "This agent may not propose this.",
    Rule.AMOUNT: "The amount is above what one proposal may hold.",
    Rule.CHANGE: "The change is larger than one proposal may make.",
    Rule.OPPOSITE: "Another open proposal on the same object takes precedence.",
    Rule.AGENT_DAY: "The agent has used up what it may propose today.",
    Rule.PARTY_DAY: "What may be proposed today for this customer or shop is used up.",
    Rule.ONE_PERSON: "A person has to decide.",
    Rule.TWO_PEOPLE: "Two different people have to agree.",
    Rule.CONTRARY: "The opposite was accepted lately: a person has to decide.",
    Rule.WITHIN: "Within the limits of the policy: accepted at once.",
    Rule.OTHERS_WORDS: "The agent had read what others wrote: a person has to decide.",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says; `needed` people where it waits."""

    answer: Literal["accept", "wait", "reject"]
    rule: Rule
    needed: int = 1


@dataclass(frozen=True, slots=True)
class Claim:
    """What counts of a proposal when two contradict each other."""

    stance: str
    amount: int
    created_at: datetime
    id: UUID


def bounds(policy: Policy, amount: Money | None, change: int) -> Verdict | None:
    """The refusal of a proposal that no person could accept either, None for one within the limits."""
    if not policy.enabled:
        return Verdict("reject", Rule.CLOSED)
    if amount and policy.most is not None and amount.minor > policy.most:
        return Verdict("reject", Rule.AMOUNT)
    if policy.change_most is not None and change > policy.change_most:
        return Verdict("reject", Rule.CHANGE)
    return None


def verdict(policy: Policy, amount: Money | None, contrary: bool) -> Verdict:
    """Accepted at once, or how many people have to. What cannot be put in money always waits; `contrary` says that the
    opposite was accepted lately, so that two agents cannot move a thing to and fro on their own."""
    if amount and policy.two_from is not None and amount.minor >= policy.two_from:
        return Verdict("wait", Rule.TWO_PEOPLE, 2)
    if amount is None or policy.accept_most is None or amount.minor > policy.accept_most:
        return Verdict("wait", Rule.ONE_PERSON)
    return Verdict("wait", Rule.CONTRARY) if contrary else Verdict("accept", Rule.WITHIN)


def outweighs(stances: Sequence[str], new: Claim, held: Claim) -> bool:
    """Whether a new proposal displaces the one that waits: the more careful stance stays (`stances` begins with it), then
    the smaller amount, then the earlier one. Whatever the order they come in, the same one stays."""

    def weight(claim: Claim) -> tuple[int, int, datetime, UUID]:
        return stances.index(claim.stance), claim.amount, claim.created_at, claim.id

    return weight(new) < weight(held)
