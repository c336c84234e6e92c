"""The audit log: whatever is changed, removed or slipped in, the verifier names the first row that does not hold."""

import random

import asyncpg
import pytest

from commerce.app import Commerce
from commerce.identity import audit
from kernel.auth import SYSTEM

ROWS = 60


async def write(shop: Commerce) -> None:
    async with shop.database.work(SYSTEM) as work:
        for n in range(ROWS):
            audit.append(work, "test.act", f"thing:{n}", amount=n, note="ä")


async def verify(shop: Commerce) -> audit.Break | int:
    async with shop.database.work(SYSTEM) as work:
        return await audit.verify(work, batch=7)


async def test_a_whole_chain_holds(shop: Commerce, sql: asyncpg.Connection) -> None:
    await write(shop)
    assert await verify(shop) == await sql.fetchval("select count(*) from audit_log")


async def test_every_tampering_is_found_at_its_first_row(shop: Commerce, sql: asyncpg.Connection) -> None:
    await write(shop)
    last = await sql.fetchval("select max(number) from audit_log")
    chance = random.Random(3)
    columns = {
        "actor": "'someone'", "action": "'other'", "object": "'x'", "facts": "'{\"amount\": 1000000}'",
        "at": "at + interval '1 s'", "act": "'agent'", "previous": "'\\x00'", "hash": "'\\x01'",
    }  # fmt: skip
    await sql.execute("alter table audit_log disable trigger audit_log_append_only")
    for _ in range(120):
        number = chance.randrange(1, last)
        column = chance.choice([*columns, "delete"])
        transaction = sql.transaction()
        await transaction.start()
        saved = await sql.fetchrow("select * from audit_log where number = $1", number)
        if column == "delete":
            await sql.execute("delete from audit_log where number = $1", number)
        else:
            await sql.execute(f"update audit_log set {column} = {columns[column]} where number = $1", number)
        await transaction.commit()
        found = await verify(shop)
        assert isinstance(found, audit.Break), (number, column)
        assert found.number in (number, number + 1), (number, column)
        await sql.execute("delete from audit_log where number = $1", number)
        await sql.execute("insert into audit_log values ($1, $2, $3, $4, $5, $6, $7, $8, $9)", *saved.values())
    await sql.execute("alter table audit_log enable trigger audit_log_append_only")
    assert await verify(shop) == last


async def test_a_superuser_meets_the_trigger(sql: asyncpg.Connection) -> None:
    for statement in ("update audit_log set actor = 'x'", "delete from audit_log", "truncate audit_log"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await sql.execute(statement)
