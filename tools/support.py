"""Tools of support: answers from the shop's articles, tickets, a gift card as a gesture."""

from typing import Annotated

from pydantic import Field, StringConstraints

from commerce.app import Commerce
from commerce.approval import Draft
from commerce.approval.permissions import PROPOSE
from commerce.order.permissions import READ_ORDERS
from commerce.recall.schemas import CaseHit, HelpHit, Lookup
from commerce.support.permissions import OWN_TICKETS, WORK_TICKETS
from commerce.support.schemas import OpenTicket, TicketLine, TicketNumber, TicketView
from kernel.schemas import PERSONAL, Command, LongText, Text
from tools.recall import rule_hits
from tools.spec import PUBLIC, Call, Effect, NoArguments, tool

HITS_MOST = 3


class Question(Command):
    q: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=300),
        Field(description="the question in a few words"),
    ]


TicketName = Annotated[
    str,
    StringConstraints(pattern=r"^([Tt]-[0-9]{1,12}|tkt_[0-9a-f]{32})$"),
    Field(description="number of the ticket, such as T-1001, or its id"),
]


class OneTicket(Command):
    ticket: TicketName


class Complain(Command):
    subject: Annotated[Text, Field(description="what it is about, in one line")]
    text: Annotated[LongText, Field(description="what happened, in the person's words"), PERSONAL]
    order: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] | None = Field(
        None, description="number of the order it is about"
    )


async def _articles(commerce: Commerce, args: Question) -> Lookup:
    return await commerce.recall.look(args.q, "articles", "policies")


async def _cases(commerce: Commerce, args: Question) -> Lookup:
    return await commerce.recall.look(args.q, "tickets")


@tool(Effect.READ, PUBLIC, look=_articles)
async def search_help(call: Call, args: Question) -> list[HelpHit]:  # noqa: ARG001  # `_articles` reads them
    """Searches the shop's help articles and rules: delivery times, returns, payment, gift cards, account. Say only what
    they say, and name the `cite` of the one used."""
    articles = await call.commerce.recall.help(call.work, call.looked)
    return [*articles, *rule_hits(call.looked)][:HITS_MOST]


@tool(Effect.READ, WORK_TICKETS, look=_cases)
async def similar_cases(call: Call, args: Question) -> list[CaseHit]:  # noqa: ARG001
    """For staff: finds solved tickets like a problem, with the answer that solved them. Names and numbers are taken out.
    Name the `cite` of the one used; it is an example, not a rule."""
    return await call.commerce.recall.cases(call.work, call.looked)


@tool(Effect.READ, OWN_TICKETS)
async def list_tickets(call: Call, args: NoArguments) -> list[TicketLine]:  # noqa: ARG001  # every tool has them
    """Lists the caller's own support tickets with their state."""
    return (await call.commerce.support.mine(call.work, size=5)).items


@tool(Effect.READ, OWN_TICKETS)
async def get_ticket(call: Call, args: OneTicket) -> TicketView:
    """Shows one support ticket with everything said in it. Use it for "what came of my request T-1001"."""
    return await call.commerce.support.named(call.work, args.ticket)


@tool(Effect.WRITE, OWN_TICKETS, READ_ORDERS)
async def open_ticket(call: Call, args: Complain) -> TicketView:
    """Opens a support ticket for something no other tool can do; a person answers it."""
    order = await call.commerce.order.named(call.work, args.order) if args.order else None
    command = OpenTicket(subject=args.subject, body=args.text, order_id=order.id if order else None, channel="chat")
    return await call.commerce.support.open(call.work, command)


class Gesture(Command):
    ticket: Annotated[TicketNumber, Field(description="number of the customer's ticket, such as T-1001")]
    amount: Annotated[int, Field(ge=1, le=1_000_000, description="minor units of the order's currency: 500 is 5.00")]
    reason: Annotated[Text, Field(description="why, in one line for the person who decides")]


@tool(Effect.PROPOSE, WORK_TICKETS, PROPOSE, OWN_TICKETS, READ_ORDERS)
async def propose_goodwill(call: Call, args: Gesture) -> Draft:
    """Proposes a gift card for the customer of a ticket, as a gesture for something that went wrong. A small one may be
    given at once, a larger one waits for a person: say which it was, and promise nothing that only waits."""
    return await call.commerce.goodwill.draft(call.work, args.ticket, args.amount, args.reason)


class Note(Command):
    ticket: TicketName
    text: Annotated[LongText, Field(description="the note: what helps whoever answers, with the articles it rests on")]


@tool(Effect.PROPOSE, WORK_TICKETS, PROPOSE, OWN_TICKETS)
async def propose_note(call: Call, args: Note) -> Draft:
    """Proposes a note on a ticket, such as a draft of its answer; only the house sees it. Taken at once within the day's
    limits."""
    return await call.commerce.note.draft(call.work, args.ticket, args.text)
