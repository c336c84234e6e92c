"""Tools on promotions: does a code work, and what runs."""

from typing import Annotated

from pydantic import Field, StringConstraints

from commerce.promotion.permissions import READ_PROMOTIONS, USE_COUPONS
from commerce.promotion.schemas import CouponAnswer, PromotionView
from kernel.schemas import Command
from tools.spec import Call, Effect, NoArguments, tool


class OneCode(Command):
    code: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=32),
        Field(description="the code as it is printed"),
    ]


@tool(Effect.READ, USE_COUPONS)
async def check_coupon(call: Call, args: OneCode) -> CouponAnswer:
    """Says whether the caller can use a coupon code now and what it gives, without entering it. To enter it, apply_coupon."""
    return await call.commerce.promotion.answer(call.work, args.code)


@tool(Effect.READ, READ_PROMOTIONS)
async def list_promotions(call: Call, args: NoArguments) -> list[PromotionView]:  # noqa: ARG001  # every tool has them
    """Lists the promotions that run now with their codes, what they give and how often they were used. For staff."""
    return await call.commerce.promotion.promotions(call.work)
