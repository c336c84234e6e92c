"""A process that carries out what is queued for agents, to be killed when it passes a named point for the nth time."""

import asyncio
from dataclasses import dataclass
from typing import Any

from agents.models import Models
from graphs.automation import Automation
from graphs.supervisor import Supervisor
from kernel import fault
from kernel.auth import SYSTEM
from tests.agents.test_limits import never
from tests.conftest import opened, settings
from tests.fakes.models import Ranked


@dataclass(frozen=True)
class Death:
    """Where to die, and at which passing."""

    url: str
    point: str
    passing: int


class Armed(dict[str, str]):
    """Counts the passings of one point."""

    def __init__(self, death: Death) -> None:
        super().__init__({death.point: "kill"})
        self._left = death.passing

    def pop(self, name: str, *default: Any) -> Any:
        self._left -= name in self
        return self[name] if name in self and self._left == 0 else None


def main(death: Death) -> None:
    fault._armed = Armed(death)
    asyncio.run(_run(death.url))


async def _run(url: str) -> None:
    async with opened(url) as shop:
        supervisor = Supervisor(shop, Models(settings(model="offline")), never, Ranked, None)
        async with shop.database.work(SYSTEM) as work:
            errands = await shop.errands.claim(work, 20)
        await Automation(shop, supervisor).carry_out(errands)
