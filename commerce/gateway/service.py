"""The gateway: one effect per idempotency key, and limits that hold across processes and restarts."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from commerce.gateway.errors import IdempotencyKeyReused, RequestInFlight
from commerce.gateway.permissions import READ_USAGE
from commerce.gateway.schemas import CallerView, UsageView
from kernel.auth import SYSTEM, Principal
from kernel.db import Database, Work
from kernel.errors import TooMany

KEEP_KEYS = timedelta(hours=48)
WINDOW = 60
"""Seconds of a rate window."""
WAIT_FOR_FIRST = 5.0
"""Seconds a repeated request waits for the first one's answer before it is told to come back."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer the first request of a key got: what every repetition gets too."""

    status: int
    body: bytes


Render = Callable[[Work, UUID], Awaitable[Stored]]
"""Makes the answer of a request from what it made."""


async def claim(work: Work, route: str, key: str, request_hash: bytes, resource: UUID | None = None) -> bool:
    """Claims a key in the effect's own transaction; False when somebody has it.

    A racing claim waits for the winner's commit on the unique index, so of many exactly one sees True."""
    return bool(
        await work.run(
            "insert into gateway_idempotency_keys (subject, route, key, request_hash, resource, created_at) "
            "values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
            *(work.principal.subject, route, key, request_hash, resource, work.now),
        )
    )


async def replay(
    database: Database, who: Principal, route: str, key: str, request_hash: bytes, render: Render | None = None
) -> Stored:
    """The answer the first request of a key got. Waits a little when it is still being worked on; when its process died
    after the commit, renders the answer in its place. Raises IdempotencyKeyReused, RequestInFlight."""
    until = asyncio.get_running_loop().time() + WAIT_FOR_FIRST
    while True:
        async with database.work(SYSTEM) as work:
            row = await work.row(
                "select request_hash, resource, status, body from gateway_idempotency_keys "
                "where subject = $1 and route = $2 and key = $3",
                *(who.subject, route, key),
            )
        if row is None:
            raise RequestInFlight()
        if row["request_hash"] != request_hash:
            raise IdempotencyKeyReused()
        if row["body"] is not None:
            return Stored(row["status"], row["body"])
        if asyncio.get_running_loop().time() > until:
            break
        await asyncio.sleep(0.1)
    if render is None or row["resource"] is None:
        raise RequestInFlight()
    async with database.work(who) as work:
        return await store(work, route, key, await render(work, row["resource"]))


async def store(work: Work, route: str, key: str, answer: Stored) -> Stored:
    """Keeps an answer, once: returns the one that is kept, which is the first."""
    row = await work.row(
        "update gateway_idempotency_keys set status = coalesce(status, $4), body = coalesce(body, $5) "
        "where subject = $1 and route = $2 and key = $3 returning status, body",
        *(work.principal.subject, route, key, answer.status, answer.body),
    )
    return Stored(row["status"], row["body"]) if row else answer


async def purge(work: Work) -> int:
    """Forgets keys after 48 hours and windows after a day."""
    await work.run("delete from gateway_usage where window_at < $1", work.now - timedelta(days=1))
    return await work.run("delete from gateway_idempotency_keys where created_at < $1", work.now - KEEP_KEYS)


async def usage(work: Work, minutes: int = 10, most: int = 10) -> UsageView:
    """Who called how often of late, busiest first, and which requests never got their answer."""
    work.principal.require(READ_USAGE)
    rows = await work.rows(
        "select subject, sum(requests)::bigint as requests, sum(sum(requests)) over ()::bigint as total "
        "from gateway_usage where window_at > $1 group by subject order by 2 desc, subject limit $2",
        *(work.now - timedelta(minutes=minutes), most),
    )
    unanswered = await work.value(
        "select count(*) from gateway_idempotency_keys where body is null and created_at < $1",
        work.now - timedelta(seconds=WINDOW),
    )
    callers = [CallerView(subject=row["subject"], requests=row["requests"]) for row in rows]
    total = rows[0]["total"] if rows else 0
    return UsageView(minutes=minutes, requests=total, callers=callers, unanswered=unanswered)


class Limiter:
    """Requests per subject and minute. Counted in memory, merged with all processes by `flush` once a second, so it
    may be overrun by what arrives within a second, and never by a restart."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._window: datetime | None = None
        self._known: Counter[str] = Counter()
        self._new: Counter[str] = Counter()

    def count(self, subject: str, now: datetime) -> None:
        """One more request of `subject`. Raises TooMany."""
        window = _start(now)
        if window != self._window:
            self._window = window
            self._known.clear()
            self._new.clear()
        self._new[subject] += 1
        if self._known[subject] + self._new[subject] > self._most:
            raise TooMany(retry_after=max(1, WINDOW - int((now - window).total_seconds())))

    async def flush(self, database: Database) -> None:
        """Adds what was counted here to the table and learns what others counted."""
        if not self._new or self._window is None:
            return
        new, self._new = self._new, Counter()
        subjects = sorted(new)
        async with database.work(SYSTEM) as work:
            rows = await work.rows(
                "insert into gateway_usage as u (subject, window_at, requests) "
                "select s, $2, n from unnest($1::text[], $3::bigint[]) c(s, n) "
                "on conflict (subject, window_at) do update set requests = u.requests + excluded.requests "
                "returning subject, requests",
                *(subjects, self._window, [new[s] for s in subjects]),
            )
        self._known.update({row["subject"]: row["requests"] - self._known[row["subject"]] for row in rows})

    async def load(self, database: Database) -> None:
        """Reads the current window at start: a restart does not give anybody a fresh limit."""
        async with database.work(SYSTEM) as work:
            self._window = _start(work.now)
            rows = await work.rows("select subject, requests from gateway_usage where window_at = $1", self._window)
        self._known.update({row["subject"]: row["requests"] for row in rows})


@dataclass(frozen=True, slots=True)
class Used:
    """How often something was tried in the current window, and when the window ends (seconds)."""

    count: int
    retry_after: int


async def strict(work: Work, name: str, seconds: int) -> Used:
    """Counts one try in Postgres at once, for what must not be guessed (coupon codes, guest chats).

    The count is part of the caller's transaction: commit it before refusing."""
    start = datetime.fromtimestamp(int(work.now.timestamp()) // seconds * seconds, tz=work.now.tzinfo)
    count = await work.value(
        "insert into gateway_usage as u (subject, window_at, requests) values ($1, $2, 1) "
        "on conflict (subject, window_at) do update set requests = u.requests + 1 returning requests",
        *(f"{name}:{work.principal.subject}", start),
    )
    return Used(count, seconds - int((work.now - start).total_seconds()) + 1)


def _start(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)
