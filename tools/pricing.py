"""Tools on prices: a new price for a variant of the caller's shop."""

from typing import Annotated

from pydantic import Field

from commerce.approval import Draft
from commerce.approval.permissions import PROPOSE
from commerce.pricing import DEFAULT_CHANNEL
from commerce.pricing.permissions import WRITE_PRICES
from commerce.product.permissions import WRITE_PRODUCTS
from kernel.schemas import Code, Command, Text
from tools.spec import Call, Effect, tool


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
