"""Commands on the database: upgrade, check, url."""

import asyncio

import asyncpg
import click
from sqlalchemy.exc import DBAPIError

from cli.runtime import Trouble, server, settings
from kernel.settings import Settings
from migrations import upgrade as migrations


async def ensure(url: str) -> bool:
    """Migrates the database when it is behind; True when it did. Raises Trouble where a right is missing."""
    try:
        if await migrations.revision(url) == migrations.head():
            return False
        await asyncio.to_thread(migrations.upgrade, url)
    except asyncpg.InsufficientPrivilegeError as refused:
        raise Trouble(f"the database user lacks a right: {refused}") from None
    except DBAPIError as refused:
        raise Trouble(f"cannot migrate the database: {refused.orig} (`agora doctor` looks closer)") from None
    except (OSError, ValueError, asyncpg.PostgresError) as refused:
        raise Trouble(f"cannot use the database: {type(refused).__name__}: {refused}") from None
    return True


async def upgrade() -> None:
    async with server(settings()) as url:
        click.echo("migrated" if await ensure(url) else "nothing to do")


async def url() -> None:
    async with server(settings()) as found:
        click.echo(found)


async def check() -> int:
    """Two scratch databases side by side: one by the migrations, one by the code."""
    found: Settings = settings()
    async with server(found) as url:
        migrated, declared = "agora_check_migrated", "agora_check_declared"
        try:
            for name in (migrated, declared):
                await migrations.drop_database(url, name)
            one = await migrations.create_database(url, migrated)
            other = await migrations.create_database(url, declared)
            await asyncio.to_thread(migrations.upgrade, one)
            await migrations.declare(other)
            before, after = await migrations.snapshot(one), await migrations.snapshot(other)
        finally:
            for name in (migrated, declared):
                await migrations.drop_database(url, name)
    for line in sorted(after - before):
        click.echo(f"only in the code: {line}")
    for line in sorted(before - after):
        click.echo(f"only in the migrations: {line}")
    if before != after:
        return 1
    click.echo(f"migrations match the tables ({len(after)} facts)")
    return 0
