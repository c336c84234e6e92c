"""How a ticket is shown: its owner sees what was said, the house its desk too."""

from collections.abc import Sequence

from commerce.support.schemas import DeskView, TicketEventView, TicketLine, TicketMessageView, TicketView
from commerce.support.tables import Ticket
from kernel.db import Record


def line(ticket: Ticket) -> TicketLine:
    return TicketLine.model_validate({name: getattr(ticket, name) for name in TicketLine.model_fields})


def view(ticket: Ticket, messages: Sequence[Record], score: int | None, desk: DeskView | None) -> TicketView:
    shown = [
        TicketMessageView(
            id=row["id"],
            side=row["side"],
            body=row["body"],
            internal=row["internal"],
            by_agent=row["act"] is not None,
            created_at=row["created_at"],
        )
        for row in messages
    ]
    return TicketView(**dict(line(ticket)), messages=shown, score=score, desk=desk)


def desk(ticket: Ticket, history: Sequence[Record]) -> DeskView:
    facts = {name: getattr(ticket, name) for name in DeskView.model_fields if name != "history"}
    lines = [TicketEventView.model_validate({n: row[n] for n in TicketEventView.model_fields}) for row in history]
    return DeskView(**facts, history=lines)
