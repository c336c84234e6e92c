"""Coupons."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.deps import Edge, needs
from commerce.promotion.permissions import WRITE_PROMOTIONS
from commerce.promotion.schemas import CreateCoupon
from kernel.db import Work

router = APIRouter(prefix="/v1", tags=["promotion"])


@router.post("/coupons", status_code=204)
async def create_coupon(command: CreateCoupon, edge: Annotated[Edge, needs(WRITE_PROMOTIONS)]) -> Response:
    """A promotion with one code."""

    async def act(work: Work) -> None:
        await edge.commerce.promotion.create_coupon(work, command)

    return await edge.once(act, 200)
