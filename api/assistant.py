"""The agent layer as the API holds it: loaded when the first message comes, or at start where that is asked for.

Importing it takes seconds and memory that a storefront alone never needs.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from commerce.app import Commerce
from kernel import garbage
from kernel.saga_engine import Run
from kernel.settings import Settings

if TYPE_CHECKING:
    from graphs.assistant import Assistant

Drive = Callable[[Run], Awaitable[None]]


class LazyAssistant:
    """`await get()` gives the one assistant of this process."""

    def __init__(self, commerce: Commerce, settings: Settings, drive: Drive) -> None:
        self._parts = (commerce, settings, drive)
        self._opening = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._made: Assistant | None = None

    async def get(self) -> "Assistant":
        if self._made is None:
            async with self._opening:
                if self._made is None:
                    self._made = await self._open()
        return self._made

    async def _open(self) -> "Assistant":
        commerce, settings, drive = self._parts
        module = await asyncio.to_thread(importlib.import_module, "graphs.assistant")
        made: Assistant = await self._stack.enter_async_context(
            module.assistant(commerce, settings, commerce.database.url, drive)
        )
        garbage.spare()
        return made

    async def close(self) -> None:
        await self._stack.aclose()
