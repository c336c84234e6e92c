"""Tools on prices: what something costs and has cost, and what it should cost."""

from typing import Annotated

from pydantic import Field

from commerce.approval import Draft
from commerce.approval.permissions import PROPOSE
from commerce.pricing import DEFAULT_CHANNEL
from commerce.pricing.permissions import READ_PRICES, WRITE_PRICES
from commerce.pricing.schemas import PriceStoryView
from commerce.product.errors import UnknownProduct
from commerce.product.permissions import WRITE_PRODUCTS
from kernel.schemas import Code, Command, Text
from tools.product import OneProduct
from tools.spec import Call, Effect, tool

VARIANTS_MOST = 8


class PriceOf(PriceStoryView):
    """A variant's price and what it was."""

    sku: str
    name: str


@tool(Effect.READ, READ_PRICES)
async def price_of(call: Call, args: OneProduct) -> list[PriceOf]:
    """Shows the price of each variant of a product with its history and the lowest of the last 30 days. For merchants,
    of their own products, and for staff; shoppers are told prices by find_products."""
    channel = await call.commerce.pricing.channel(call.work)
    product = await call.commerce.product.named(call.work, channel, args.product)
    own = await call.commerce.product.own(call.work, [variant.id for variant in product.variants])
    if not own:
        raise UnknownProduct()
    found = []
    for variant in [variant for variant in product.variants if variant.id in own][:VARIANTS_MOST]:
        story = await call.commerce.pricing.story(call.work, channel, variant.id)
        found.append(PriceOf(sku=variant.sku, name=product.name, **dict(story)))
    return found


class NewPrice(Command):
    sku: Annotated[Code, Field(description="SKU of the variant")]
    price: Annotated[
        int, Field(ge=1, le=100_000_000, description="the new price of one unit, in minor units: 1999 is 19.99")
    ]
    reason: Annotated[Text, Field(description="why, in one line for the person who decides")]
    channel: Annotated[Code, Field(description="the channel it is for")] = DEFAULT_CHANNEL


@tool(Effect.PROPOSE, WRITE_PRICES, PROPOSE, WRITE_PRODUCTS)
async def propose_price(call: Call, args: NewPrice) -> Draft:
    """Proposes a new price for a variant of the caller's shop. A small step is made at once, a larger one waits for a
    person, one of more than the policy's bound is refused. When the price has moved meanwhile, nothing is changed."""
    variant = await call.commerce.product.own_variant(call.work, args.sku)
    return await call.commerce.prices.draft(call.work, variant, args.channel, args.price, args.reason)
