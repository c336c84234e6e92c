"""The agent worker: looks for queued runs, and loads the agent layer only once there is one."""

import asyncio
import importlib
from typing import TYPE_CHECKING

from commerce.app import Commerce
from kernel import garbage
from kernel.auth import SYSTEM
from kernel.settings import Settings

if TYPE_CHECKING:
    from graphs.automation import Automation


class AgentWorker:
    def __init__(self, commerce: Commerce, settings: Settings) -> None:
        self._commerce = commerce
        self._settings = settings
        self._automation: Automation | None = None

    async def step(self) -> int:
        """Carries out what is queued; returns how many."""
        async with self._commerce.database.work(SYSTEM) as work:
            errands = await self._commerce.errands.claim(work)
        if errands:
            if self._automation is None:
                module = await asyncio.to_thread(importlib.import_module, "graphs.automation")
                self._automation = module.automation(self._commerce, self._settings)
                garbage.spare()
            assert self._automation is not None
            await self._automation.carry_out(errands)
        return len(errands)
