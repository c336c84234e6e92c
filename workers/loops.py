"""How every worker waits: busy while there is work, slower and slower when there is none."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from kernel import telemetry

QUICK = 0.05
SLOW = 0.25
AFTER_FAILURE = 1.0
"""Seconds between two looks: right after work, after a while without, and after a failure."""
log = telemetry.log("worker")


async def forever(
    name: str, step: Callable[[], Awaitable[int]], quick: float = QUICK, slow: float = SLOW, full: int = sys.maxsize
) -> None:
    """Calls `step` (which says how much it did) until it is cancelled; a failure is logged and tried again. After `full`,
    the most a step does, the next one follows at once: there is more."""
    wait = quick
    while True:
        try:
            done = await step()
            wait = 0.0 if done >= full else quick if done else max(quick, min(wait * 1.5, slow))
        except Exception:  # the edge of a worker: it outlives its database
            log.error("worker_step_failed", worker=name, exc_info=True)
            wait = AFTER_FAILURE
        await asyncio.sleep(wait)
