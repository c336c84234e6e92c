"""The whole schema as SQL, from the tables and laws the contexts declare: what the migrations must lead to.

`python -m migrations.ddl` prints it; `agora db check` compares a migrated database with it. Order: extensions and role, functions, tables, indexes, laws, partitions, grants.
"""

import importlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.schema import CreateIndex, CreateTable

from kernel.tables import LAST, LAWS, Base

ROOT = Path(__file__).parents[1]

BEFORE = [
    "create extension if not exists pg_trgm",
    """do $$ begin
  if not exists (select from pg_roles where rolname = 'agora_app') then create role agora_app nologin; end if;
end $$""",
    """do $$ begin
  if not pg_has_role('agora_app', 'member') then grant agora_app to current_user; end if;
end $$""",
    # Bounds of a month as UUIDv7 keys: 48 bits of milliseconds, then zeros.
    """create function agora_month_key(at date) returns uuid language sql immutable as $$
  select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$""",
    """create function agora_make_partitions(first date, months int) returns int
language plpgsql security definer set search_path = public as $$
declare parent text; month date; made int := 0; child text;
begin
  for parent in select c.relname from pg_partitioned_table p join pg_class c on c.oid = p.partrelid loop
    for i in 0 .. months - 1 loop
      month := (date_trunc('month', first) + make_interval(months => i))::date;
      child := format('%s_p%s', parent, to_char(month, 'YYYYMM'));
      if to_regclass(child) is null then
        execute format('create table %I partition of %I for values from (%L) to (%L)', child, parent,
                       agora_month_key(month), agora_month_key((month + interval '1 month')::date));
        made := made + 1;
      end if;
    end loop;
    if to_regclass(parent || '_default') is null then
      execute format('create table %I partition of %I default', parent || '_default', parent);
    end if;
  end loop;
  return made;
end $$""",
]

AFTER = [
    "select agora_make_partitions((current_date - interval '1 month')::date, 4)",
    "grant usage on schema public to agora_app",
    "grant select, insert, update, delete on all tables in schema public to agora_app",
    "grant usage, select on all sequences in schema public to agora_app",
]


def contexts() -> list[str]:
    """Names of the contexts that have tables, lowest first where it matters (laws may name other tables)."""
    return sorted(path.parent.name for path in (ROOT / "commerce").glob("*/tables.py"))


def load() -> None:
    """Imports every module that declares tables or laws."""
    importlib.import_module("kernel.outbox")
    for name in contexts():
        importlib.import_module(f"commerce.{name}.tables")


def statements() -> Iterator[str]:
    load()
    dialect = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
    yield from BEFORE
    for table in Base.metadata.sorted_tables:
        yield str(CreateTable(table).compile(dialect=dialect)).strip()
    for table in Base.metadata.sorted_tables:
        for index in sorted(table.indexes, key=lambda index: index.name or ""):
            yield str(CreateIndex(index).compile(dialect=dialect)).strip()
    for context in LAWS:
        yield from LAWS[context]
    yield from AFTER
    yield from LAST


if __name__ == "__main__":
    for statement in statements():
        print(statement + ";\n")  # this is the command's output
