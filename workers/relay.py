"""The relay: gives outbox rows their positions and hands them to the transport, one relay per database at a time."""

from datetime import timedelta

from kernel import marks, outbox, telemetry
from kernel.auth import SYSTEM
from kernel.db import Database
from kernel.transport import Loss, RecordsLost, Transport

RESEND_DAYS = 7
"""How far back a transport that lost records gets them again: within the memory of every inbox."""
MOST = 500
"""Messages of one batch."""
log = telemetry.log("relay")


async def relay(database: Database, transport: Transport, limit: int = MOST) -> int:
    """One batch; returns its size. A message is handed over before its position commits: at least once, never lost."""
    try:
        async with database.work(SYSTEM, durable=False) as work:
            messages = await outbox.assign(work, limit)
            if messages:
                await transport.publish(messages)
    except RecordsLost:
        return await restore(database, transport)
    telemetry.BACKLOG.set(len(messages) if len(messages) == limit else 0)
    return len(messages)


async def restore(database: Database, transport: Transport) -> int:
    """Takes back into the outbox what the transport no longer has; returns how many messages will go out again."""
    return sum([await _take_back(database, loss) for loss in await transport.lost()])


async def _take_back(database: Database, loss: Loss) -> int:
    async with database.work(SYSTEM) as work:
        if not await marks.settle(work, loss):
            return 0
        since = work.now - timedelta(days=RESEND_DAYS)
        count = await outbox.resend(work, loss.topic, loss.after, since)
    log.error("records_lost", topic=loss.topic, partition=loss.partition, events=count)
    return count
