"""Tools on the catalogue: find something, look at it."""

from typing import Annotated

from pydantic import Field, StringConstraints

from commerce.app import Commerce
from commerce.product import ProductView
from commerce.product.schemas import CategoryView
from commerce.recall import near_of
from commerce.recall.schemas import Lookup
from kernel.schemas import Command, MoneyView, View
from tools.spec import PUBLIC, Call, Effect, NoArguments, tool

SHOWN_MOST = 6
LIKE_MOST = 3
"""Products that are only like what was asked for."""


class Find(Command):
    q: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
        Field(description="what the customer looks for, in their words"),
    ]
    category: Annotated[str, StringConstraints(max_length=80)] | None = Field(
        None, description="slug of a category, to search only there"
    )


class OneProduct(Command):
    product: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
        Field(description="a product's id, a SKU, or its name"),
    ]


class Option(View):
    """A variant as it can be bought; `available` units now."""

    sku: str
    options: dict[str, str]
    price: MoneyView | None
    available: int


class Found(View):
    """A product as it is told about in a chat."""

    id: str
    name: str
    category: str
    description: str
    variants: list[Option]


async def _like(commerce: Commerce, args: Find) -> Lookup:
    return await commerce.recall.look(args.q, "products")


@tool(Effect.READ, PUBLIC, look=_like)
async def find_products(call: Call, args: Find) -> list[Found]:
    """Searches the shop's products by words, then by meaning, and forgives typing errors; shows variants with SKU, price, availability.

    Use it whenever a customer looks for, asks the price of, or names something to buy."""
    channel = await call.commerce.pricing.channel(call.work)
    page = await call.commerce.product.page(call.work, channel, args.q, args.category, size=SHOWN_MOST)
    items = page.items
    if not items:
        near = list(near_of(call.looked, "products"))[:LIKE_MOST]
        items = [
            p
            for p in await call.commerce.product.listed(call.work, channel, near)
            if args.category in (None, p.category)
        ]
    return [found(product) for product in items]


@tool(Effect.READ, PUBLIC)
async def get_product(call: Call, args: OneProduct) -> Found:
    """Shows one product with its description and every variant."""
    channel = await call.commerce.pricing.channel(call.work)
    product = await call.commerce.product.named(call.work, channel, args.product)
    return found(product)


@tool(Effect.READ, PUBLIC)
async def list_categories(call: Call, args: NoArguments) -> list[CategoryView]:  # noqa: ARG001  # every tool has them
    """Lists the shop's categories: for "what do you sell"."""
    return await call.commerce.product.categories(call.work)


def found(product: ProductView) -> Found:
    """A product in the words of a chat."""
    plain = product.model_dump(mode="json")
    return Found.model_validate({name: plain[name] for name in Found.model_fields})
