"""What happens by the clock. Every job runs in one process at a time: its row in `schedules` is its lock and its memory."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from commerce import gateway
from commerce.app import Commerce
from kernel import telemetry
from kernel.auth import SYSTEM
from kernel.db import Work

MONTHS_AHEAD = 4
RETRY_SECONDS = 60
"""When a failed job is tried again, if its turn would come later."""
INBOX_DAYS = 14
"""How long the inbox remembers an event: longer than any transport keeps it."""
log = telemetry.log("schedule")


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    every: timedelta
    run: Callable[[Commerce], Awaitable[None]]


async def release_holds(commerce: Commerce) -> None:
    """Stock of purchases that were neither paid nor failed in time becomes sellable again, one purchase at a time."""
    async with commerce.database.work(SYSTEM) as work:
        references = await commerce.inventory.expired(work)
    for reference in references:
        async with commerce.database.work(SYSTEM) as work:
            await commerce.inventory.release(work, reference)


async def make_partitions(commerce: Commerce) -> None:
    """Partitions of this month and the next three, a month at a time. A new one locks the tables its keys point to, so it
    gives way: it waits less for a lock than PostgreSQL waits (1 s) before it picks a victim among those who wait."""
    this_month = commerce.database.clock().date().replace(day=1)
    for ahead in range(MONTHS_AHEAD):
        async with commerce.database.work(SYSTEM) as work:
            await work.run("set local lock_timeout = '300ms'")
            await work.run(
                "select agora_make_partitions(($1::date + make_interval(months => $2))::date, 1)", this_month, ahead
            )


async def forget(commerce: Commerce) -> None:
    """Idempotency keys after 48 hours, limits after a day, inbox rows after INBOX_DAYS, facts and offers
    of carriers when their time is over."""
    async with commerce.database.work(SYSTEM) as work:
        await gateway.purge(work)
        await commerce.chat.facts.expire(work)
        await commerce.carriers.shopping.forget(work)
        await work.run("delete from inbox_events where at < $1", work.now - timedelta(days=INBOX_DAYS))


async def sla_at_risk(commerce: Commerce) -> None:
    """Tickets whose answer comes near its target are warned of, missed ones escalated; the solved of last week close."""
    async with commerce.database.work(SYSTEM) as work:
        await commerce.support.watch(work)
    async with commerce.database.work(SYSTEM) as work:
        await commerce.support.close_solved(work)


async def stock_low(commerce: Commerce) -> None:
    """Levels that came down to their reorder point are told of once, and again only after there was enough."""
    async with commerce.database.work(SYSTEM) as work:
        await commerce.inventory.alerts.watch(work)


async def track_parcels(commerce: Commerce) -> None:
    """Carriers are asked about parcels of which nothing was heard for hours."""
    await commerce.parcels.tracking.poll()


async def parcels_late(commerce: Commerce) -> None:
    """Parcels that were promised for a day that is over are told of, once."""
    async with commerce.database.work(SYSTEM) as work:
        await commerce.fulfillment.late(work)


async def expire_proposals(commerce: Commerce) -> None:
    """Proposals that nobody decided in time end, one at a time, and what they had booked is free again."""
    async with commerce.database.work(SYSTEM) as work:
        late = await commerce.approval.expired(work)
    for proposal in late:
        async with commerce.database.work(SYSTEM) as work:
            await commerce.approval.expire(work, proposal)


async def prune_talks(commerce: Commerce) -> None:
    """Of every conversation that grew the latest checkpoint stays; one that nobody came back to goes with all of them."""
    async with commerce.database.work(SYSTEM) as work:
        seen_at, retention = work.now, commerce.chat.retention
        grown, idle = await retention.grown(work), await retention.idle(work)
    if not grown and not idle:
        return
    memory = await asyncio.to_thread(importlib.import_module, "memory.checkpoints")  # loads LangGraph
    async with memory.checkpoints(commerce.database.url, size=1) as saver:
        await saver.aprune([str(thread_id) for thread_id in grown])
        await saver.aprune([str(thread_id) for thread_id in idle], strategy="delete")
    async with commerce.database.work(SYSTEM) as work:
        await retention.pruned(work, grown, seen_at)
        await retention.forget(work, await retention.still_idle(work, idle))


JOBS = [
    Job("release_holds", timedelta(seconds=10), release_holds),
    Job("make_partitions", timedelta(hours=12), make_partitions),
    Job("sla_at_risk", timedelta(seconds=30), sla_at_risk),
    Job("stock_low", timedelta(seconds=30), stock_low),
    Job("track_parcels", timedelta(minutes=5), track_parcels),
    Job("parcels_late", timedelta(minutes=10), parcels_late),
    Job("expire_proposals", timedelta(seconds=15), expire_proposals),
    Job("forget", timedelta(hours=1), forget),
    Job("prune_talks", timedelta(minutes=10), prune_talks),
]


async def register(commerce: Commerce) -> None:
    """Makes the rows of new jobs; known ones keep their time."""
    async with commerce.database.work(SYSTEM) as work:
        for job in JOBS:
            await work.run(
                "insert into schedules (name, every_seconds, next_at) values ($1, $2, $3) "
                "on conflict (name) do update set every_seconds = excluded.every_seconds",
                *(job.name, int(job.every.total_seconds()), work.now),
            )


async def run_due(commerce: Commerce) -> int:
    """Runs the jobs whose time has come; returns how many."""
    done = 0
    for job in JOBS:
        async with commerce.database.work(SYSTEM) as work:
            mine = await _take(work, job.name)
        if mine:
            done += 1
            await _run(commerce, job)
    return done


async def _take(work: Work, name: str) -> bool:
    """Claims a due job by moving its next time on."""
    return bool(
        await work.run(
            "update schedules set next_at = $2::timestamptz + make_interval(secs => every_seconds), last_at = $2 "
            "where name = $1 and next_at <= $2",
            *(name, work.now),
        )
    )


async def _run(commerce: Commerce, job: Job) -> None:
    error = None
    try:
        await job.run(commerce)
    except Exception as failed:  # the edge of a job: its next turn comes
        log.error("job_failed", job=job.name, exc_info=True)
        error = type(failed).__name__
    async with commerce.database.work(SYSTEM) as work:
        await work.run(
            "update schedules set last_error = $2, next_at = case when $2::text is null then next_at "
            "else least(next_at, $3::timestamptz + make_interval(secs => $4)) end where name = $1",
            *(job.name, error, work.now, RETRY_SECONDS),
        )
