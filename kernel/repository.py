"""The repository base: get, find, page, lock, add. Anything else is a named statement in the context's own file."""

import base64
from collections.abc import Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, false, or_, select, true
from sqlalchemy.inspection import inspect

from kernel.auth import Principal
from kernel.db import Work, in_order
from kernel.errors import Invalid
from kernel.tables import Base

M = TypeVar("M", bound=Base)


class BadCursor(Invalid):
    code = "bad_cursor"
    message = "That cursor is not one of this list."


class Repository(Generic[M]):
    """Rows of one table, seen with the eyes of the unit of work's principal.

    `owner` says which columns decide what a caller sees: any of `customer_id`, `merchant_id`, `guest_key`. Without
    any, the rows are everybody's. Staff see all. Row-level security repeats the rule in Postgres.
    """

    def __init__(self, model: type[M], *owners: str) -> None:
        self.model = model
        self.owners = owners
        table = inspect(model).local_table
        assert isinstance(table, Table)
        self.table = table
        self.names = [column.name for column in self.table.columns]
        listed = ", ".join(f'"{name}"' for name in self.names)
        slots = ", ".join(f"${i}" for i in range(1, len(self.names) + 1))
        self._insert = f"insert into {self.table.name} ({listed}) values ({slots})"

    def visible_to(self, principal: Principal) -> ColumnElement[bool]:
        """The filter of every read: a row that fails it does not exist for this caller."""
        if not self.owners or principal.is_staff:
            return true()
        mine: list[ColumnElement[bool]] = []
        column = self.table.c
        if "customer_id" in self.owners and principal.customer_id:
            mine.append(column.customer_id == principal.customer_id)
        if "merchant_id" in self.owners and principal.merchant_ids:
            mine.append(column.merchant_id.in_(principal.merchant_ids))
        if "guest_key" in self.owners and principal.guest_key:
            mine.append(column.guest_key == principal.guest_key)
        return or_(*mine) if mine else false()

    def row(self, record: Any) -> M:
        return self.model.of(dict(record))

    async def get(self, work: Work, row_id: UUID) -> M | None:
        return await self.find(work, self.table.c.id == row_id)

    async def find(self, work: Work, *where: ColumnElement[bool]) -> M | None:
        """The first row that fits, or None."""
        found = await work.row(select(self.table).where(self.visible_to(work.principal), *where).limit(1))
        return self.row(found) if found else None

    async def all(self, work: Work, *where: ColumnElement[bool], limit: int = 500) -> list[M]:
        """Rows that fit, in id order; for sets that are small by nature."""
        query = select(self.table).where(self.visible_to(work.principal), *where)
        return [self.row(r) for r in await work.rows(query.order_by(*self.table.primary_key).limit(limit))]

    async def page(
        self, work: Work, *where: ColumnElement[bool], cursor: str | None = None, size: int = 20
    ) -> tuple[list[M], str | None]:
        """A keyset page, newest first, and the cursor of the next one."""
        key = self.table.c.id
        last = key_of(cursor)
        before = key < last if last else true()
        query = select(self.table).where(and_(self.visible_to(work.principal), before, *where))
        found = await work.rows(query.order_by(key.desc()).limit(size + 1))
        items = [self.row(r) for r in found[:size]]
        return items, cursor_of(found[size - 1]["id"]) if len(found) > size else None

    async def lock(self, work: Work, ids: Sequence[UUID]) -> list[M]:
        """Visible rows among `ids`, locked for this transaction in id order (so that no two paths deadlock)."""
        key = self.table.c.id
        query = select(self.table).where(self.visible_to(work.principal), key.in_(in_order(ids)))
        return [self.row(r) for r in await work.rows(query.order_by(key).with_for_update())]

    async def add(self, work: Work, *rows: M) -> None:
        """Inserts rows whose every column is set; constraints answer for the laws."""
        for row in rows:
            await work.run(self._insert, *[getattr(row, name) for name in self.names])


def cursor_of(key: UUID) -> str:
    """The cursor of the page that follows the row `key`."""
    return base64.urlsafe_b64encode(key.bytes).decode().rstrip("=")


def key_of(cursor: str | None) -> UUID | None:
    """The row a cursor points behind, None for the first page. Raises BadCursor."""
    try:
        return UUID(bytes=base64.urlsafe_b64decode(cursor + "==")) if cursor else None
    except ValueError:
        raise BadCursor() from None
