"""A note on a ticket, proposed by an agent for whoever answers it; its owner never sees it."""

from uuid import UUID

from commerce.approval import Accepted, Draft, Kind, Policy
from commerce.pricing import PricingService
from commerce.support.errors import TicketClosed
from commerce.support.permissions import WORK_TICKETS
from commerce.support.schemas import Reply
from commerce.support.service import SupportService
from kernel.db import Work
from kernel.ids import public
from kernel.money import Money
from kernel.tables import Json

KIND = "support.note"
POLICY = Policy(accept_most=0, times_a_day=5_000)
"""A note costs nothing and moves nothing: it is taken at once."""


class NoteService:
    def __init__(self, support: SupportService, pricing: PricingService) -> None:
        self._support = support
        self._pricing = pricing

    @property
    def kind(self) -> Kind:
        return Kind(KIND, WORK_TICKETS, ("note",), POLICY, self.carry_out, moves=False)

    async def draft(self, work: Work, ticket: str, text: str) -> Draft:
        """A proposal to note something on a ticket, named by its number or id. Raises UnknownTicket, TicketClosed."""
        work.principal.require(WORK_TICKETS)
        found = await self._support.named(work, ticket)
        if found.status == "closed":
            raise TicketClosed()
        return Draft(
            kind=KIND,
            object=public("tkt", found.id),
            stance="note",
            arguments={"ticket_id": str(found.id), "text": text},
            amount=Money(0, (await self._pricing.channel(work)).currency),
            summary=f"Note on ticket {found.number}, for the house alone: {text}",
        )

    async def carry_out(self, work: Work, accepted: Accepted) -> Json:
        """Raises TicketClosed."""
        ticket_id, text = UUID(accepted.arguments["ticket_id"]), accepted.arguments["text"]
        await self._support.reply(work, ticket_id, Reply(body=text, internal=True))
        return {"ticket": public("tkt", ticket_id)}
