"""Macros: answers the support team writes once and fills for each ticket; a placeholder nobody can fill is refused."""

from uuid import UUID

from commerce.customer import CustomerService
from commerce.order import OrderService
from commerce.support import rules
from commerce.support.errors import BadPlaceholders, MacroCodeTaken, PlaceholderUnfilled, UnknownMacro
from commerce.support.permissions import WORK_TICKETS
from commerce.support.schemas import ChangeMacro, DraftView, MacroView, WriteMacro
from commerce.support.store import TicketStore
from commerce.support.tables import Macro, Ticket
from kernel.db import Work, law
from kernel.ids import new_id
from kernel.repository import Repository
from kernel.schemas import Page


class MacroService:
    def __init__(self, tickets: TicketStore, customer: CustomerService, order: OrderService) -> None:
        self._tickets = tickets
        self._customer = customer
        self._order = order
        self._macros = Repository(Macro)

    async def page(self, work: Work, cursor: str | None = None, size: int = 20) -> Page[MacroView]:
        work.principal.require(WORK_TICKETS)
        found, following = await self._macros.page(work, cursor=cursor, size=size)
        return Page(items=[_view(macro) for macro in found], next=following)

    async def write(self, work: Work, command: WriteMacro) -> MacroView:
        """Raises BadPlaceholders, MacroCodeTaken."""
        work.principal.require(WORK_TICKETS)
        _check(command)
        macro = Macro(id=new_id(), code=command.code, title=command.title, body=command.body, updated_at=work.now)
        with law("uq_support_macros_code", MacroCodeTaken(code=command.code)):
            await self._macros.add(work, macro)
        return _view(macro)

    async def change(self, work: Work, code: str, command: ChangeMacro) -> MacroView:
        """Raises BadPlaceholders, UnknownMacro."""
        work.principal.require(WORK_TICKETS)
        _check(command)
        if not await work.run(
            "update support_macros set title = $2, body = $3, updated_at = $4 where code = $1",
            *(code, command.title, command.body, work.now),
        ):
            raise UnknownMacro()
        return MacroView(code=code, title=command.title, body=command.body)

    async def draft(self, work: Work, ticket_id: UUID, code: str) -> DraftView:
        """A macro filled with the facts of a ticket; nothing is sent.

        Raises UnknownTicket, UnknownMacro, PlaceholderUnfilled."""
        work.principal.require(WORK_TICKETS)
        ticket = await self._tickets.get(work, ticket_id)
        macro = await self._macros.find(work, self._macros.table.c.code == code)
        if macro is None:
            raise UnknownMacro()
        facts = await self._facts(work, ticket)
        if missing := rules.missing_facts(macro.body, facts):
            raise PlaceholderUnfilled(missing=", ".join(missing))
        return DraftView(body=rules.filled(macro.body, facts))

    async def _facts(self, work: Work, ticket: Ticket) -> dict[str, str | None]:
        owners = await self._customer.contacts(work, [ticket.customer_id] if ticket.customer_id else [])
        owner = owners.get(ticket.customer_id) if ticket.customer_id else None
        order = await self._order.view(work, ticket.order_id) if ticket.order_id else None
        return {
            "name": owner.name if owner else None,
            "number": ticket.number,
            "order": order.number if order else None,
            "subject": ticket.subject,
        }


def _check(command: ChangeMacro) -> None:
    if wrong := rules.wrong_placeholders(command.body):
        raise BadPlaceholders(allowed=", ".join(rules.PLACEHOLDERS), wrong=", ".join(wrong))


def _view(macro: Macro) -> MacroView:
    return MacroView(code=macro.code, title=macro.title, body=macro.body)
