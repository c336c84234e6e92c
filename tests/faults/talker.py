"""A process that answers one yes in a chat, to be killed at a named point."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from agents.models import Models
from graphs.assistant import Assistant
from graphs.supervisor import Supervisor
from kernel import fault
from kernel.auth import Principal
from kernel.saga_engine import Run
from memory.checkpoints import checkpoints
from tests.conftest import opened, settings
from tests.fakes.models import Ranked, Script


@dataclass(frozen=True)
class Yes:
    """Whose yes to what, and where to die."""

    url: str
    principal: Principal
    thread: UUID
    confirmation: UUID
    point: str


def main(yes: Yes) -> None:
    fault._armed[yes.point] = "kill"
    asyncio.run(_run(yes))


async def _run(yes: Yes) -> None:
    async with opened(yes.url) as shop, checkpoints(yes.url, size=1) as saver:

        async def drive(run: Run) -> None:
            await shop.checkout.drive(run)

        models = Models(settings(model="offline"), Script(lines=["Done."], asked=[], bound=[]))
        supervisor = Supervisor(shop, models, drive, Ranked, saver)
        await Assistant(shop, supervisor).confirm(yes.principal, yes.thread, yes.confirmation, True)
