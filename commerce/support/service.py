"""Tickets: opened by a customer, a guest, a merchant or the house, answered by the house, measured by a clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from commerce.customer import CustomerService
from commerce.identity import IdentityService
from commerce.notification import NotificationService
from commerce.order import OrderService, OrderView
from commerce.support import clock, rules, statements, telling, views
from commerce.support.articles import ArticleService
from commerce.support.errors import (
    AlreadyRated,
    NotSolvedYet,
    NotYourTicket,
    TicketClosed,
    TicketEmailNeeded,
    UnknownAssignee,
)
from commerce.support.events import TicketOpened, TicketReplied, TicketResolved
from commerce.support.macros import MacroService
from commerce.support.permissions import OWN_TICKETS, SET_TARGETS, WORK_TICKETS
from commerce.support.recalled import Recalled
from commerce.support.schemas import (
    ArticleHit,
    Assign,
    Change,
    Escalate,
    HandOver,
    MoveTicket,
    OpenTicket,
    Rate,
    Reply,
    SetTargets,
    TargetsView,
    TicketLine,
    TicketView,
)
from commerce.support.store import TicketStore
from commerce.support.tables import SlaPolicy, Ticket
from kernel.auth import Principal
from kernel.consent import demand
from kernel.db import Work, law
from kernel.errors import Unauthenticated
from kernel.ids import new_id, parse
from kernel.inbox import Delivery
from kernel.repository import Repository
from kernel.schemas import Page

TEAM = ("support", "admin")
"""Roles a ticket can be assigned to."""


class SupportService:
    """`articles` and `macros` are the two shelves of the desk."""

    def __init__(
        self,
        identity: IdentityService,
        customer: CustomerService,
        order: OrderService,
        notification: NotificationService,
    ) -> None:
        self._identity = identity
        self._customer = customer
        self._order = order
        self._notification = notification
        self._tickets = TicketStore()
        self._policies = Repository(SlaPolicy)
        self.articles = ArticleService()
        self.recalled = Recalled(customer)
        self.macros = MacroService(self._tickets, customer, order)

    # --- by whoever asks ---

    async def open(self, work: Work, command: OpenTicket, handover: HandOver | None = None) -> TicketView:
        """A new ticket of the caller; a chat adds what it knows as `handover`. Emits TicketOpened.

        Raises OrderNotFound (also for somebody else's order), TicketEmailNeeded. Opened by staff it is nobody's:
        shown to the house alone, answered to `email` where there is one."""
        work.principal.require(OWN_TICKETS)
        side = _side(work.principal)
        if handover is None:  # a chat hands over because its person asked for somebody: that is their yes
            asked = f"Open a ticket “{command.subject}” with our support?"
            await demand(work, "support.open", asked, **command.model_dump())
        urgency = rules.priority(command.category, command.priority, side)
        ticket = await self._ticket(work, command, urgency)
        if handover:
            ticket.summary, ticket.transcript = handover.summary, [turn.model_dump() for turn in handover.transcript]
        await self._tickets.open(work, ticket)
        await self._tickets.say(work, ticket, side, command.body)
        await self._tickets.save(work, ticket, Change("opened", {"channel": ticket.channel, "priority": urgency}))
        work.emit(TicketOpened(ticket_id=ticket.id, channel=ticket.channel, category=ticket.category, priority=urgency))
        return await self._view(work, ticket)

    async def mine(
        self, work: Work, cursor: str | None = None, size: int = 20, status: str | None = None
    ) -> Page[TicketLine]:
        """The caller's tickets, newest first; every ticket for staff."""
        work.principal.require(OWN_TICKETS)
        found, following = await self._tickets.page(work, status, cursor, size)
        return Page(items=[views.line(ticket) for ticket in found], next=following)

    async def view(self, work: Work, ticket_id: UUID) -> TicketView:
        """Raises UnknownTicket, also for somebody else's."""
        work.principal.require(OWN_TICKETS)
        return await self._view(work, await self._tickets.get(work, ticket_id))

    async def find(self, work: Work, number: str) -> TicketView:
        """A ticket of the caller by the number people know, such as T-1001. Raises UnknownTicket."""
        work.principal.require(OWN_TICKETS)
        return await self._view(work, await self._tickets.by_number(work, number))

    async def named(self, work: Work, name: str) -> TicketView:
        """A ticket of the caller by its number or its id. Raises UnknownTicket."""
        try:
            return await self.view(work, parse("tkt", name))
        except ValueError:
            return await self.find(work, name)

    async def said(self, work: Work, message_ids: Sequence[UUID]) -> dict[UUID, str]:
        """What the house answered in these messages; never a note. For whoever passes it on."""
        work.principal.require(WORK_TICKETS)
        rows = await work.rows(statements.SAID, list(message_ids))
        return {row["id"]: row["body"] for row in rows}

    async def reply(self, work: Work, ticket_id: UUID, command: Reply) -> TicketView:
        """A message. Its owner's opens the ticket again; the house's ends the first response, waits for its owner and
        emits TicketReplied; a note changes nothing but the history. Raises UnknownTicket, TicketClosed."""
        work.principal.require(OWN_TICKETS)
        side = _side(work.principal)
        if side == "staff" or command.internal or command.then:
            work.principal.require(WORK_TICKETS)
        ticket = await self._tickets.locked(work, ticket_id)
        if ticket.status == "closed":
            raise TicketClosed()
        message_id = await self._tickets.say(work, ticket, side, command.body, command.internal)
        if command.internal:
            changes = [Change("noted")]
        elif side == "owner":
            changes = self._owner_replied(work, ticket)
        else:
            changes = self._house_replied(work, ticket, message_id, command.then)
        await self._tickets.save(work, ticket, *changes)
        return await self._view(work, ticket)

    async def move(self, work: Work, ticket_id: UUID, command: MoveTicket) -> TicketView:
        """Changes the status: its owner may solve it and open it again. Emits TicketResolved when it is solved.

        Raises UnknownTicket, IllegalTicketMove."""
        work.principal.require(OWN_TICKETS)
        side = _side(work.principal)
        if side == "staff":
            work.principal.require(WORK_TICKETS)
        ticket = await self._tickets.locked(work, ticket_id)
        changes = clock.turn(ticket, command.status, side, work.now)
        await self._tickets.save(work, ticket, *changes)
        if ticket.status == "solved":
            work.emit(TicketResolved(ticket_id=ticket.id, by=side))
        return await self._view(work, ticket)

    async def rate(self, work: Work, ticket_id: UUID, command: Rate) -> TicketView:
        """What its owner thinks of the answer, once. Raises UnknownTicket, NotYourTicket, NotSolvedYet, AlreadyRated."""
        work.principal.require(OWN_TICKETS)
        ticket = await self._tickets.locked(work, ticket_id)
        if _side(work.principal) == "staff":
            raise NotYourTicket()
        if ticket.solved_at is None:
            raise NotSolvedYet(status=ticket.status)
        with law("pk_support_satisfaction", AlreadyRated()):
            await self._tickets.rate(work, ticket, command.score, command.comment)
        await self._tickets.save(work, ticket, Change("rated", {"score": command.score}))
        return await self._view(work, ticket)

    async def search_articles(self, work: Work, q: str, limit: int = 5) -> list[ArticleHit]:
        """The help articles that fit a question, for whoever answers it: open to everybody (see ArticleService)."""
        return await self.articles.search(work, q, limit)

    # --- by the house ---

    async def assign(self, work: Work, ticket_id: UUID, command: Assign) -> TicketView:
        """To a member of the team, or to the caller. Raises UnknownTicket, UnknownAssignee."""
        work.principal.require(WORK_TICKETS)
        ticket = await self._tickets.locked(work, ticket_id)
        member = command.user_id or work.principal.user_id
        if member is None or not await self._identity.has_role(work, member, TEAM):
            raise UnknownAssignee()
        ticket.assigned_to = member
        await self._tickets.save(work, ticket, Change("assigned", {"to": str(member)}))
        return await self._view(work, ticket)

    async def escalate(self, work: Work, ticket_id: UUID, command: Escalate) -> TicketView:
        """One level up, by hand. Emits TicketEscalated. Raises UnknownTicket, TicketClosed."""
        work.principal.require(WORK_TICKETS)
        ticket = await self._tickets.locked(work, ticket_id)
        if ticket.status == "closed":
            raise TicketClosed()
        await clock.escalate(work, self._tickets, ticket, "by_hand", command.note)
        return await self._view(work, ticket)

    async def targets(self, work: Work) -> list[TargetsView]:
        work.principal.require(WORK_TICKETS)
        return [_targets(policy) for policy in await self._policies.all(work)]

    async def set_targets(self, work: Work, priority: str, command: SetTargets) -> TargetsView:
        """What is promised from now on; open tickets keep their instants."""
        work.principal.require(SET_TARGETS)
        policy = SlaPolicy(priority=priority, updated_at=work.now, **command.model_dump())
        await work.run(
            "update support_sla_policies set first_response_minutes = $2, resolution_minutes = $3, updated_at = $4 "
            "where priority = $1",
            *(priority, policy.first_response_minutes, policy.resolution_minutes, work.now),
        )
        return _targets(policy)

    # --- by the clock and by events ---

    async def watch(self, work: Work) -> int:
        """Warns of targets that come near and escalates missed ones; returns how many. Run by the schedule."""
        work.principal.require(WORK_TICKETS)
        return await clock.watch(work, self._tickets)

    async def close_solved(self, work: Work) -> int:
        """Closes what nobody opened again in time; returns how many. Run by the schedule."""
        work.principal.require(WORK_TICKETS)
        return await clock.close_solved(work, self._tickets)

    async def tell(self, work: Work, deliveries: Sequence[Delivery]) -> None:
        """Reaction: the owner of a ticket hears of it by feed and mail; a handful of statements for the batch."""
        worth = [delivery for delivery in deliveries if telling.worth_telling(delivery)]
        rows = await work.rows(statements.TOLD, list({delivery.message.key for delivery in worth}))
        tickets = {row["id"]: row for row in rows}
        owners = await self._customer.contacts(work, [row["customer_id"] for row in rows if row["customer_id"]])
        answers = await self.said(work, telling.answers(worth))
        notices = []
        for delivery in worth:
            ticket = tickets[delivery.message.key]
            answer = answers[delivery.event.message_id] if isinstance(delivery.event, TicketReplied) else ""
            notices.append(telling.notice(delivery, ticket, owners.get(ticket["customer_id"]), answer))
        await self._notification.write(work, notices)

    # --- inside ---

    async def _ticket(self, work: Work, command: OpenTicket, urgency: str) -> Ticket:
        """The row of a new ticket, not yet written."""
        policy = await self._policies.find(work, self._policies.table.c.priority == urgency)
        assert policy is not None, "the migrations write a policy for every priority"
        who = work.principal
        order = await self._order.view(work, command.order_id) if command.order_id else None
        owner = _owner(who, order)
        email = command.email
        if owner.guest_key and email is None:
            if order is not None:
                email = (await self._order.told(work, [order.group_id]))[order.group_id].email
            elif command.channel != "chat":  # in a chat they hold the token the ticket is read with
                raise TicketEmailNeeded()
        return Ticket(
            id=new_id(),
            number=await self._tickets.next_number(work),
            customer_id=owner.customer_id,
            guest_key=owner.guest_key,
            merchant_id=owner.merchant_id,
            user_id=who.user_id,
            email=None if owner.customer_id or owner.merchant_id else email,
            priority=urgency,
            status="open",
            escalation=0,
            first_response_due_at=work.now + timedelta(minutes=policy.first_response_minutes),
            resolution_due_at=work.now + timedelta(minutes=policy.resolution_minutes),
            events=0,
            created_at=work.now,
            updated_at=work.now,
            **command.model_dump(include={"order_id", "channel", "category", "subject"}),
        )

    def _owner_replied(self, work: Work, ticket: Ticket) -> list[Change]:
        reopening = clock.turn(ticket, "open", "staff", work.now) if ticket.status != "open" else []
        return [Change("replied", {"side": "owner"}), *reopening]

    def _house_replied(self, work: Work, ticket: Ticket, message_id: UUID, then: str | None) -> list[Change]:
        ticket.first_responded_at = ticket.first_responded_at or work.now
        changes = [Change("replied", {"side": "staff"})]
        wanted = then or ("pending" if ticket.status == "open" else ticket.status)
        work.emit(TicketReplied(ticket_id=ticket.id, message_id=message_id))
        if wanted != ticket.status:
            changes += clock.turn(ticket, wanted, "staff", work.now)
            if wanted == "solved":
                work.emit(TicketResolved(ticket_id=ticket.id, by="reply"))
        return changes

    async def _view(self, work: Work, ticket: Ticket) -> TicketView:
        staff = work.principal.is_staff
        messages = await self._tickets.messages(work, ticket, staff)
        desk = views.desk(ticket, await self._tickets.history(work, ticket)) if staff else None
        score = await self._tickets.score(work, ticket) if ticket.solved_at else None
        return views.view(ticket, messages, score, desk)


def _side(principal: Principal) -> str:
    return "staff" if principal.is_staff else "owner"


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whose ticket it is: one of the three, or nobody's when the house opens it."""

    customer_id: UUID | None = None
    merchant_id: UUID | None = None
    guest_key: bytes | None = None


def _owner(who: Principal, order: OrderView | None) -> _Owner:
    """A member of several shops asks for the shop the order was placed with, else for their first one."""
    if who.is_staff:
        return _Owner()
    if who.customer_id:
        return _Owner(customer_id=who.customer_id)
    if who.merchant_ids:
        asked = order is not None and order.merchant_id in who.merchant_ids
        return _Owner(merchant_id=order.merchant_id if order and asked else who.merchant_ids[0])
    if who.guest_key is None:
        raise Unauthenticated()
    return _Owner(guest_key=who.guest_key)


def _targets(policy: SlaPolicy) -> TargetsView:
    return TargetsView.model_validate({name: getattr(policy, name) for name in TargetsView.model_fields})
