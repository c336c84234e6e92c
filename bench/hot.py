"""One hot SKU: everybody wants the same units, so every order waits for the same row of stock.

First placing alone, which is all that holds that row: the transaction of `CheckoutService.place_order`, through the
services, without HTTP and before the saga that follows; beside it the same writes as bare transactions, in turn. Then
whole checkouts over HTTP, the saga and the reactions included, beside the same rush for all SKUs: what the hot row costs.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from typing import TypeVar
from uuid import UUID

from bench.bare import Bare
from bench.client import Client
from bench.journey import ADDRESS, cart_of, check_out
from bench.shop import Shop
from commerce.app import Commerce, wire
from commerce.checkout.schemas import PlaceOrder
from commerce.inventory.errors import InsufficientStock
from commerce.payment.adapters.simulator import Simulator
from kernel import db
from kernel.ids import new_id, parse
from kernel.schemas import Address
from kernel.settings import Settings

T = TypeVar("T")
Cart = tuple[str, str]
"""Public id and token."""
SECRET = "nothing here is signed with it"
LEASE = 120.0
"""Seconds: no worker of the shop takes a saga over while we measure what comes before it."""
ONE_IN = 4
"""A quarter of the buyers comes too late: units are three quarters of the carts."""


async def hot_sku(shop: Shop, bare: Bare, rounds: int, buyers: int, clients: int) -> None:
    print(f"\nOne hot SKU, {clients} at a time; a quarter of the buyers comes too late")
    hot, placed, reference = shop.variants[0], [], []
    database = await db.connect(shop.database_url, size=clients)
    commerce = wire(database, Simulator(database, shop.base_url, SECRET), SECRET, Settings(saga_lease=LEASE))
    for _ in range(rounds):
        units = await _stock(shop, hot, buyers)
        carts = await _carts(shop, [[hot]] * buyers)
        placed.append(await _all(carts, clients, lambda cart: _place(commerce, cart)))
        print(f"  agora  {placed[-1][0]:7.1f} orders/s placed   {await _sold(shop, hot, placed[-1][1], units)}")
        reference.append(await _all([new_id() for _ in carts], clients, lambda cart: _bare(bare, cart)))
        print(f"  bare   {reference[-1][0]:7.1f} orders/s placed", flush=True)
    await database.close()
    rate, bare_rate = (median(rate for rate, _ in side) for side in (placed, reference))
    print(f"  median {rate:.1f}/s = 1/{bare_rate / rate:.1f} of the bare transactions")
    await _whole(shop, hot, rounds, buyers, clients)


async def _whole(shop: Shop, hot: UUID, rounds: int, buyers: int, clients: int) -> None:
    """The same rush over HTTP, to the end of the saga; in turn with one in which they want different things."""
    others, rates, spread = shop.variants[1:], [], []
    for _ in range(rounds):
        carts = await _carts(shop, [[others[n % len(others)]] for n in range(buyers)])
        spread.append((await _rush(shop, carts, clients))[0])
        units = await _stock(shop, hot, buyers)
        carts = await _carts(shop, [[hot]] * buyers)
        rate, sold = await _rush(shop, carts, clients)
        rates.append(rate)
        print(
            f"  agora  {rate:7.1f} orders/s over HTTP, all they cause included   {await _sold(shop, hot, sold, units)}"
        )
        print(f"         {spread[-1]:7.1f} orders/s when they want all SKUs", flush=True)
    rate, reference = median(rates), median(spread)
    print(f"  median {rate:.1f}/s = {rate / reference:.2f} of the rush for all SKUs")


async def _carts(shop: Shop, wanted: Sequence[Sequence[UUID]]) -> list[Cart]:
    client = await Client.open(shop.base_url)
    carts = [await cart_of(client, list(variants)) for variants in wanted]
    client.close()
    return carts


async def _stock(shop: Shop, variant: UUID, buyers: int) -> int:
    """Leaves units of a variant for all buyers but one in ONE_IN; returns how many."""
    units = buyers - buyers // ONE_IN
    await shop.sql.execute(
        "update inventory_levels set on_hand = reserved + allocated + $2 where variant_id = $1", variant, units
    )
    return units


async def _sold(shop: Shop, variant: UUID, sold: int, units: int) -> str:
    level = await shop.sql.fetchrow(
        "select on_hand, reserved + allocated as promised from inventory_levels where variant_id = $1", variant
    )
    return f"{sold} of {units} units sold, {max(0, level['promised'] - level['on_hand'])} oversold"


async def _all(given: Sequence[T], clients: int, act: Callable[[T], Awaitable[bool]]) -> tuple[float, int]:
    """Acts on all of `given` as fast as they can: successes per second until the last one, and how many."""
    things, done, last, began = list(given), 0, 0.0, time.perf_counter()

    async def run() -> None:
        nonlocal done, last
        while things:
            if await act(things.pop()):
                done, last = done + 1, time.perf_counter()

    await asyncio.gather(*(run() for _ in range(clients)))
    return done / (last - began), done


async def _rush(shop: Shop, carts: list[Cart], clients: int) -> tuple[float, int]:
    idle = [await Client.open(shop.base_url) for _ in range(clients)]

    async def buy(cart: Cart) -> bool:
        client = idle.pop()
        status, _ = await check_out(client, *cart)
        idle.append(client)
        return status == 201

    found = await _all(carts, clients, buy)
    for client in idle:
        client.close()
    return found


async def _place(commerce: Commerce, cart: Cart) -> bool:
    public_id, token = cart
    command = PlaceOrder(shipping_address=Address(**ADDRESS), payment_token="tok_success")
    try:
        async with commerce.database.work(commerce.identity.guest(token)) as work:
            await commerce.checkout.place_order(work, new_id(), parse("crt", public_id), command)
    except InsufficientStock:
        return False
    return True


async def _bare(bare: Bare, cart: UUID) -> bool:
    await bare.place(cart)
    return True
