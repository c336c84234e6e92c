"""Proposals as rows, as their hash, and as people see them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from commerce.approval.rules import TEXTS, Claim, Rule
from commerce.approval.schemas import DecisionView, Draft, Policy, ProposalView, Proposed
from commerce.approval.tables import Decision, Proposal
from kernel.consent import digest_of
from kernel.db import Work
from kernel.ids import new_id
from kernel.money import Money
from kernel.schemas import MoneyView

BOUND = (
    *("agent", "kind", "object", "stance", "arguments", "amount", "currency", "summary", "customer_id", "merchant_id"),
    "needed",
)
"""What a decision is bound to, beside whom the agent acted for."""


def row(work: Work, draft: Draft, agent: str, subject: str, run_id: UUID | None, policy: Policy) -> Proposal:
    """The row of a draft that waits, for whoever wished it; rule, needed people and digest follow from the verdict."""
    return Proposal(
        id=new_id(),
        agent=agent,
        kind=draft.kind,
        object=draft.object,
        stance=draft.stance,
        arguments=draft.arguments,
        amount=draft.amount.minor if draft.amount else None,
        currency=draft.amount.currency if draft.amount else None,
        summary=draft.summary,
        reason=draft.reason,
        subject=subject,
        customer_id=draft.customer_id,
        merchant_id=draft.merchant_id,
        run_id=run_id,
        status="waiting",
        code=None,
        result=None,
        created_at=work.now,
        expires_at=work.now + timedelta(minutes=policy.minutes),
        decided_at=None,
    )


def digest(found: Proposal) -> bytes:
    """SHA-256 over everything that a decision says yes to."""
    return digest_of("approval", found.subject, {"id": found.id, **{name: getattr(found, name) for name in BOUND}})


def amount(found: Proposal) -> Money | None:
    return Money(found.amount, found.currency) if found.amount is not None and found.currency else None


def claim(found: Proposal) -> Claim:
    return Claim(found.stance, found.amount or 0, found.created_at, found.id)


def name(found: Proposal) -> str:
    """How the audit log calls it."""
    return f"proposal:{found.id}"


def told(found: Proposal) -> dict[str, Any]:
    """What every event of a proposal carries."""
    return {"proposal_id": found.id, "agent": found.agent, "kind": found.kind, "object": found.object}


def proposed(found: Proposal) -> Proposed:
    facts = {name: getattr(found, name) for name in ("status", "summary", "rule", "code")}
    return Proposed.model_validate({**facts, "proposal": found.id, "why": TEXTS[Rule(found.rule)]})


def view(found: Proposal, decisions: Sequence[Decision]) -> ProposalView:
    money = amount(found)
    facts = {name: getattr(found, name) for name in ProposalView.model_fields if hasattr(found, name)}
    return ProposalView.model_validate(
        {
            **facts,
            "amount": MoneyView.of(money) if money else None,
            "agent_says": found.reason,
            "why": TEXTS[Rule(found.rule)],
            "decisions": [DecisionView(decider=d.decider, accept=d.accept, note=d.note, at=d.at) for d in decisions],
            "digest": found.digest.hex(),
            "proposed_for": found.subject,
        }
    )
