"""Shipping methods and their rates, carriers and what they offer, labels and manifests."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.deps import Edge, Open, dumped, needs, reply
from commerce.shipping.permissions import QUOTE, SEND_PARCELS, SET_CARRIERS, WRITE_RATES
from commerce.shipping.promises import loaded
from commerce.shipping.schemas import (
    BuyLabel,
    CarrierView,
    CloseManifest,
    LabelId,
    LabelView,
    ManifestId,
    ManifestView,
    PackageId,
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
from kernel.ids import new_id
from kernel.saga_engine import Run
from kernel.schemas import Code, Country, Page, money

router = APIRouter(prefix="/v1", tags=["shipping"])
Quote = Annotated[Edge, needs(QUOTE)]
Carriers = Annotated[Edge, needs(SET_CARRIERS)]
Send = Annotated[Edge, needs(SEND_PARCELS)]
FILES = {"pdf": "application/pdf", "zpl": "application/zpl"}


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

    await loaded()
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


@router.post("/packages/{package_id}/label", status_code=201, response_model=LabelView)
async def buy_label(package_id: PackageId, command: BuyLabel, edge: Send) -> Response:
    """Buys the one label of a package; its contents are final from here on. While the carrier has not answered its status
    is `buying`: look again."""
    label_id = new_id()

    async def start(work: Work) -> Run:
        return await edge.commerce.parcels.labels.buy(work, label_id, package_id, command)

    return await edge.saga(label_id, start, edge.commerce.carriers.labels.view, 201)


@router.get("/packages/{package_id}/labels", response_model=list[LabelView])
async def labels(package_id: PackageId, edge: Send) -> Response:
    """Every label a package had, oldest first."""
    return await edge.run(lambda work: edge.commerce.parcels.labels.of_package(work, package_id))


@router.get("/labels/{label_id}", response_model=LabelView)
async def label(label_id: LabelId, edge: Send, format: Literal["json", "pdf", "zpl"] = "json") -> Response:  # noqa: A002
    """A label: what is known of it, or its file to print."""
    if format == "json":
        return await edge.run(lambda work: edge.commerce.carriers.labels.view(work, label_id))
    async with edge.commerce.database.work(edge.principal) as work:
        file = await edge.commerce.carriers.labels.printed(work, label_id, format)
    return Response(file, media_type=FILES[format])


@router.post("/labels/{label_id}/void", response_model=LabelView)
async def void_label(label_id: LabelId, edge: Send) -> Response:
    """Gives a label back that nothing left with; then its package can have another."""

    async def start(work: Work) -> Run:
        return await edge.commerce.parcels.labels.void(work, label_id)

    return await edge.saga(label_id, start, edge.commerce.carriers.labels.view, 200)


@router.get("/manifests", response_model=Page[ManifestView])
async def manifests(
    edge: Send,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    size: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Manifests of the caller's locations, newest first."""
    return await edge.run(lambda work: edge.commerce.carriers.manifests.page(work, cursor, size))


@router.post("/manifests", status_code=201, response_model=ManifestView)
async def close_manifest(command: CloseManifest, edge: Send) -> Response:
    """Closes the day of a carrier at a location: what left and is on no manifest yet."""
    return await edge.once(lambda work: edge.commerce.carriers.manifests.close(work, command))


@router.get("/manifests/{manifest_id}", response_model=ManifestView)
async def manifest(manifest_id: ManifestId, edge: Send, format: Literal["json", "pdf"] = "json") -> Response:  # noqa: A002
    """A manifest: what is known of it, or its sheets to sign."""
    if format == "json":
        return await edge.run(lambda work: edge.commerce.carriers.manifests.view(work, manifest_id))
    async with edge.commerce.database.work(edge.principal) as work:
        file = await edge.commerce.carriers.manifests.printed(work, manifest_id)
    return Response(file, media_type=FILES[format])


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
        await edge.commerce.parcels.tracking.notice(work, carrier, body, headers)
    return Response(status_code=204)
