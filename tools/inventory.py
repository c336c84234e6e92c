"""Tools on stock: is it there, what lies in a merchant's shelves, and what should be corrected there."""

from typing import Annotated

from pydantic import Field, StringConstraints

from commerce.approval import Draft
from commerce.approval.permissions import PROPOSE
from commerce.inventory import OwnStock
from commerce.inventory.permissions import ADJUST_STOCK, READ_STOCK
from commerce.inventory.schemas import AdjustStock, LevelId
from commerce.product.permissions import WRITE_PRODUCTS
from kernel.money import Money
from kernel.schemas import Code, Command, Text, View
from tools.product import Found, OneProduct, found
from tools.spec import PUBLIC, Call, Effect, tool

SHOWN_MOST = 20


class Shelves(Command):
    below: Annotated[int, Field(ge=0, le=1_000_000)] | None = Field(
        None, description="only what has fewer sellable units than this"
    )
    q: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] | None = Field(
        None, description="words of the product's name or its SKU"
    )


class OneAlert(Command):
    level: LevelId | None = Field(None, description="the one stock level it is about")


class Low(View):
    """A level that runs low, in its merchant's words; `quantity` is by how many it is filled up."""

    sku: str
    name: str
    location: str
    available: int
    point: int
    quantity: int
    sold_30_days: int


class Shelf(View):
    """A level of the merchant's stock."""

    sku: str
    name: str
    location: str
    on_hand: int
    promised: int
    available: int


@tool(Effect.READ, PUBLIC)
async def check_stock(call: Call, args: OneProduct) -> Found:
    """Says how many units of a product can be bought right now, by variant. Use it for "is it in stock"."""
    channel = await call.commerce.pricing.channel(call.work)
    product = await call.commerce.product.named(call.work, channel, args.product)
    return found(product)


@tool(Effect.READ, READ_STOCK)
async def merchant_stock(call: Call, args: Shelves) -> list[Shelf]:
    """Lists stock levels of the caller's own shop, scarcest first. For merchants; `below` finds what runs low."""
    rows = await call.commerce.inventory.shelves(call.work, args.below)
    names = await call.commerce.product.names(call.work, [row.variant_id for row in rows])
    shelves = [
        Shelf(
            sku=names[row.variant_id][0],
            name=names[row.variant_id][1],
            location=row.location,
            on_hand=row.on_hand,
            promised=row.reserved + row.allocated,
            available=row.available,
        )
        for row in rows
        if row.variant_id in names
    ]
    wanted = (args.q or "").lower()
    return [shelf for shelf in shelves if wanted in f"{shelf.sku} {shelf.name}".lower()][:SHOWN_MOST]


@tool(Effect.READ, READ_STOCK)
async def stock_alerts(call: Call, args: OneAlert) -> list[Low]:
    """Lists what is at or below its reorder point in the caller's own shop, with what it sold. For merchants."""
    inventory = call.commerce.inventory.alerts
    rows = [await inventory.alert(call.work, args.level)] if args.level else await inventory.low(call.work, SHOWN_MOST)
    names = await call.commerce.product.names(call.work, [row.variant_id for row in rows])
    return [
        Low(
            sku=names[row.variant_id][0],
            name=names[row.variant_id][1],
            **row.model_dump(include=set(Low.model_fields)),
        )
        for row in rows
        if row.variant_id in names
    ]


class OneLevel(Command):
    level: Annotated[LevelId, Field(description="the stock level that runs low")]


@tool(Effect.PROPOSE, READ_STOCK, PROPOSE)
async def propose_refill(call: Call, args: OneLevel) -> Draft:
    """Proposes to tell the merchant of a level at its reorder point what runs low and by how much to fill it up. Taken
    at once within the day's limits."""
    return await call.commerce.refill.draft(call.work, args.level)


class Correction(Command):
    sku: Annotated[Code, Field(description="SKU of the variant")]
    quantity: Annotated[
        int, Field(ge=-1_000_000, le=1_000_000, description="units to add; negative to take away; not the new level")
    ]
    reason: Annotated[Text, Field(description="why, in one line: it stands in the record of the correction")]
    location: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] | None = Field(
        None, description="code or name of the location, where there are several"
    )


@tool(Effect.PROPOSE, ADJUST_STOCK, PROPOSE, WRITE_PRODUCTS)
async def propose_restock(call: Call, args: Correction) -> Draft:
    """Proposes to correct how many units of a variant the caller's shop has at a location, after a count, a delivery or a
    loss. A correction of little worth is made at once, another waits for a person. Never below what is promised."""
    variant = await call.commerce.product.own_variant(call.work, args.sku)
    channel = await call.commerce.pricing.channel(call.work)
    price = (await call.commerce.pricing.prices(call.work, channel, [variant.id])).get(variant.id)
    unit = Money(price.unit_minor, price.currency) if price else None
    stock = OwnStock(variant.id, variant.sku, variant.name, variant.merchant_id, unit, args.location)
    return await call.commerce.stock.draft(call.work, stock, AdjustStock(quantity=args.quantity, reason=args.reason))
