"""Brings a database to the newest migration, and proves that the migrations lead to what the code declares."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from migrations.ddl import statements

HERE = Path(__file__).parent
LOCK = 7_206_003

_SNAPSHOT = """
select format('column %s.%s %s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
              a.attgenerated, pg_get_expr(d.adbin, d.adrelid))
from pg_attribute a join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p') and not c.relispartition
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped
union all select format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
from pg_constraint where connamespace = 'public'::regnamespace
  and conrelid not in (select oid from pg_class where relispartition)
union all select indexdef from pg_indexes i where schemaname = 'public'
  and not (select relispartition from pg_class where oid = (quote_ident(i.tablename))::regclass)
union all select format('policy %s %s %s', tablename, policyname, qual) from pg_policies where schemaname = 'public'
union all select format('security %s %s %s', relname, relrowsecurity, relforcerowsecurity) from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
union all select pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = t.tgrelid
where not tgisinternal and tgparentid = 0 and c.relnamespace = 'public'::regnamespace
union all select pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
  and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')
union all select format('grant %s %s %s', table_name, privilege_type, grantee) from information_schema.table_privileges
where table_schema = 'public' and grantee = 'agora_app' and table_name not in
  (select relname from pg_class where relispartition)
"""


def sqlalchemy_url(url: str) -> str:
    """A libpq URL in the form SQLAlchemy takes for asyncpg."""
    return urlunsplit(("postgresql+asyncpg", *urlsplit(url)[1:]))


def in_database(url: str, name: str) -> str:
    """The same server, another database."""
    parts = urlsplit(url)
    return urlunsplit((*parts[:2], f"/{name}", *parts[3:]))


async def create_database(server_url: str, name: str) -> str:
    """Makes an empty database where there is none; returns its URL."""
    connection = await asyncpg.connect(server_url)
    try:
        if not await connection.fetchval("select true from pg_database where datname = $1", name):
            await connection.execute(f'create database "{name}"')
    finally:
        await connection.close()
    return in_database(server_url, name)


async def drop_database(server_url: str, name: str) -> None:
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(f'drop database if exists "{name}" with (force)')
    finally:
        await connection.close()


def upgrade(url: str) -> None:
    """Runs what is missing of the chain. Blocking, and opens an event loop of its own: call it in a thread."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("sqlalchemy.url", sqlalchemy_url(url).replace("%", "%%"))
    command.upgrade(config, "head")


def head() -> str:
    """The newest revision of the chain: the highest number among its files."""
    return max(path.name.split("_")[0] for path in (HERE / "versions").glob("[0-9]*.py"))


async def revision(url: str) -> str | None:
    """The revision a database is at, None for an empty one."""
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval("select to_regclass('public.alembic_version')") is None:
            return None
        found: str | None = await connection.fetchval("select version_num from alembic_version")
        return found
    finally:
        await connection.close()


async def declare(url: str) -> None:
    """Builds the schema from the code, without the migrations: the other side of the comparison."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements():
            await connection.execute(statement)
    finally:
        await connection.close()


async def snapshot(url: str) -> set[str]:
    """Everything of a database's public schema that the code declares, as text."""
    connection = await asyncpg.connect(url)
    try:
        found = {row[0] for row in await connection.fetch(_SNAPSHOT)}
    finally:
        await connection.close()
    return {line for line in found if "alembic_version" not in line}
