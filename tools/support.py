"""Tools of support: answers from the shop's articles, tickets, a gift card as a gesture."""

from typing import Annotated

from pydantic import Field, StringConstraints

from commerce.approval import Draft
from commerce.approval.permissions import PROPOSE
from commerce.order.permissions import READ_ORDERS
from commerce.support.permissions import OWN_TICKETS, WORK_TICKETS
from commerce.support.schemas import ArticleHit, OpenTicket, TicketLine, TicketNumber, TicketView
from kernel.schemas import PERSONAL, Command, LongText, Text
from tools.spec import PUBLIC, Call, Effect, NoArguments, tool


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


@tool(Effect.READ, PUBLIC)
async def search_help(call: Call, args: Question) -> list[ArticleHit]:
    """Searches the shop's help articles: delivery times, returns, payment, gift cards, account. Cite the title used."""
    return await call.commerce.support.search_articles(call.work, args.q, 3)


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
