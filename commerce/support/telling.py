"""What the owner of a ticket is told: a line in the feed, and a mail with the answer in it."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from commerce.customer import CustomerView
from commerce.notification import Notice
from commerce.support.events import TicketReplied, TicketResolved
from kernel.db import Record
from kernel.inbox import Delivery

if TYPE_CHECKING:
    from jinja2 import Environment, Template

TITLES = {
    "TicketOpened": "We have your request {number}",
    "TicketReplied": "An answer to your request {number}",
    "TicketResolved": "Your request {number} is solved",
}


def worth_telling(delivery: Delivery) -> bool:
    """A solution is told by the answer that brought it, and never to the one who found it."""
    event = delivery.event
    return not isinstance(event, TicketResolved) or event.by == "staff"


def answers(deliveries: Sequence[Delivery]) -> list[UUID]:
    """The messages that will be told."""
    return [delivery.event.message_id for delivery in deliveries if isinstance(delivery.event, TicketReplied)]


def notice(delivery: Delivery, ticket: Record, owner: CustomerView | None, answer: str) -> Notice:
    """`ticket` is a row of `statements.TOLD`; `answer` is empty where the event brought none."""
    kind = delivery.message.type
    whole = _template(kind).render(
        name=owner.name if owner else "", number=ticket["number"], subject=ticket["subject"], answer=answer
    )
    subject, _, text = whole.partition("\n")
    return Notice(
        cause=delivery.message.id.hex,
        kind=kind,
        title=TITLES[kind].format(number=ticket["number"]),
        text=ticket["subject"],
        customer_id=ticket["customer_id"],
        merchant_id=ticket["merchant_id"],
        email=owner.email if owner else ticket["email"],
        subject=subject,
        mail=text,
    )


@cache
def _templates() -> "Environment":
    """Plain text only: nothing here is ever shown as HTML, so nothing is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # costs the start of an API that writes no mail

    loader = FileSystemLoader(Path(__file__).parent / "templates")
    return Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True)  # noqa: S701


@cache
def _template(kind: str) -> "Template":
    return _templates().get_template(f"{kind}.txt")
