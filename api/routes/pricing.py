"""Prices, channels and taxes."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.deps import Edge, needs
from commerce.pricing.permissions import WRITE_CHANNELS, WRITE_PRICES
from commerce.pricing.schemas import CreateChannel, SetPrice, SetTaxRate
from kernel.db import Work

router = APIRouter(prefix="/v1", tags=["pricing"])


@router.put("/prices", status_code=204)
async def set_price(command: SetPrice, edge: Annotated[Edge, needs(WRITE_PRICES)]) -> Response:
    """Sets what one unit of a variant costs in a channel; a merchant's own variants only."""

    async def act(work: Work) -> None:
        await edge.commerce.product.require_own(work, command.variant_id)
        await edge.commerce.pricing.set_price(work, command)

    return await edge.once(act, 200)


@router.post("/channels", status_code=204)
async def create_channel(command: CreateChannel, edge: Annotated[Edge, needs(WRITE_CHANNELS)]) -> Response:
    async def act(work: Work) -> None:
        await edge.commerce.pricing.create_channel(work, command)

    return await edge.once(act, 200)


@router.put("/tax-rates", status_code=204)
async def set_tax_rate(command: SetTaxRate, edge: Annotated[Edge, needs(WRITE_CHANNELS)]) -> Response:
    return await edge.once(lambda work: edge.commerce.pricing.set_tax_rate(work, command), 200)
