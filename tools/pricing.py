"""Tools on prices: what something costs and has cost."""

from commerce.pricing.permissions import READ_PRICES
from commerce.pricing.schemas import PriceStoryView
from commerce.product.errors import UnknownProduct
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
