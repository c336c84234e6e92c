"""The people around a ticket, as the services see them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from commerce.app import Commerce
from commerce.support import OpenTicket, TicketView
from kernel.auth import Principal
from tests.factories.world import World


class Hands:
    """A clock whose hands a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def on(self, **time: float) -> None:
        self.now += timedelta(**time)


def customer(shop: Commerce, world: World, name: str = "ann") -> Principal:
    return replace(shop.identity.as_role("customer"), customer_id=world.customers[name])


def member(shop: Commerce, world: World, slug: str = "north") -> Principal:
    return replace(shop.identity.as_role("merchant"), merchant_ids=(world.merchants[slug],))


def staff(shop: Commerce, user_id: UUID | None = None) -> Principal:
    return replace(shop.identity.as_role("support"), user_id=user_id)


async def opened_by(shop: Commerce, who: Principal, **fields: Any) -> TicketView:
    async with shop.database.work(who) as work:
        return await shop.support.open(
            work, OpenTicket(**{"subject": "Where is it?", "body": "I wait for my mug.", **fields})
        )
