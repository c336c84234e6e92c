"""The relay: gives outbox rows their positions and hands them to the transport, one relay per database at a time."""

from kernel import outbox, telemetry
from kernel.auth import SYSTEM
from kernel.db import Database
from kernel.transport import Transport


async def relay(database: Database, transport: Transport, limit: int = 500) -> int:
    """One batch; returns its size. A message is handed over before its position commits: at least once, never lost."""
    async with database.work(SYSTEM, durable=False) as work:
        messages = await outbox.assign(work, limit)
        if messages:
            await transport.publish(messages)
    telemetry.BACKLOG.set(len(messages) if len(messages) == limit else 0)
    return len(messages)
