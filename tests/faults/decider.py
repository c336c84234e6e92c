"""A process that says yes to a proposal, to be killed at a named point."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from kernel import fault
from kernel.auth import Principal
from tests.approval.desk import decide
from tests.conftest import opened


@dataclass(frozen=True)
class Yes:
    """Whose yes to what, and where to die."""

    url: str
    principal: Principal
    proposal: UUID
    point: str


def main(yes: Yes) -> None:
    fault._armed[yes.point] = "kill"
    asyncio.run(_run(yes))


async def _run(yes: Yes) -> None:
    async with opened(yes.url) as shop:
        await decide(shop, yes.principal, yes.proposal)
