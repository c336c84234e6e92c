"""Tickets, and the help articles."""

import secrets
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.deps import Edge, Open, needs
from commerce.support import ArticleHit, OpenTicket, Reply, TicketLine, TicketView
from commerce.support.permissions import OWN_TICKETS, SET_TARGETS, WORK_TICKETS
from commerce.support.schemas import (
    ArticleView,
    Assign,
    ChangeArticle,
    ChangeMacro,
    DraftView,
    Escalate,
    MacroView,
    MoveTicket,
    Priority,
    Rate,
    SetTargets,
    Slug,
    Status,
    TargetsView,
    TicketNumber,
    WriteArticle,
    WriteMacro,
)
from kernel.db import Work
from kernel.ids import TicketId
from kernel.schemas import Code, Page

router = APIRouter(prefix="/v1/support", tags=["support"])
Own = Annotated[Edge, needs(OWN_TICKETS)]
Desk = Annotated[Edge, needs(WORK_TICKETS)]
Cursor = Annotated[str | None, Query(max_length=64)]
Size = Annotated[int, Query(ge=1, le=100)]


@router.post("/tickets", status_code=201, response_model=TicketView)
async def open_ticket(command: OpenTicket, edge: Own) -> Response:
    """Asks something, about an order or not. A guest without any token gets a `ticket_token`: send it back as
    `X-Ticket-Token` to read the answer."""
    who = edge.principal
    if who.user_id or who.guest_key:
        return await edge.once(lambda work: edge.commerce.support.open(work, command))
    token = secrets.token_urlsafe(24)
    guest = replace(edge, principal=edge.commerce.identity.guest(token))

    async def act(work: Work) -> TicketView:
        return (await edge.commerce.support.open(work, command)).model_copy(update={"ticket_token": token})

    return await guest.run(act, 201)


@router.get("/tickets", response_model=Page[TicketLine])
async def tickets(edge: Own, status: Status | None = None, cursor: Cursor = None, size: Size = 20) -> Response:
    """The caller's tickets, newest first; all of them for the support team."""
    return await edge.run(lambda work: edge.commerce.support.mine(work, cursor, size, status))


@router.get("/tickets/by-number/{number}", response_model=TicketView)
async def find_ticket(number: TicketNumber, edge: Own) -> Response:
    return await edge.run(lambda work: edge.commerce.support.find(work, number))


@router.get("/tickets/{ticket_id}", response_model=TicketView)
async def ticket(ticket_id: TicketId, edge: Own) -> Response:
    """One ticket with what was said; its `desk` is for the support team alone."""
    return await edge.run(lambda work: edge.commerce.support.view(work, ticket_id))


@router.post("/tickets/{ticket_id}/messages", status_code=201, response_model=TicketView)
async def reply(ticket_id: TicketId, command: Reply, edge: Own) -> Response:
    """Says something. Its owner's message opens the ticket again; `internal` and `then` are for the support team."""
    return await edge.once(lambda work: edge.commerce.support.reply(work, ticket_id, command))


@router.post("/tickets/{ticket_id}/status", response_model=TicketView)
async def move(ticket_id: TicketId, command: MoveTicket, edge: Own) -> Response:
    """Changes the status: its owner may say that it is solved, or that it is not."""
    return await edge.once(lambda work: edge.commerce.support.move(work, ticket_id, command), 200)


@router.post("/tickets/{ticket_id}/satisfaction", status_code=201, response_model=TicketView)
async def rate(ticket_id: TicketId, command: Rate, edge: Own) -> Response:
    """Rates a solved ticket from 1 (bad) to 5 (good), once."""
    return await edge.once(lambda work: edge.commerce.support.rate(work, ticket_id, command))


@router.post("/tickets/{ticket_id}/assign", response_model=TicketView)
async def assign(ticket_id: TicketId, command: Assign, edge: Desk) -> Response:
    """Gives the ticket to a member of the team; without `user_id` to the caller."""
    return await edge.once(lambda work: edge.commerce.support.assign(work, ticket_id, command), 200)


@router.post("/tickets/{ticket_id}/escalate", response_model=TicketView)
async def escalate(ticket_id: TicketId, command: Escalate, edge: Desk) -> Response:
    return await edge.once(lambda work: edge.commerce.support.escalate(work, ticket_id, command), 200)


@router.get("/tickets/{ticket_id}/macros/{code}", response_model=DraftView)
async def draft(ticket_id: TicketId, code: Code, edge: Desk) -> Response:
    """A macro filled for this ticket; a 409 names what it has no fact for. Nothing is sent."""
    return await edge.run(lambda work: edge.commerce.support.macros.draft(work, ticket_id, code))


@router.get("/articles", response_model=Page[ArticleHit])
async def articles(
    edge: Open, q: Annotated[str | None, Query(max_length=200)] = None, cursor: Cursor = None, size: Size = 20
) -> Response:
    """Help articles: the ones that fit `q`, best first and on one page; without it all of them, newest first."""

    async def act(work: Work) -> Page[ArticleHit]:
        if q and q.strip():
            return Page(items=await edge.commerce.support.search_articles(work, q.strip(), size))
        return await edge.commerce.support.articles.page(work, cursor, size)

    return await edge.run(act)


@router.get("/articles/{slug}", response_model=ArticleView)
async def article(slug: Slug, edge: Open) -> Response:
    return await edge.run(lambda work: edge.commerce.support.articles.get(work, slug))


@router.post("/articles", status_code=201, response_model=ArticleView)
async def write_article(command: WriteArticle, edge: Desk) -> Response:
    return await edge.once(lambda work: edge.commerce.support.articles.write(work, command))


@router.put("/articles/{slug}", response_model=ArticleView)
async def change_article(slug: Slug, command: ChangeArticle, edge: Desk) -> Response:
    """Replaces everything but the slug."""
    return await edge.once(lambda work: edge.commerce.support.articles.change(work, slug, command), 200)


@router.get("/macros", response_model=Page[MacroView])
async def macros(edge: Desk, cursor: Cursor = None, size: Size = 20) -> Response:
    return await edge.run(lambda work: edge.commerce.support.macros.page(work, cursor, size))


@router.post("/macros", status_code=201, response_model=MacroView)
async def write_macro(command: WriteMacro, edge: Desk) -> Response:
    """An answer to be used again, with placeholders that are filled from the ticket."""
    return await edge.once(lambda work: edge.commerce.support.macros.write(work, command))


@router.put("/macros/{code}", response_model=MacroView)
async def change_macro(code: Code, command: ChangeMacro, edge: Desk) -> Response:
    return await edge.once(lambda work: edge.commerce.support.macros.change(work, code, command), 200)


@router.get("/targets", response_model=list[TargetsView])
async def targets(edge: Desk) -> Response:
    """How fast each priority is answered and solved."""
    return await edge.run(edge.commerce.support.targets)


@router.put("/targets/{priority}", response_model=TargetsView)
async def set_targets(priority: Priority, command: SetTargets, edge: Annotated[Edge, needs(SET_TARGETS)]) -> Response:
    """What is promised from now on; open tickets keep their instants."""
    return await edge.once(lambda work: edge.commerce.support.set_targets(work, priority, command), 200)
