"""Policies by agent and kind, and the day's caps: reserved before anything waits or happens."""

from commerce.approval import statements
from commerce.approval.rules import Rule, Verdict
from commerce.approval.schemas import Kind, Policy
from commerce.approval.tables import Proposal
from kernel.db import Work

IN_ALL = "agent"
NO_MONEY = "-"


async def policy_of(work: Work, agent: str, kind: Kind) -> tuple[Policy, bool]:
    """The limits that hold, and whether somebody set them for this agent."""
    row = await work.row("select limits from agent_policies where agent = $1 and kind = $2", agent, kind.name)
    return (Policy.model_validate(row["limits"]), True) if row else (kind.policy, False)


async def lock(work: Work, *rows: Proposal) -> None:
    """Takes the caps of proposals that contradict each other in one order: two agents that displace each other's would
    otherwise wait for each other."""
    keys = [(r.agent, r.kind, scope, r.currency or NO_MONEY, r.created_at.date()) for r in rows for scope in scopes(r)]
    await work.run(statements.LOCK_CAPS, *[list(column) for column in zip(*keys, strict=True)])


async def reserve(work: Work, row: Proposal, policy: Policy) -> Verdict | None:
    """Books a proposal against the caps of its day; the refusal when one is used up, and then nothing is booked."""
    in_all, party = scopes(row)
    if not await _book(work, row, in_all, policy.agent_most_a_day, policy.times_a_day):
        return Verdict("reject", Rule.AGENT_DAY)
    if not await _book(work, row, party, policy.party_most_a_day, policy.times_a_day):
        await _give_back(work, row, [in_all])
        return Verdict("reject", Rule.PARTY_DAY)
    return None


async def give_back(work: Work, row: Proposal) -> None:
    """What a proposal that comes to nothing had booked is free again."""
    await _give_back(work, row, scopes(row))


def scopes(row: Proposal) -> list[str]:
    """In the order their rows are locked: the agent in all, and the customer, shop or caller it is about."""
    if row.customer_id:
        return [IN_ALL, f"customer:{row.customer_id}"]
    return [IN_ALL, f"merchant:{row.merchant_id}" if row.merchant_id else row.subject]


async def _book(work: Work, row: Proposal, scope: str, most: int | None, times: int) -> bool:
    used = await work.value(
        statements.RESERVE,
        *(row.agent, row.kind, scope, row.currency or NO_MONEY, row.created_at.date(), row.amount or 0, most, times),
    )
    return used is not None


async def _give_back(work: Work, row: Proposal, held: list[str]) -> None:
    await work.run(
        statements.GIVE_BACK,
        *(row.agent, row.kind, held, row.currency or NO_MONEY, row.created_at.date(), row.amount or 0),
    )
