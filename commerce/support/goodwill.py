"""Goodwill: a gift card for the owner of a ticket, proposed by an agent, given by whoever the policy lets decide."""

from uuid import UUID

from commerce.approval import Accepted, Draft, Kind, Policy
from commerce.order import OrderService
from commerce.payment import PaymentService
from commerce.pricing import PricingService
from commerce.support.errors import TicketClosed, TicketWithoutCustomer
from commerce.support.permissions import WORK_TICKETS
from commerce.support.schemas import Reply, TicketView
from commerce.support.service import SupportService
from commerce.support.tables import Ticket
from kernel.db import Work
from kernel.ids import public
from kernel.money import Money
from kernel.repository import Repository
from kernel.tables import Json

KIND = "support.goodwill"
POLICY = Policy(
    accept_most=1_000, two_from=10_000, most=50_000, party_most_a_day=20_000, agent_most_a_day=200_000, minutes=4_320
)
"""Ten units of the currency at once, people from there on, two of them from a hundred."""


class GoodwillService:
    def __init__(
        self, support: SupportService, order: OrderService, pricing: PricingService, payment: PaymentService
    ) -> None:
        self._support = support
        self._order = order
        self._pricing = pricing
        self._payment = payment
        self._tickets = Repository(Ticket)

    @property
    def kind(self) -> Kind:
        return Kind(KIND, WORK_TICKETS, ("give",), POLICY, self.carry_out)

    async def draft(self, work: Work, number: str, minor: int, reason: str) -> Draft:
        """A proposal to give the owner of a ticket `minor` units, in the currency of the order it is about.

        Raises UnknownTicket, TicketClosed, TicketWithoutCustomer."""
        work.principal.require(WORK_TICKETS)
        ticket = await self._support.find(work, number)
        if ticket.status == "closed":
            raise TicketClosed()
        amount = Money(minor, await self._currency(work, ticket))
        return Draft(
            kind=KIND,
            object=public("tkt", ticket.id),
            stance="give",
            arguments={"ticket_id": str(ticket.id)},
            amount=amount,
            summary=f"Give the customer of ticket {ticket.number} a gift card of {amount}, and tell them so there.",
            reason=reason,
            customer_id=await self._owner(work, ticket.id),
        )

    async def carry_out(self, work: Work, accepted: Accepted) -> Json:
        """The gift card among the customer's ways to pay, and an answer to the ticket. Raises TicketClosed."""
        ticket_id, amount = UUID(accepted.arguments["ticket_id"]), accepted.amount
        assert amount is not None, "goodwill is always in money"
        await self._payment.grant(work, await self._owner(work, ticket_id), amount, accepted.id)
        body = f"We have added a gift card of {amount} to your account: you can pay with it from now on."
        await self._support.reply(work, ticket_id, Reply(body=body))
        return {"ticket": public("tkt", ticket_id), "gift_card": str(amount)}

    async def _owner(self, work: Work, ticket_id: UUID) -> UUID:
        ticket = await self._tickets.get(work, ticket_id)
        if ticket is None or ticket.customer_id is None:
            raise TicketWithoutCustomer()
        return ticket.customer_id

    async def _currency(self, work: Work, ticket: TicketView) -> str:
        if ticket.order_id is None:
            return (await self._pricing.channel(work)).currency
        return (await self._order.view(work, ticket.order_id)).totals.total.currency
