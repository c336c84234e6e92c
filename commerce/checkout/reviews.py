"""The grey zone of risk: a purchase that waits is released or stopped, by a person or by an accepted proposal."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from commerce.approval import Accepted, Draft, Kind, Policy
from commerce.checkout import saga
from commerce.checkout.errors import NothingToReview
from commerce.order import OrderService
from commerce.payment import PaymentService
from commerce.payment.permissions import REVIEW_FRAUD
from kernel.db import Work
from kernel.ids import parse, public
from kernel.money import Money
from kernel.saga_store import wake
from kernel.tables import Json

KIND = "payment.review_verdict"
Verdict = Literal["release", "stop"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A purchase in the grey zone: what is at stake, and why the rule would not decide."""

    group_id: UUID
    amount: Money
    score: int
    reasons: list[str]


class ReviewService:
    def __init__(self, order: OrderService, payment: PaymentService) -> None:
        self._order = order
        self._payment = payment

    @property
    def kind(self) -> Kind:
        """A verdict always needs a person, and a second one from ten thousand units of the currency on. It lives
        as long as the saga waits: then the rule decides."""
        policy = Policy(two_from=1_000_000, minutes=int(saga.REVIEW_SECONDS // 60))
        return Kind(KIND, REVIEW_FRAUD, ("stop", "release"), policy, self.carry_out)

    async def draft(self, work: Work, purchase: str, verdict: Verdict, reason: str) -> Draft:
        """A proposal to release or stop a purchase, named by its id (grp_...) or the number of one of its orders.

        Raises OrderNotFound, NothingToReview."""
        work.principal.require(REVIEW_FRAUD)
        found = await self._waiting(work, purchase)
        why = ", ".join(found.reasons).replace("_", " ") or "no single reason"
        does = {
            "release": "Release it: the payment goes on",
            "stop": "Stop it: nothing is charged, the stock comes back",
        }
        name = public("grp", found.group_id)
        return Draft(
            kind=KIND,
            object=name,
            stance=verdict,
            arguments={"group_id": str(found.group_id), "verdict": verdict},
            amount=found.amount,
            summary=f"Purchase {name} of {found.amount} waits for a review (risk {found.score} of 100: {why}). "
            f"{does[verdict]}.",
            reason=reason,
        )

    async def carry_out(self, work: Work, accepted: Accepted) -> Json:
        """Settles the review and wakes the purchase. Raises NothingToReview when it went on without one."""
        group_id, verdict = UUID(accepted.arguments["group_id"]), accepted.arguments["verdict"]
        await self.settle(work, group_id, verdict == "release", f"proposal:{accepted.id}")
        return {"purchase": public("grp", group_id), "verdict": verdict}

    async def settle(self, work: Work, group_id: UUID, accept: bool, decided_by: str) -> None:
        """Decides a purchase in the grey zone, once, and wakes its saga. Raises OrderNotFound, NothingToReview."""
        work.principal.require(REVIEW_FRAUD)
        await self._order.group(work, group_id)
        intent = await self._payment.intent_of(work, group_id)
        if intent is None or not await self._payment.decide(work, intent.id, accept, decided_by):
            raise NothingToReview()
        await wake(work, saga.KIND, group_id)

    async def _waiting(self, work: Work, purchase: str) -> Waiting:
        try:
            group_id = parse("grp", purchase)
        except ValueError:
            group_id = (await self._order.named(work, purchase)).group_id
        group = await self._order.group(work, group_id)
        intent = await self._payment.intent_of(work, group_id)
        check = await self._payment.check(work, intent.id) if intent else None
        if check is None or check.decision != "review":
            raise NothingToReview()
        return Waiting(group_id, Money(group.total, group.currency), check.score, list(check.reasons))
