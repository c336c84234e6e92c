"""Tools of support: answers from the shop's articles, tickets."""

from typing import Annotated

from pydantic import Field, StringConstraints

from commerce.app import Commerce
from commerce.order.permissions import READ_ORDERS
from commerce.recall.schemas import CaseHit, HelpHit, Lookup
from commerce.support.permissions import OWN_TICKETS, WORK_TICKETS
from commerce.support.schemas import OpenTicket, TicketLine, TicketView
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


@tool(Effect.WRITE, OWN_TICKETS, READ_ORDERS)
async def open_ticket(call: Call, args: Complain) -> TicketView:
    """Opens a support ticket for something no other tool can do; a person answers it."""
    order = await call.commerce.order.named(call.work, args.order) if args.order else None
    command = OpenTicket(subject=args.subject, body=args.text, order_id=order.id if order else None, channel="chat")
    return await call.commerce.support.open(call.work, command)
