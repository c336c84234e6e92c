"""Approval: a proposal is weighed by its policy, decided by a rule or by people, and carried out with the decision."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from commerce.approval import limits, rules, statements, views
from commerce.approval.errors import (
    ContraryDecision,
    ForeignProposal,
    OwnProposal,
    PersonNeeded,
    ProposalChanged,
    ProposalLapsed,
    ProposalOver,
    UnknownKind,
    UnknownProposal,
)
from commerce.approval.events import (
    ProposalAccepted,
    ProposalConflict,
    ProposalExpired,
    ProposalFailed,
    ProposalMade,
    ProposalRejected,
)
from commerce.approval.permissions import DECIDE, PROPOSE, READ_PROPOSALS, SET_POLICIES
from commerce.approval.ports import Runs
from commerce.approval.rules import Rule, Verdict
from commerce.approval.schemas import Accepted, Decide, Draft, Kind, Policy, PolicyView, ProposalView, Proposed, Status
from commerce.approval.tables import Decision, Proposal
from commerce.identity import audit
from kernel import fault
from kernel.auth import Principal
from kernel.consent import demand
from kernel.db import Work
from kernel.errors import AgoraError
from kernel.errors import Kind as ErrorKind
from kernel.repository import Repository
from kernel.schemas import Page

POLICY = "policy"
"""The decider of what a rule decides: no subject of a person looks like it."""
HOUSE = "house"
"""Who proposes when no agent acts."""
CALM = timedelta(hours=24)
"""How long after a proposal was accepted its opposite needs a person."""
EXPIRED_MOST = 200


class ApprovalService:
    """An agent that is switched off neither proposes, nor is what it proposed carried out."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._kinds: dict[str, Kind] = {}
        self._proposals = Repository(Proposal, "merchant_id")

    def offer(self, *kinds: Kind) -> None:
        """What can be proposed in this process: called by the wiring."""
        self._kinds.update({kind.name: kind for kind in kinds})

    # --- by agents ---

    async def propose(self, work: Work, draft: Draft, run_id: UUID | None = None, tainted: bool = False) -> Proposed:
        """Weighs a draft: rejected, waiting, or carried out at once. The same proposal again is the one that waits.

        `tainted`: a model wanted it that had read more than its person's own words. Emits ProposalMade, ProposalAccepted,
        ProposalRejected, ProposalFailed, ProposalConflict. Raises ForeignProposal, AgentSwitchedOff, ConfirmationRequired."""
        who = work.principal
        who.require(PROPOSE)
        _require_own(who, draft)
        kind, agent = self._kind(draft.kind), who.act or HOUSE
        await self._runs.require_on(work, agent)
        await work.run(statements.ONE_AT_A_TIME, f"{kind.name} {draft.object}")
        policy, _ = await limits.policy_of(work, agent, kind)
        asked_by = await self._runs.asked_by(work, run_id) if run_id else None
        row = views.row(work, draft, agent, asked_by or who.subject, run_id, policy)
        held = await self._waiting(work, row)
        if held and (held.stance, held.arguments, held.amount) == (row.stance, row.arguments, row.amount):
            return views.proposed(held)
        found = await self._weigh(work, kind, policy, row, draft.change, held)
        if tainted and kind.moves and found.answer == "accept":
            found = await _own_wish(work, row)
        row.rule, row.needed = found.rule, found.needed
        row.digest = views.digest(row)
        if held and found.answer != "reject":
            await self._give_way(work, held, row)
        if found.answer == "reject":
            await self._refuse(work, row, held)
            return views.proposed(row)
        await self._proposals.add(work, row)
        if found.answer == "accept":
            await self._decide(work, row, POLICY, True, row.rule)
            await self._carry_out(work, kind, row, "rule")
        else:
            work.emit(ProposalMade(**views.told(row), needed=row.needed, amount=row.amount, currency=row.currency))
        return views.proposed(row)

    async def _weigh(
        self, work: Work, kind: Kind, policy: Policy, row: Proposal, change: int, held: Proposal | None
    ) -> Verdict:
        """What the policy says; unless it is a refusal, the day's caps hold the amount from here on."""
        amount = views.amount(row)
        if refused := rules.bounds(policy, amount, change):
            return refused
        if held and not rules.outweighs(kind.stances, views.claim(row), views.claim(held)):
            return Verdict("reject", Rule.OPPOSITE)
        if held:
            await limits.lock(work, row, held)
        if refused := await limits.reserve(work, row, policy):
            return refused
        contrary = await work.value(statements.CONTRARY, row.kind, row.object, row.stance, work.now - CALM)
        return rules.verdict(policy, amount, contrary)

    async def _waiting(self, work: Work, row: Proposal) -> Proposal | None:
        """The proposal that waits on the same object, locked. One whose time is over ends here."""
        column = self._proposals.table.c
        found = await self._proposals.find(
            work, column.kind == row.kind, column.object == row.object, column.status == "waiting"
        )
        if found is None:
            return None
        (held,) = await self._proposals.lock(work, [found.id])
        if held.status != "waiting":
            return None
        if held.expires_at <= work.now:
            await limits.lock(work, row, held)
            await self._lapse(work, held)
            return None
        return held

    async def _give_way(self, work: Work, held: Proposal, winner: Proposal) -> None:
        """The proposal that waited loses against a new one, by rule and for everybody to see."""
        await self._decide(work, held, POLICY, False, Rule.OPPOSITE)
        await self._close(work, held, "rejected")
        await limits.give_back(work, held)
        self._conflict(work, held, winner)

    async def _refuse(self, work: Work, row: Proposal, held: Proposal | None) -> None:
        """Keeps a proposal that a rule rejected."""
        row.status, row.decided_at = "rejected", work.now
        await self._proposals.add(work, row)
        await self._decide(work, row, POLICY, False, row.rule)
        if held and row.rule == Rule.OPPOSITE:
            self._conflict(work, row, held)
        else:
            work.emit(ProposalRejected(**views.told(row), by="rule", rule=row.rule))
            audit.append(work, "proposal.rejected", views.name(row), rule=row.rule, digest=row.digest.hex())

    def _conflict(self, work: Work, loser: Proposal, winner: Proposal) -> None:
        work.emit(
            ProposalRejected(**views.told(loser), by="rule", rule=Rule.OPPOSITE),
            ProposalConflict(**views.told(loser), winner_id=winner.id),
        )
        audit.append(work, "proposal.outweighed", views.name(loser), by=views.name(winner), digest=loser.digest.hex())

    # --- by people ---

    async def decide(self, work: Work, proposal_id: UUID, command: Decide) -> ProposalView:
        """One person's yes or no. The last yes that is needed carries it out in this transaction; the same answer again
        changes nothing and gets the same view. Emits ProposalAccepted, ProposalRejected or ProposalFailed.

        Raises UnknownProposal, OwnProposal, PersonNeeded, ProposalChanged, ContraryDecision, ProposalOver,
        ProposalLapsed, and AgentSwitchedOff."""
        who = work.principal
        who.require(DECIDE)
        if who.act or who.user_id is None:
            raise PersonNeeded()
        found = await self._proposals.lock(work, [proposal_id])
        if not found:
            raise UnknownProposal()
        row = found[0]
        kind = self._kind(row.kind)
        who.require(kind.permission)
        await self._admit(work, row, command)
        if row.status != "waiting" or await self._said(work, row, who.subject) is not None:
            return await self._view(work, row)
        if not command.accept:
            await self._decide(work, row, who.subject, False, command.note)
            await self._close(work, row, "rejected")
            await limits.give_back(work, row)
            work.emit(ProposalRejected(**views.told(row), by="person"))
            audit.append(work, "proposal.rejected", views.name(row), digest=row.digest.hex())
            return await self._view(work, row)
        await self._runs.require_on(work, row.agent)
        await self._decide(work, row, who.subject, True, command.note)
        audit.append(work, "proposal.accepted", views.name(row), digest=row.digest.hex(), needed=row.needed)
        if len(await self._agreed(work, row)) >= row.needed:
            await self._carry_out(work, kind, row, "person")
        return await self._view(work, row)

    async def _admit(self, work: Work, row: Proposal, command: Decide) -> None:
        """Refuses a decision that may not be, or that contradicts what was decided; lets the same one again through."""
        if row.subject == work.principal.subject:
            raise OwnProposal()
        if views.digest(row) != row.digest or (command.digest and command.digest != row.digest.hex()):
            raise ProposalChanged()
        said = await self._said(work, row, work.principal.subject)
        if said is not None and said != command.accept:
            raise ContraryDecision()
        if said is not None:
            return
        if row.status == "expired" or (row.status == "waiting" and row.expires_at <= work.now):
            raise ProposalLapsed()
        if row.status != "waiting" and command.accept != (row.status in ("accepted", "failed")):
            raise ProposalOver(status=row.status)

    # --- by the clock ---

    async def expired(self, work: Work) -> list[UUID]:
        """Proposals that nobody decided in time: to be ended, one unit of work each."""
        rows = await work.rows(
            "select id from agent_proposals where status = 'waiting' and expires_at <= $1 order by expires_at limit $2",
            *(work.now, EXPIRED_MOST),
        )
        return [row["id"] for row in rows]

    async def expire(self, work: Work, proposal_id: UUID) -> None:
        """Ends a proposal whose time is over. Idempotent. Emits ProposalExpired."""
        for row in await self._proposals.lock(work, [proposal_id]):
            if row.status == "waiting" and row.expires_at <= work.now:
                await self._lapse(work, row)

    # --- what people see and set ---

    async def page(
        self,
        work: Work,
        status: Status | None = None,
        agent: str | None = None,
        object_: str | None = None,
        cursor: str | None = None,
        size: int = 20,
    ) -> Page[ProposalView]:
        """Proposals, newest first: all for staff, a merchant's own shops'."""
        work.principal.require(READ_PROPOSALS)
        column = self._proposals.table.c
        asked = ((column.status, status), (column.agent, agent), (column.object, object_))
        where = [of == wanted for of, wanted in asked if wanted is not None]
        rows, following = await self._proposals.page(work, *where, cursor=cursor, size=size)
        return Page(items=await self._views(work, rows), next=following)

    async def view(self, work: Work, proposal_id: UUID) -> ProposalView:
        """Raises UnknownProposal, also for one of somebody else's shop."""
        work.principal.require(READ_PROPOSALS)
        row = await self._proposals.get(work, proposal_id)
        if row is None:
            raise UnknownProposal()
        return await self._view(work, row)

    async def of_run(self, work: Work, run_id: UUID) -> list[ProposalView]:
        """What an agent proposed in one run, in its order."""
        work.principal.require(READ_PROPOSALS)
        return await self._views(work, await self._proposals.all(work, self._proposals.table.c.run_id == run_id))

    async def policies(self, work: Work, agent: str) -> list[PolicyView]:
        """What holds for each kind, if this agent proposes it."""
        work.principal.require(SET_POLICIES)
        found = [(kind, *await limits.policy_of(work, agent, kind)) for kind in self._kinds.values()]
        return [PolicyView(kind=kind.name, policy=policy, own=own) for kind, policy, own in found]

    async def set_policy(self, work: Work, agent: str, kind: str, policy: Policy) -> PolicyView:
        """Replaces the limits of an agent for a kind, from the next proposal on. Raises UnknownKind."""
        work.principal.require(SET_POLICIES)
        name = self._kind(kind).name
        await work.run(
            statements.SET_POLICY, agent, name, policy.model_dump(mode="json"), work.now, work.principal.subject
        )
        audit.append(work, "policy.set", f"agent:{agent}", kind=name, **policy.model_dump(mode="json"))
        return PolicyView(kind=name, policy=policy, own=True)

    # --- inside ---

    def _kind(self, name: str) -> Kind:
        if name not in self._kinds:
            raise UnknownKind(name=name)
        return self._kinds[name]

    async def _carry_out(self, work: Work, kind: Kind, row: Proposal, by: str) -> None:
        """The effect, with the decision or not at all. When the state has moved on, the proposal fails and nothing else
        changes; when a part is down, the whole decision is undone and can be made again."""
        fault.point("approval.decision.before_effect")
        status, row.result, row.code = "accepted", None, None
        try:
            people = await self._agreed(work, row) if by == "person" else ()
            async with work.attempt():
                row.result = await kind.carry_out(work, Accepted(row.id, row.arguments, views.amount(row), people))
        except AgoraError as error:
            if error.kind is ErrorKind.UNAVAILABLE:
                raise
            status, row.code = "failed", error.code
        fault.point("approval.decision.after_effect")
        await self._close(work, row, status)
        if row.code:
            await limits.give_back(work, row)
            work.emit(ProposalFailed(**views.told(row), code=row.code))
        else:
            work.emit(ProposalAccepted(**views.told(row), by=by))
        audit.append(work, f"proposal.{'failed' if row.code else 'carried_out'}", views.name(row), by=by, code=row.code)
        work.last(_before_commit)
        work.after_commit(_after_commit)

    async def _close(self, work: Work, row: Proposal, status: str) -> None:
        """The one change of a proposal's status."""
        moved = await work.run(statements.CLOSE, row.id, row.digest, status, row.code, row.result, work.now)
        if not moved:
            raise ProposalOver(status=row.status)
        row.status, row.decided_at = status, work.now

    async def _lapse(self, work: Work, row: Proposal) -> None:
        await self._close(work, row, "expired")
        await limits.give_back(work, row)
        work.emit(ProposalExpired(**views.told(row)))
        audit.append(work, "proposal.expired", views.name(row), digest=row.digest.hex())

    async def _decide(self, work: Work, row: Proposal, decider: str, accept: bool, note: str) -> None:
        await work.run(statements.DECIDE, row.id, decider, accept, note, row.digest, row.subject, work.now)

    async def _said(self, work: Work, row: Proposal, decider: str) -> bool | None:
        found: bool | None = await work.value(
            "select accept from agent_decisions where proposal_id = $1 and decider = $2", row.id, decider
        )
        return found

    async def _agreed(self, work: Work, row: Proposal) -> tuple[str, ...]:
        query = "select decider from agent_decisions where proposal_id = $1 and accept order by at"
        return tuple(found["decider"] for found in await work.rows(query, row.id))

    async def _view(self, work: Work, row: Proposal) -> ProposalView:
        return (await self._views(work, [row]))[0]

    async def _views(self, work: Work, rows: Sequence[Proposal]) -> list[ProposalView]:
        found = await work.rows(statements.DECISIONS, [row.id for row in rows]) if rows else []
        return [views.view(row, [Decision(**dict(d)) for d in found if d["proposal_id"] == row.id]) for row in rows]


async def _before_commit() -> None:
    fault.point("approval.decision.before_commit")


async def _after_commit() -> None:
    fault.point("approval.decision.after_commit")


async def _own_wish(work: Work, row: Proposal) -> Verdict:
    """What a rule would accept, and others' words may have asked for: in a conversation its person says yes to exactly
    this (ConfirmationRequired until then); where there is nobody to ask it waits for people (ADR 0020)."""
    if work.principal.session is None:
        return Verdict("wait", Rule.OTHERS_WORDS)
    facts = {name: getattr(row, name) for name in ("kind", "object", "stance", "arguments", "amount", "currency")}
    await demand(work, "approval.propose", f"{row.summary.removesuffix('.')}?", **facts)
    return Verdict("accept", Rule.WITHIN)


def _require_own(who: Principal, draft: Draft) -> None:
    """A customer proposes for themselves, a merchant for their own shops; staff for anybody."""
    if who.is_staff:
        return
    foreign = draft.customer_id not in (None, who.customer_id) or (
        draft.merchant_id is not None and draft.merchant_id not in who.merchant_ids
    )
    if foreign or (draft.customer_id is None and draft.merchant_id is None):
        raise ForeignProposal()
