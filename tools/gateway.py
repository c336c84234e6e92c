"""Tools on the edge: who calls how often."""

from commerce import gateway
from commerce.gateway.permissions import READ_USAGE
from commerce.gateway.schemas import UsageView
from tools.spec import Call, Effect, NoArguments, tool


@tool(Effect.READ, READ_USAGE)
async def api_usage(call: Call, args: NoArguments) -> UsageView:  # noqa: ARG001  # every tool has them
    """Shows who called the API how often in the last ten minutes, and how many requests never got their answer. Staff."""
    return await gateway.usage(call.work)
