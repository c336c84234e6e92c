"""The audit log: a chain of hashes, so that a changed, missing or inserted row shows.

hash = SHA-256(previous hash || canonical JSON of the row). Appends take an advisory lock as the last thing of their
transaction, so the chain has one order and nobody waits for longer than a commit.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson

from kernel.db import Work

CHAIN_LOCK = 7_206_002
GENESIS = bytes(32)


@dataclass(frozen=True, slots=True)
class Break:
    """The first row at which the chain does not hold, and what is wrong with it."""

    number: int
    reason: str


def digest(previous: bytes, row: dict[str, Any]) -> bytes:
    content = {k: row[k] for k in ("number", "actor", "act", "action", "object", "facts")}
    content["at"] = row["at"].isoformat()
    return hashlib.sha256(previous + orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()


def append(work: Work, action: str, object_: str, **facts: Any) -> None:
    """Notes that the caller did `action` to `object_`; written with the transaction, as its last statement."""

    async def write() -> None:
        await work.run("select pg_advisory_xact_lock($1)", CHAIN_LOCK)
        last = await work.row("select number, hash from audit_log order by number desc limit 1")
        number, previous = (last["number"] + 1, last["hash"]) if last else (1, GENESIS)
        row = {
            "number": number,
            "at": work.now,
            "actor": work.principal.subject,
            "act": work.principal.act,
            "action": action,
            "object": object_,
            "facts": orjson.loads(orjson.dumps(facts, default=str)),
        }
        await work.run(
            "insert into audit_log (number, at, actor, act, action, object, facts, previous, hash) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            *row.values(),
            previous,
            digest(previous, row),
        )

    work.last(write)


async def verify(work: Work, batch: int = 5000) -> Break | int:
    """Walks the chain: the first Break, or how many rows hold."""
    number, previous = 0, GENESIS
    while rows := await work.rows("select * from audit_log where number > $1 order by number limit $2", number, batch):
        for row in rows:
            if row["number"] != number + 1:
                return Break(number + 1, "missing")
            if row["previous"] != previous or row["hash"] != digest(previous, dict(row)):
                return Break(row["number"], "changed")
            number, previous = row["number"], row["hash"]
    return number
