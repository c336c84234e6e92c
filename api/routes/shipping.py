"""Shipping methods and their rates, carriers and what they offer."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.deps import Edge, Open, dumped, needs, reply
from commerce.shipping.permissions import QUOTE, SET_CARRIERS, WRITE_RATES
from commerce.shipping.schemas import (
    CarrierView,
    QuoteParcel,
    QuotesView,
    RateView,
    SetAccount,
    SetCarrier,
    SetHandling,
    SetShippingMethod,
)
from kernel.auth import SYSTEM
from kernel.db import Work
from kernel.schemas import Code, Country, money

router = APIRouter(prefix="/v1", tags=["shipping"])
Quote = Annotated[Edge, needs(QUOTE)]
Carriers = Annotated[Edge, needs(SET_CARRIERS)]


@router.get("/shipping-rates", response_model=list[RateView])
async def rates(
    edge: Open,
    country: Country,
    weight_g: Annotated[int, Query(ge=1, le=1_000_000)] = 1000,
    subtotal: Annotated[int, Query(ge=0)] = 0,
    channel: str | None = None,
) -> Response:
    """What each method costs for one parcel and when it would be there, cheapest first. `weight_g` is grams, `subtotal`
    minor units."""

    async def act(work: Work) -> list[RateView]:
        shipping = edge.commerce.shipping
        currency = (await edge.commerce.pricing.channel(work, channel)).currency
        found = []
        for rate in await shipping.rates(work, country, currency, weight_g, subtotal):
            promised = await shipping.promise(work, None, country, rate.min_days, rate.max_days)
            view = RateView(
                code=rate.code,
                name=rate.name,
                price=money(rate.minor, currency),
                min_days=rate.min_days,
                max_days=rate.max_days,
                earliest_on=promised.earliest_on,
                latest_on=promised.latest_on,
            )
            found.append(view)
        return found

    return await edge.run(act)


@router.put("/shipping-methods", status_code=204)
async def set_method(command: SetShippingMethod, edge: Annotated[Edge, needs(WRITE_RATES)]) -> Response:
    """Creates a method or replaces it with its whole rate table."""
    return await edge.once(lambda work: edge.commerce.shipping.set_method(work, command), 200)


@router.post("/shipping/quotes", response_model=QuotesView)
async def quotes(command: QuoteParcel, edge: Quote) -> Response:
    """What each carrier takes for a parcel: all are asked at once, and the shop's tables stand in for who is silent."""
    return reply(dumped(await edge.commerce.carriers.shopping.quote(edge.principal, command)), 200)


@router.put("/shipping/handling", status_code=204)
async def set_handling(command: SetHandling, edge: Carriers) -> Response:
    """The cut-off and handling days of a merchant, or of all who have none of their own."""
    return await edge.once(lambda work: edge.commerce.carriers.set_handling(work, command), 200)


@router.get("/carriers", response_model=list[CarrierView])
async def carriers(edge: Quote) -> Response:
    """Who carries parcels."""
    return await edge.run(edge.commerce.carriers.carriers)


@router.put("/carriers/{code}", response_model=CarrierView)
async def set_carrier(code: Code, command: SetCarrier, edge: Carriers) -> Response:
    """Adds a carrier or changes it."""
    return await edge.once(lambda work: edge.commerce.carriers.set_carrier(work, code, command), 200)


@router.put("/carriers/{code}/accounts", status_code=204)
async def set_account(code: Code, command: SetAccount, edge: Carriers) -> Response:
    """Who sends with a carrier, and from where."""
    return await edge.once(lambda work: edge.commerce.carriers.set_account(work, code, command), 200)


@router.post("/webhooks/carriers/{carrier}", status_code=204)
async def webhook(carrier: Code, request: Request, edge: Open) -> Response:
    """A carrier's signed notice of what it saw of a parcel; a repetition changes nothing."""
    body, headers = await request.body(), dict(request.headers)
    async with edge.commerce.database.work(SYSTEM) as work:
        await edge.commerce.tracking.notice(work, carrier, body, headers)
    return Response(status_code=204)
