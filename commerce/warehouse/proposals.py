"""A variance, put to a person by an agent: the count as it was entered, to be applied or not. Who counted does not decide."""

from uuid import UUID

from commerce.approval import Accepted, Draft, Kind, Policy
from commerce.warehouse.counting import Counting, codes
from commerce.warehouse.errors import CountState, NothingWaits, SecondPersonNeeded
from commerce.warehouse.permissions import APPROVE, COUNT
from commerce.warehouse.slips import CountView, DecideCount
from kernel.db import Work
from kernel.ids import public
from kernel.tables import Json

KIND = "warehouse.variance"
POLICY = Policy(accept_most=None, minutes=10_080)
"""A rule never accepts: what is missing may be stolen. It waits for a week."""

_WHOSE = "select merchant_id, entered_by from warehouse_cycle_counts where id = $1"


class VarianceProposals:
    def __init__(self, counting: Counting) -> None:
        self._counting = counting

    @property
    def kind(self) -> Kind:
        return Kind(KIND, APPROVE, ("apply",), POLICY, self.carry_out)

    async def draft(self, work: Work, count_id: UUID | None) -> Draft:
        """A proposal to apply a count that waits: the named one, or the oldest. Raises UnknownCount, NothingWaits, CountState."""
        work.principal.require(COUNT)
        count = await self._counting.count(work, count_id) if count_id else await self._oldest(work)
        if count.status != "waiting":
            raise CountState(status=count.status)
        row = await work.row(_WHOSE, count.id)
        assert row is not None, "it was seen"
        return Draft(
            kind=KIND,
            object=public("cnt", count.id),
            stance="apply",
            arguments={"count_id": str(count.id)},
            amount=None,
            summary=f"Apply a count that is {count.variance} units off ({count.reason}): {codes(count.lines)}.",
            merchant_id=row["merchant_id"],
        )

    async def carry_out(self, work: Work, accepted: Accepted) -> Json:
        """Applies the count in the name of who accepted. Raises CountState, SecondPersonNeeded, CountOutdated."""
        count_id = UUID(accepted.arguments["count_id"])
        people = await work.rows(
            "select decider from agent_decisions where proposal_id = $1 and accept order by decider", accepted.id
        )
        row = await work.row(_WHOSE, count_id)
        deciders = [found["decider"] for found in people if row and found["decider"] != row["entered_by"]]
        if not deciders:
            raise SecondPersonNeeded()
        await self._counting.decide(work, count_id, DecideCount(accept=True), deciders[0])
        return {"count": public("cnt", count_id)}

    async def _oldest(self, work: Work) -> CountView:
        for count in await self._counting.waiting(work):
            if count.status == "waiting":
                return count
        raise NothingWaits()
