"""The one way to Postgres: a pool of asyncpg connections and the unit of work.

A unit of work is one transaction of one principal. Its first round trip opens the transaction and tells the
row-level security policies who is asking; its last one commits. Statements are plain SQL with `$1` parameters or
SQLAlchemy Core constructs, run by asyncpg itself (ADR 0003).
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql import ClauseElement

from kernel import telemetry
from kernel.auth import SYSTEM, Principal
from kernel.clock import Clock, system_clock
from kernel.errors import AgoraError
from kernel.events import Event


class Record(Protocol):
    """A row as asyncpg returns it: values by column name or position."""

    def __getitem__(self, key: str | int) -> Any: ...

    def keys(self) -> Any: ...

    def values(self) -> Any: ...


class Consents(Protocol):
    """Where people's confirmations of what agents do for them are kept (see `kernel.consent`)."""

    async def use(self, work: "Work", digest: bytes) -> bool:
        """Uses up the acting principal's confirmation that has this digest; False when there is none."""
        ...


class NoConsents:
    """Nobody ever said yes: what stands here until the context that keeps confirmations is wired."""

    async def use(self, work: "Work", digest: bytes) -> bool:  # noqa: ARG002  # the port's shape
        return False


Statement = str | ClauseElement

_DIALECT = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
APP_ROLE = "agora_app"
"""The role requests run as: owns nothing and cannot bypass row-level security."""


class _Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg ships no types
    def get_reset_query(self) -> str:
        """Nothing to reset: every setting we make is local to a transaction."""
        return ""


def compiled(statement: ClauseElement) -> tuple[str, list[Any]]:
    """SQL text and parameters of a Core construct, in the form asyncpg takes."""
    built = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    values = built.construct_params() or {}
    return str(built), [values[name] for name in getattr(built, "positiontup", None) or ()]


def _setting(name: str, value: str) -> str:
    return f"SET LOCAL agora.{name} = '{value}'"


def _opening(principal: Principal, durable: bool) -> str:
    """BEGIN and the facts the policies read, as one simple query. Only ids and hex digits are ever put in."""
    wanted = ["BEGIN"] if durable else ["BEGIN", "SET LOCAL synchronous_commit = off"]
    if principal.is_staff:
        return "; ".join([*wanted, _setting("staff", "on")])
    if principal.user_id or principal.guest_key:
        wanted.append(_setting("subject", principal.subject))
    if principal.customer_id:
        wanted.append(_setting("customer", str(UUID(str(principal.customer_id)))))
    if principal.merchant_ids:
        wanted.append(_setting("merchants", "{" + ",".join(str(UUID(str(m))) for m in principal.merchant_ids) + "}"))
    if principal.guest_key:
        wanted.append(_setting("guest", principal.guest_key.hex()))
    return "; ".join(wanted)


@dataclass(slots=True)
class Work:
    """One transaction of one principal. `now` is the instant of the whole unit."""

    connection: Any
    principal: Principal
    now: datetime
    consents: Consents = field(default_factory=NoConsents)
    _events: list[Event] = field(default_factory=list)
    _last: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    _after: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def rows(self, statement: Statement, *args: Any) -> list[Record]:
        telemetry.STATEMENTS.inc()
        if not isinstance(statement, str):
            statement, args = self._with(statement)
        found: list[Record] = await self.connection.fetch(statement, *args)
        return found

    async def row(self, statement: Statement, *args: Any) -> Record | None:
        telemetry.STATEMENTS.inc()
        if not isinstance(statement, str):
            statement, args = self._with(statement)
        found: Record | None = await self.connection.fetchrow(statement, *args)
        return found

    async def value(self, statement: Statement, *args: Any) -> Any:
        found = await self.row(statement, *args)
        return found[0] if found else None

    async def run(self, statement: Statement, *args: Any) -> int:
        """Runs a write and returns how many rows it touched."""
        telemetry.STATEMENTS.inc()
        if not isinstance(statement, str):
            statement, args = self._with(statement)
        tag: str = await self.connection.execute(statement, *args)
        return int(tag.rsplit(" ", 1)[-1]) if tag[-1].isdigit() else 0

    @staticmethod
    def _with(statement: ClauseElement) -> tuple[str, tuple[Any, ...]]:
        sql, values = compiled(statement)
        return sql, tuple(values)

    def emit(self, *events: Event) -> None:
        """Hands events to the outbox of this transaction: written with it, or not at all."""
        self._events.extend(events)

    def after_commit(self, call: Callable[[], Awaitable[None]]) -> None:
        """Runs `call` once the transaction is durable: a nudge, never an effect that must not be lost."""
        self._after.append(call)

    def last(self, call: Callable[[], Awaitable[None]]) -> None:
        """Runs `call` as the final statement before COMMIT: rows that many wait for (stock of a hot SKU) are locked
        for one round trip and the commit, not for the rest of the transaction (twice the throughput, measured)."""
        self._last.append(call)

    async def become_system(self) -> None:
        """From here to its end the transaction acts as the system: what a saga does past its pivot is nobody's wish."""
        if not self.principal.is_staff:
            await self.run(_setting("staff", "on"))
        self.principal = SYSTEM

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """A part of the transaction that may fail alone, done as the system.

        When it raises, its writes, events and calls are gone and the transaction can go on as its own principal. What
        the part puts last comes at the part's end: a refusal from there is the part's as well."""
        who, events, last, after = self.principal, self._events, self._last, self._after
        self.principal, self._events, self._last, self._after = SYSTEM, [], [], []
        await self.connection.execute("SAVEPOINT attempt; " + _setting("staff", "on"))
        try:
            yield
            for call in self._last:
                await call()
            staff = _setting("staff", "on" if who.is_staff else "")
            await self.connection.execute("RELEASE SAVEPOINT attempt; " + staff)
        except BaseException:
            self._events, self._after = [], []
            with suppress(asyncpg.InterfaceError, asyncpg.PostgresConnectionError, OSError):
                await self.connection.execute("ROLLBACK TO SAVEPOINT attempt")  # which also takes the setting back
            raise
        finally:
            self.principal, self._last = who, last
            self._events, self._after = [*events, *self._events], [*after, *self._after]

    async def finish(self) -> None:
        """Writes the emitted events, then runs what had to come last."""
        if self._events:
            from kernel.outbox import write  # the outbox writes through the unit of work it belongs to

            events, self._events = self._events, []
            await write(self, events)
        last, self._last = self._last, []
        for call in last:
            await call()


class Database:
    """The pool. One per process; `clock` is injected so that tests own the time."""

    def __init__(self, pool: Any, url: str, clock: Clock = system_clock) -> None:
        self.pool = pool
        self.url = url
        self.clock = clock
        self.consents: Consents = NoConsents()

    @asynccontextmanager
    async def work(self, principal: Principal, durable: bool = True) -> AsyncIterator[Work]:
        """One unit of work: commits when the block ends, rolls back when it raises.

        `durable=False` does not wait for the disk: for work that is done again when a crash of the server loses it
        (reading positions, reactions through the inbox: they are lost together and in order, never one without the other).
        """
        async with self.pool.acquire() as connection:
            work = Work(connection, principal, self.clock(), self.consents)
            telemetry.TRANSACTIONS.inc()
            try:
                await connection.execute(_opening(principal, durable))
                yield work
                await work.finish()
                await connection.execute("COMMIT")
            except BaseException:
                with suppress(asyncpg.InterfaceError, asyncpg.PostgresConnectionError, OSError):
                    await connection.execute("ROLLBACK")  # a lost connection has rolled back already
                raise
        for call in work._after:
            await call()

    async def alone(self, statement: str, *args: Any) -> Record | None:
        """One statement that is a transaction by itself: one round trip instead of three. It is nobody's: only for
        tables without row-level security. Returns its first row."""
        telemetry.STATEMENTS.inc()
        telemetry.TRANSACTIONS.inc()
        found: Record | None = await self.pool.fetchrow(statement, *args)
        return found

    async def close(self) -> None:
        await self.pool.close()


async def _prepare(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + orjson.dumps(value, default=str),
        decoder=lambda raw: orjson.loads(raw[1:]),
    )
    await connection.set_type_codec("json", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)


async def nearest(url: str) -> dict[str, Any]:
    """How to reach a server of this machine by its Unix socket, which costs a third less a round trip than TCP (both
    sides' CPU time): `host` and `port` to connect with, nothing where there is no way."""
    parts = urlsplit(url)
    if parts.hostname not in ("127.0.0.1", "localhost"):
        return {}
    connection = await asyncpg.connect(url)
    try:
        folders: str = await connection.fetchval("show unix_socket_directories")
    except asyncpg.InsufficientPrivilegeError:  # only an owner of the server may know
        return {}
    finally:
        await connection.close()
    for folder in filter(None, folders.split(", ")):
        near = {"host": folder, "port": parts.port or 5432}
        if (Path(folder) / f".s.PGSQL.{near['port']}").is_socket():
            with suppress(OSError, asyncpg.PostgresError):
                await (await asyncpg.connect(url, **near)).close()
                return near
    return {}


async def connect(
    url: str,
    *,
    size: int = 12,
    role: str | None = APP_ROLE,
    statement_timeout: float = 5.0,
    lock_timeout: float = 3.0,
    clock: Clock = system_clock,
) -> Database:
    """Opens the pool as `role`. Time-outs (seconds) stay below the saga lease, so a frozen worker lets go in time."""

    async def setup(connection: Any) -> None:
        await _prepare(connection)
        if role:
            await connection.execute(f"SET ROLE {role}")

    pool = await asyncpg.create_pool(
        url,
        **await nearest(url),
        min_size=min(2, size),
        max_size=size,
        init=setup,
        connection_class=_Connection,
        command_timeout=statement_timeout + 5,
        server_settings={
            "application_name": "agora",
            "timezone": "UTC",
            "statement_timeout": str(int(statement_timeout * 1000)),
            "lock_timeout": str(int(lock_timeout * 1000)),
            "idle_in_transaction_session_timeout": str(int(statement_timeout * 1000)),
            "jit": "off",
            # Our statements are few, written for one plan each; planning the large ones anew costs more than they do.
            "plan_cache_mode": "force_generic_plan",
        },
    )
    return Database(pool, url, clock)


@contextmanager
def law(constraint: str, error: AgoraError) -> Iterator[None]:
    """Turns the breach of a named constraint into the context's own error: the law stays in Postgres."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as broken:
        if broken.constraint_name == constraint:
            raise error from None
        raise


def in_order(ids: Sequence[UUID]) -> list[UUID]:
    """Ids sorted for locking: every path takes row locks in this order, so two paths cannot deadlock."""
    return sorted(set(ids))
