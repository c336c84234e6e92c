"""What every test of returns begins with: an order that has arrived, and a product in two variants."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx

from commerce.app import Commerce
from commerce.inventory.schemas import ReceiveStock
from commerce.pricing.schemas import SetPrice
from commerce.product.schemas import CreateProduct, NewMedia, NewVariant
from kernel.auth import SYSTEM
from kernel.ids import new_id, parse
from tests.factories.api import Caller, signed_in
from tests.factories.books import owed
from tests.factories.parcels import arrive, send
from tests.factories.world import World

SIZES = {"S": 2000, "M": 2000, "L": 2600, "XS": 1700}


@dataclass(frozen=True)
class Shirts:
    """One product; a variant and a price for each size, a hundred of each."""

    sizes: dict[str, UUID]


async def shirts(shop: Commerce, world: World) -> Shirts:
    name = f"shirt-{new_id().hex[-8:]}"
    async with shop.database.work(SYSTEM) as work:
        product, variants = await shop.product.create(
            work,
            CreateProduct(
                merchant_id=world.merchants["north"],
                slug=name,
                name="Shirt",
                description="A shirt for every day",
                category="things",
                media=[NewMedia(url=f"/media/{name}.svg", alt=name)],
                variants=[NewVariant(sku=f"{name}-{s}".upper(), options={"Size": s}, weight_g=200) for s in SIZES],
            ),
        )
        sizes = {}
        for size, price in SIZES.items():
            variant = variants[f"{name}-{size}".upper()]
            await shop.pricing.set_price(work, SetPrice(variant_id=variant, channel="web", minor=price))
            await shop.inventory.receive(
                work, ReceiveStock(location_id=world.locations["north"], variant_id=variant, quantity=100)
            )
            sizes[size] = variant
        await shop.product.publish(work, product, await shop.pricing.channel(work, "web"))
    return Shirts(sizes)


async def delivered(
    http: httpx.AsyncClient, lines: dict[UUID, int], name: str = "ann", token: str = "tok_success", **checkout: Any
) -> Any:
    """An order of `name` that has arrived."""
    buyer, north = await signed_in(http, name), await signed_in(http, "north")
    group = await buyer.checkout(await buyer.cart(lines), token, **checkout)
    order = group["orders"][0]
    await send(north, order)
    await arrive(north, order)
    return await buyer.get(f"/v1/orders/{order['id']}")


def wish(order: Any, *units: int, reason: str = "not_wanted", wanted: dict[int, str] | None = None, **more: Any) -> Any:
    """A request for so many units of each line; `wanted` is the replacement of a line by its position."""
    lines = [
        {
            "order_line_id": line["id"],
            "quantity": quantity,
            **({"replacement_id": wanted[i]} if wanted and i in wanted else {}),
        }
        for i, (line, quantity) in enumerate(zip(order["lines"], units, strict=False))
        if quantity
    ]
    return {"order_id": order["id"], "lines": lines, "reason": reason, **more}


async def asked(caller: Caller, body: Any, expect: int | None = 201) -> Any:
    return await caller.post("/v1/returns", body, expect, key=str(uuid4()))


async def receive(caller: Caller, request: Any, *units: int, expect: int | None = 200, **more: Any) -> Any:
    lines = [
        {"return_line_id": line["id"], "quantity": n} for line, n in zip(request["lines"], units, strict=False) if n
    ]
    return await caller.post(f"/v1/returns/{request['id']}/receive", {"lines": lines, **more}, expect, key=str(uuid4()))


async def inspect(
    caller: Caller, request: Any, *units: int, passed: bool = True, expect: int | None = 200, **more: Any
) -> Any:
    found = {"condition": "unopened", "passed": passed, "disposition": "restock" if passed else "send_back", **more}
    lines = [
        {"return_line_id": line["id"], "quantity": n, **found}
        for line, n in zip(request["lines"], units, strict=False)
        if n
    ]
    return await caller.post(f"/v1/returns/{request['id']}/inspect", {"lines": lines}, expect, key=str(uuid4()))


async def books(sql: asyncpg.Connection, order: Any) -> dict[str, Any]:
    """Where an order's money and units are: refunded, owed to its merchant, and the counts of its lines."""
    group = parse("grp", order["group_id"])
    row = await sql.fetchrow(
        "select (select refunded from payment_intents where reference_id = $1) as refunded, "
        "(select array_agg(returned order by id) from order_lines where order_id = $2) as returned",
        *(group, parse("ord", order["id"])),
    )
    return {**dict(row), "sales": await owed(sql, group)}
