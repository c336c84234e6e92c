"""Support: questions and their answers, against a clock; help articles."""

from commerce.support.goodwill import GoodwillService
from commerce.support.notes import NoteService
from commerce.support.schemas import ArticleHit, HandOver, OpenTicket, Reply, TicketLine, TicketView, Turn
from commerce.support.service import SupportService

__all__ = [
    "ArticleHit",
    "GoodwillService",
    "HandOver",
    "NoteService",
    "OpenTicket",
    "Reply",
    "SupportService",
    "TicketLine",
    "TicketView",
    "Turn",
]
