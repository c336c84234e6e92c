"""A whole assistant on a scripted model, in the database of the test's module."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from agents.models import Models
from commerce.app import Commerce
from graphs.assistant import Assistant
from graphs.supervisor import Supervisor
from kernel.auth import SYSTEM, Principal
from kernel.saga_engine import Run
from memory.checkpoints import checkpoints
from tests.conftest import settings
from tests.factories.world import World
from tests.fakes.models import Ranked, Script


@pytest.fixture(scope="module")
async def principals(shop: Commerce, world: World) -> Callable[[Commerce, str], Principal]:
    """Ann, Ben and the merchants as the API would see them; any other name is a guest."""
    users: dict[str, UUID] = {}
    async with shop.database.work(SYSTEM) as work:
        for name in (*world.customers, *world.merchants):
            user = await shop.identity.user_by_email(work, f"{name}@demo.test")
            assert user is not None
            users[name] = user.id

    def principal(shop: Commerce, name: str) -> Principal:
        if name in world.customers:
            customer = shop.identity.as_role("customer")
            return replace(customer, customer_id=world.customers[name], user_id=users[name])
        if name in world.merchants:
            merchant = shop.identity.as_role("merchant")
            return replace(merchant, merchant_ids=(world.merchants[name],), user_id=users[name])
        return shop.identity.guest(name)

    return principal


Open = Callable[..., AbstractAsyncContextManager[tuple[Assistant, Script]]]


@pytest.fixture(scope="module")
async def assistants(shop: Commerce, url: str) -> AsyncIterator[Open]:
    """`async with assistants([...lines...], "cancel_order") as (assistant, script)`."""
    async with checkpoints(url, size=2) as saver:

        async def drive(run: Run) -> None:
            await shop.checkout.drive(run)

        @asynccontextmanager
        async def opened(lines: list[Any], wish: str = "get_order") -> AsyncIterator[tuple[Assistant, Script]]:
            script = Script(lines=list(lines), asked=[], bound=[])
            models = Models(settings(model="offline"), script)
            supervisor = Supervisor(shop, models, drive, lambda: Ranked(wish), saver)
            yield Assistant(shop, supervisor), script

        yield opened
