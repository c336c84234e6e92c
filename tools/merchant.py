"""Tools on shops: a merchant's own."""

from commerce.merchant import MerchantView
from commerce.merchant.permissions import OWN_SHOP
from tools.spec import Call, Effect, NoArguments, tool


@tool(Effect.READ, OWN_SHOP)
async def my_shop(call: Call, args: NoArguments) -> list[MerchantView]:  # noqa: ARG001  # every tool has them
    """Shows the caller's own shops: name, description, and whether they may sell now. For merchants."""
    return await call.commerce.merchant.mine(call.work)
