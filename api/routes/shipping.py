"""Shipping methods and their rates."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.deps import Edge, Open, needs
from commerce.shipping.permissions import WRITE_RATES
from commerce.shipping.schemas import RateView, SetShippingMethod
from kernel.db import Work
from kernel.schemas import Country, money

router = APIRouter(prefix="/v1", tags=["shipping"])


@router.get("/shipping-rates", response_model=list[RateView])
async def rates(
    edge: Open,
    country: Country,
    weight_g: Annotated[int, Query(ge=1, le=1_000_000)] = 1000,
    subtotal: Annotated[int, Query(ge=0)] = 0,
    channel: str | None = None,
) -> Response:
    """What each method costs for one parcel, cheapest first. `weight_g` is grams, `subtotal` minor units."""

    async def act(work: Work) -> list[RateView]:
        currency = (await edge.commerce.pricing.channel(work, channel)).currency
        found = await edge.commerce.shipping.rates(work, country, currency, weight_g, subtotal)
        return [
            RateView(code=r.code, name=r.name, price=money(r.minor, currency), min_days=r.min_days, max_days=r.max_days)
            for r in found
        ]

    return await edge.run(act)


@router.put("/shipping-methods", status_code=204)
async def set_method(command: SetShippingMethod, edge: Annotated[Edge, needs(WRITE_RATES)]) -> Response:
    """Creates a method or replaces it with its whole rate table."""
    return await edge.once(lambda work: edge.commerce.shipping.set_method(work, command), 200)
