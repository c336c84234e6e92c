"""A journal of every row a task changes, by triggers; put back in the opposite order it makes the world as it was."""

from typing import Any
from uuid import UUID

from evals.ground import TABLES

_JOURNAL = """
create schema undo;
create unlogged table undo.log (n bigint generated always as identity, name text, op text, before jsonb, after jsonb);
create table undo.shapes (name text primary key, columns text, key text);
create function undo.note() returns trigger language plpgsql security definer as $$
begin
  insert into undo.log (name, op, before, after) values (tg_argv[0], tg_op, to_jsonb(old), to_jsonb(new));
  return null;
end $$;
create function undo.back() returns bigint language plpgsql as $$
declare e record; done bigint := 0;
begin
  for e in select * from undo.log join undo.shapes using (name) order by n desc loop
    if e.op <> 'DELETE' then
      execute format('delete from public.%1$I where (%2$s) = (select %2$s from jsonb_populate_record(null::public.%1$I, $1))',
                     e.name, e.key) using e.after;
    end if;
    if e.op <> 'INSERT' then
      execute format('insert into public.%1$I (%2$s) select %2$s from jsonb_populate_record(null::public.%1$I, $1)',
                     e.name, e.columns) using e.before;
    end if;
    done := done + 1;
  end loop;
  truncate undo.log;
  return done;
end $$
"""


class Undo:
    """`sql` is a connection of the database's owner."""

    def __init__(self, sql: Any) -> None:
        self._sql = sql

    async def begin(self) -> None:
        """From here on every change is noted."""
        await self._sql.execute(_JOURNAL)
        for name, columns, key in await self._sql.fetch(TABLES):
            await self._sql.execute("insert into undo.shapes values ($1, $2, $3)", name, columns, key)
            await self._sql.execute(
                f"create trigger zz_undo after insert or update or delete on public.{name} "
                f"for each row execute function undo.note('{name}')"
            )

    async def customers(self) -> set[UUID]:
        """Customers of whom a row was changed."""
        rows = await self._sql.fetch(
            "select distinct coalesce(after, before)->>'customer_id' from undo.log "
            "where coalesce(after, before)->>'customer_id' is not null"
        )
        return {UUID(row[0]) for row in rows}

    async def back(self) -> int:
        """Puts everything back; returns how many changes there were."""
        async with self._sql.transaction():
            await self._sql.execute("set local session_replication_role = replica")
            done: int = await self._sql.fetchval("select undo.back()")
        return done
