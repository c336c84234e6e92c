"""The journeys: create a cart, add two lines, check out; wait until the reactions are through."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from statistics import median
from uuid import UUID, uuid4

from bench.bare import Bare
from bench.client import Client
from bench.shop import Shop

ADDRESS = {"name": "Bench", "line1": "Ring 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}
DRAIN_SECONDS = 20


@dataclass
class Round:
    """One round of one side. `seconds` runs until the last reaction is written."""

    times: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0
    statements: int = 0

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds

    def show(self, name: str) -> str:
        ordered = sorted(self.times)
        p50, p95 = (ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.95))
        each = f"{1000 * self.cpu / len(ordered):5.1f} CPU ms  {self.statements / len(ordered):5.1f} statements"
        return f"  {name:<6} {self.rate:7.1f}/s  p50 {p50:6.1f} ms  p95 {p95:6.1f} ms  {each}"


async def journeys(shop: Shop, bare: Bare, rounds: int, seconds: float, clients: int) -> None:
    print("\nWhole purchase journey (cart, 2 lines, checkout, saga, pick task, history, notification)")
    agora_side, bare_side = [], []
    await _round(shop, min(seconds, 2.0), clients, _buyer(shop, shop.variants), wait=True)
    for _ in range(rounds):
        agora_side.append(await _round(shop, seconds, clients, _buyer(shop, shop.variants), wait=True))
        print(agora_side[-1].show("agora"), flush=True)
        bare_side.append(await _round(shop, seconds, clients, bare.buyer, wait=False))
        print(bare_side[-1].show("bare"), flush=True)
    rate, reference = median(r.rate for r in agora_side), median(r.rate for r in bare_side)
    cpu, cpu_bare = (median(r.cpu / len(r.times) for r in side) for side in (agora_side, bare_side))
    print(
        f"  median {rate:.1f}/s = 1/{reference / rate:.1f} of the bare transactions; CPU {cpu / cpu_bare:.1f} x theirs"
    )


Buyer = Callable[[float, list[float]], Awaitable[None]]


async def _round(shop: Shop, seconds: float, clients: int, buyer: Buyer, wait: bool) -> Round:
    result, done = Round(), await shop.done()
    statements, cpu, began = await shop.statements(), shop.cpu_seconds(), time.perf_counter()
    until = began + seconds
    await asyncio.gather(*(buyer(until, result.times) for _ in range(clients)))
    while wait and await shop.done() < done + len(result.times) and time.perf_counter() < until + DRAIN_SECONDS:
        await asyncio.sleep(0.05)
    result.seconds, result.cpu = time.perf_counter() - began, shop.cpu_seconds() - cpu
    result.statements = await shop.statements() - statements
    if wait and await shop.done() < done + len(result.times):
        raise SystemExit("some reactions never came")
    return result


def _buyer(shop: Shop, variants: list[UUID]) -> Buyer:
    async def buy(until: float, times: list[float]) -> None:
        client = await Client.open(shop.base_url)
        while time.perf_counter() < until:
            began = time.perf_counter()
            cart, token = await cart_of(client, random.sample(variants, 2))
            status, group = await check_out(client, cart, token)
            if status != 201 or group["payment"]["status"] != "captured":
                raise SystemExit(f"a purchase failed: {status} {group}")
            times.append(time.perf_counter() - began)
        client.close()

    return buy


async def cart_of(client: Client, variants: list[UUID]) -> tuple[str, str]:
    _, cart = await client.post("/v1/carts", {"email": "bench@demo.test"})
    token: str = cart["cart_token"]
    for variant in variants:
        status, answer = await client.post(
            f"/v1/carts/{cart['id']}/lines", {"variant_id": f"var_{variant.hex}", "quantity": 1}, _held(token)
        )
        if status != 201:
            raise SystemExit(f"a line failed: {answer}")
    return cart["id"], token


async def check_out(client: Client, cart: str, token: str) -> tuple[int, dict[str, dict[str, str]]]:
    body = {"shipping_address": ADDRESS, "payment_token": "tok_success"}
    return await client.post(f"/v1/carts/{cart}/checkout", body, _held(token), f"idempotency-key: {uuid4()}")


def _held(token: str) -> str:
    return f"x-cart-token: {token}"
