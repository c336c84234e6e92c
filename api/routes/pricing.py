"""Prices, channels and taxes."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.deps import Edge, needs
from commerce.pricing.permissions import WRITE_CHANNELS, WRITE_PRICES
from commerce.pricing.policy import StorePolicy
from commerce.pricing.schemas import CreateChannel, SetPrice, SetTaxRate
from kernel.db import Work
from kernel.schemas import Code

router = APIRouter(prefix="/v1", tags=["pricing"])
Channels = Annotated[Edge, needs(WRITE_CHANNELS)]


@router.put("/prices", status_code=204)
async def set_price(command: SetPrice, edge: Annotated[Edge, needs(WRITE_PRICES)]) -> Response:
    """Sets what one unit of a variant costs in a channel; a merchant's own variants only."""

    async def act(work: Work) -> None:
        await edge.commerce.product.require_own(work, command.variant_id)
        await edge.commerce.pricing.set_price(work, command)

    return await edge.once(act, 200)


@router.post("/channels", status_code=204)
async def create_channel(command: CreateChannel, edge: Channels) -> Response:
    async def act(work: Work) -> None:
        await edge.commerce.pricing.create_channel(work, command)

    return await edge.once(act, 200)


@router.get("/channels/{code}/policy", response_model=StorePolicy)
async def policy(code: Code, edge: Channels) -> Response:
    """What the channel allows its customers: every rule, those that are the marketplace's own included."""
    return await edge.run(lambda work: edge.commerce.pricing.policy(work, code))


@router.put("/channels/{code}/policy", response_model=StorePolicy)
async def set_policy(code: Code, command: StorePolicy, edge: Channels) -> Response:
    """Replaces the channel's policy; what is left out is as the marketplace does it."""
    return await edge.once(lambda work: edge.commerce.pricing.set_policy(work, code, command), 200)


@router.put("/tax-rates", status_code=204)
async def set_tax_rate(command: SetTaxRate, edge: Channels) -> Response:
    return await edge.once(lambda work: edge.commerce.pricing.set_tax_rate(work, command), 200)
