"""The catalogue: what a channel shows, and merchants at work on it."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.deps import Edge, Open, needs
from commerce.product import ProductView
from commerce.product.permissions import WRITE_CATEGORIES, WRITE_PRODUCTS
from commerce.product.schemas import CategoryView, CreateCategory, CreateProduct, ProductId
from kernel.db import Work
from kernel.ids import public
from kernel.schemas import Page, View

router = APIRouter(prefix="/v1", tags=["product"])
Write = Annotated[Edge, needs(WRITE_PRODUCTS)]
Size = Annotated[int, Query(ge=1, le=100)]


class CreatedProduct(View):
    """Ids of a new product and, by SKU, of its variants."""

    id: str
    variants: dict[str, str]


@router.get("/products", response_model=Page[ProductView])
async def products(
    edge: Open,
    q: Annotated[str | None, Query(max_length=200)] = None,
    category: Annotated[str | None, Query(max_length=80)] = None,
    channel: Annotated[str | None, Query(max_length=64)] = None,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    size: Size = 20,
) -> Response:
    """Published products with price and availability; `q` searches words and forgives typing errors."""

    async def act(work: Work) -> Page[ProductView]:
        shown = await edge.commerce.pricing.channel(work, channel)
        return await edge.commerce.product.page(work, shown, q, category, cursor, size)

    return await edge.run(act)


@router.get("/products/{product_id}", response_model=ProductView)
async def product(
    product_id: ProductId, edge: Open, channel: Annotated[str | None, Query(max_length=64)] = None
) -> Response:
    async def act(work: Work) -> ProductView:
        return await edge.commerce.product.get(work, await edge.commerce.pricing.channel(work, channel), product_id)

    return await edge.run(act)


@router.get("/categories", response_model=list[CategoryView])
async def categories(edge: Open) -> Response:
    return await edge.run(edge.commerce.product.categories)


@router.post("/categories", status_code=204)
async def create_category(command: CreateCategory, edge: Annotated[Edge, needs(WRITE_CATEGORIES)]) -> Response:
    return await edge.once(lambda work: edge.commerce.product.create_category(work, command), 200)


@router.post("/products", status_code=201, response_model=CreatedProduct)
async def create_product(command: CreateProduct, edge: Write) -> Response:
    """A product with its variants; not shown anywhere until it is published."""

    async def act(work: Work) -> CreatedProduct:
        made, variants = await edge.commerce.product.create(work, command)
        by_sku = {sku: public("var", variant) for sku, variant in variants.items()}
        return CreatedProduct(id=public("prd", made), variants=by_sku)

    return await edge.once(act)


@router.post("/products/{product_id}/publish", status_code=204)
async def publish(product_id: ProductId, edge: Write, channel: str | None = None) -> Response:
    """Shows the product in a channel; a 409 names what it still lacks."""

    async def act(work: Work) -> None:
        await edge.commerce.product.publish(work, product_id, await edge.commerce.pricing.channel(work, channel))

    return await edge.once(act, 200)


@router.post("/products/{product_id}/unpublish", status_code=204)
async def unpublish(product_id: ProductId, edge: Write, channel: str | None = None) -> Response:
    async def act(work: Work) -> None:
        await edge.commerce.product.unpublish(work, product_id, await edge.commerce.pricing.channel(work, channel))

    return await edge.once(act, 200)
