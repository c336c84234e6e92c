"""All workers of one process, side by side until they are cancelled."""

import asyncio

from commerce.app import Commerce
from kernel.inbox import retry_parked
from kernel.settings import Settings
from kernel.transport import Transport
from workers import schedule
from workers.agents import AgentWorker
from workers.consumer import BATCH, Reader
from workers.delivery import mailer, send_mail, send_webhooks
from workers.loops import forever
from workers.recall import SharedIndex
from workers.relay import MOST, relay, restore
from workers.subscriptions import GROUP, consumers

LOOK_FOR_LOSSES = 5.0, 30.0
"""Seconds between two looks at whether the transport still has what it was given: after a loss, and without one."""
TOGETHER = 0.1, 0.25
"""Seconds between two batches of events, and without any: one of 8 purchases costs little more than one of 2."""
ROLES = ("relay", "consumer", "saga", "agent", "schedule", "delivery", "recall")


async def run(commerce: Commerce, transport: Transport, settings: Settings, roles: tuple[str, ...] = ROLES) -> None:
    """`roles` chooses what this process does; every role may run in many processes at once."""
    found = consumers(commerce)
    by_name = {consumer.name: consumer for consumer in found}
    post, database = mailer(settings), commerce.database
    async with asyncio.TaskGroup() as group:
        if "relay" in roles:
            group.create_task(forever("relay", lambda: relay(database, transport), *TOGETHER, full=MOST))
            group.create_task(forever("restore", lambda: restore(database, transport), *LOOK_FOR_LOSSES))
        if "consumer" in roles:
            reader = await Reader.open(database, transport, GROUP, found)
            group.create_task(forever("consumer", reader.step, *TOGETHER, full=BATCH))
            group.create_task(forever("parked", lambda: retry_parked(database, by_name), 0.2, 1.0))
        if "saga" in roles:
            group.create_task(forever("saga", commerce.engine.run_due, 0.05, 0.5))
        if "agent" in roles:
            group.create_task(forever("agent", AgentWorker(commerce, settings).step, 0.05, 0.5))
        if "schedule" in roles:
            await schedule.register(commerce)
            group.create_task(forever("schedule", lambda: schedule.run_due(commerce), 1.0, 5.0))
        if "delivery" in roles:
            group.create_task(forever("mail", lambda: send_mail(commerce, post, settings.mail_from), 0.1, 1.0))
            group.create_task(forever("webhooks", lambda: send_webhooks(commerce, settings.base_url), 0.1, 0.5))
        if "recall" in roles and settings.chroma_url:
            group.create_task(forever("recall", SharedIndex(commerce, settings).step, 0.05, 0.5))
