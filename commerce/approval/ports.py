"""What approval asks of the record of runs, which lies above it: wired in `commerce/app.py`."""

from typing import Protocol
from uuid import UUID

from kernel.db import Work


class Runs(Protocol):
    async def require_on(self, work: Work, agent: str) -> None:
        """Raises when the agent is switched off."""
        ...

    async def asked_by(self, work: Work, run_id: UUID) -> str | None:
        """The subject whose wish a run carries out, also when the run itself acts as the system; None of an unknown run."""
        ...
