"""The clock of a ticket: what a move does to it, and the watch over targets that come near or are missed."""

from datetime import datetime, timedelta

from commerce.support import rules, statements
from commerce.support.errors import IllegalTicketMove
from commerce.support.events import SlaAtRisk, TicketEscalated
from commerce.support.schemas import Change
from commerce.support.store import TicketStore
from commerce.support.tables import Ticket
from kernel.db import Work

WARN_PART = 5
"""A target is at risk when a fifth of its time is left."""
WATCHED_MOST = 200
"""Targets of one look: the rest waits for the next one."""
CLOSE_AFTER = timedelta(days=7)
"""How long a solved ticket can be reopened."""
CLOSED_MOST = 500


def turn(ticket: Ticket, wanted: str, side: str, now: datetime) -> list[Change]:
    """Moves a locked ticket and its clock, not yet saved; the lines of its history that must be saved with it.

    Raises IllegalTicketMove."""
    was = ticket.status
    if not rules.may_become(side, was, wanted):
        raise IllegalTicketMove(status=was, wanted=wanted)
    kind = "reopened" if (was, wanted) == ("solved", "open") else "status_changed"
    ticket.status = wanted
    return [Change(kind, {"from": was, "to": wanted}), *(_step(ticket, step, now) for step in rules.CLOCK[was, wanted])]


def _step(ticket: Ticket, step: str, now: datetime) -> Change:
    if step == "clock_paused":
        ticket.paused_at = now
    elif step == "clock_stopped":
        ticket.solved_at = now
    else:
        since = ticket.paused_at or ticket.solved_at or now
        ticket.resolution_due_at += now - since
        ticket.paused_at = ticket.solved_at = None
    return Change(step, {"resolution_due_at": ticket.resolution_due_at.isoformat()})


async def watch(work: Work, tickets: TicketStore) -> int:
    """Warns of targets that come near (SlaAtRisk) and escalates missed ones (TicketEscalated), each once for ever."""
    rows = await work.rows(statements.TARGETS, work.now, WARN_PART, WATCHED_MOST)
    for row in rows:
        ticket = await tickets.locked(work, row["id"])
        target, reason = row["target"], f"{row['target']}_breached"
        if row["breached"]:
            await escalate(work, tickets, ticket, reason, "", Change(reason))
        else:
            left = int((row["due_at"] - work.now).total_seconds()) // 60
            await tickets.save(work, ticket, Change(f"{target}_at_risk", {"minutes_left": left}))
            work.emit(SlaAtRisk(ticket_id=ticket.id, target=target, minutes_left=left))
    return len(rows)


async def escalate(work: Work, tickets: TicketStore, ticket: Ticket, reason: str, note: str, *before: Change) -> None:
    """Lifts a locked ticket by one level. Emits TicketEscalated."""
    await tickets.escalate(work, ticket, reason, note)
    level = ticket.escalation
    await tickets.save(work, ticket, *before, Change("escalated", {"level": level, "reason": reason}))
    work.emit(TicketEscalated(ticket_id=ticket.id, level=level, reason=reason))


async def close_solved(work: Work, tickets: TicketStore) -> int:
    """Closes tickets that were solved CLOSE_AFTER ago and never reopened."""
    rows = await work.rows(
        "select id from support_tickets where status = 'solved' and solved_at <= $1 order by solved_at limit $2 "
        "for update skip locked",
        *(work.now - CLOSE_AFTER, CLOSED_MOST),
    )
    for row in rows:
        ticket = await tickets.locked(work, row["id"])
        await tickets.save(work, ticket, *turn(ticket, "closed", "staff", work.now))
    return len(rows)
