"""Round trips are what costs: each step of a purchase has a budget of statements."""

import asyncio
from pathlib import Path
from typing import Any

import httpx

from kernel import telemetry
from kernel.ids import public
from tests.factories.api import Caller, guest
from tests.factories.world import World
from workers.delivery import FolderMailer, send_mail

ADD_TO_CART_MOST = 8
PLACE_ORDER_MOST = 25
ANSWERED_MOST, JOURNEY_MOST = 29, 38
TOGETHER = 8


def statements() -> int:
    return int(telemetry.STATEMENTS._value.get())


async def test_a_journey_keeps_its_budgets(http: httpx.AsyncClient, world: World, shop: Any, settle: Any) -> None:
    buyer = guest(http)
    await journey(buyer, world)  # opens accounts and fills the caches that every later journey finds
    await settle()
    counted: dict[str, int] = {}
    real = shop.checkout.place_order

    async def counting(*args: Any) -> Any:
        before = statements()
        placed = await real(*args)
        counted["place order"] = statements() - before
        return placed

    object.__setattr__(shop.checkout, "place_order", counting)
    start = statements()
    counted["add to cart"] = await journey(guest(http), world)
    purchase = statements() - start
    object.__setattr__(shop.checkout, "place_order", real)
    assert counted["add to cart"] <= ADD_TO_CART_MOST
    assert counted["place order"] + 1 <= PLACE_ORDER_MOST  # the outbox and the hold are the transaction's last: +2, -1
    assert purchase <= ANSWERED_MOST, f"{purchase} statements, {counted}"


async def test_eight_journeys_at_once_keep_the_budget_with_everything_they_cause(
    http: httpx.AsyncClient, world: World, shop: Any, settle: Any, tmp_path: Path
) -> None:
    """Relay, reactions, their looking for work, and mail: what `make bench` counts in the database."""
    await settle()
    start = statements()
    await asyncio.gather(*(journey(guest(http), world) for _ in range(TOGETHER)))
    await settle()
    assert await send_mail(shop, FolderMailer(tmp_path), "Agora <no-reply@agora.test>") >= TOGETHER
    assert statements() - start <= JOURNEY_MOST * TOGETHER


async def journey(buyer: Caller, world: World) -> int:
    """Cart, two lines, checkout; returns the statements of the second line."""
    cart = await buyer.cart({world.variants["mug"]: 1}, email="gil@demo.test")
    before = statements()
    await buyer.post(f"/v1/carts/{cart}/lines", {"variant_id": public("var", world.variants["lamp"]), "quantity": 1})
    used = statements() - before
    assert (await buyer.checkout(cart))["payment"]["status"] == "captured"
    return used
