"""The gateway port: what we ask of a payment provider. Every adapter declares the same semantics:

the same key asked again never acts twice and answers with the current state of what the first one did.
"""

from dataclasses import dataclass
from typing import Literal, Protocol


class GatewayTimeout(Exception):
    """No answer in time: the outcome is unknown. Ask again with the same key."""


@dataclass(frozen=True, slots=True)
class GatewayAnswer:
    """`pending` is a refund's: accepted, and done later; the same key tells when."""

    status: Literal["succeeded", "declined", "requires_action", "pending"]
    reference: str
    failure: str | None = None
    action_url: str | None = None


class Gateway(Protocol):
    """Amounts are minor units; `reference` is the gateway's own name of the charge."""

    name: str

    async def authorise(self, key: str, *, amount: int, currency: str, token: str, reference: str) -> GatewayAnswer: ...

    async def capture(self, key: str, *, reference: str, amount: int) -> GatewayAnswer: ...

    async def void(self, key: str, *, reference: str) -> GatewayAnswer: ...

    async def refund(self, key: str, *, reference: str, amount: int) -> GatewayAnswer: ...

    async def credit(self, key: str, *, amount: int, currency: str, token: str, reference: str) -> GatewayAnswer:
        """Money to a saved card that did not pay: a refund without a charge. `reference` is our name of the purchase."""
        ...

    def accepts(self, token: str) -> bool:
        """Whether the text has the form of one of this gateway's tokens."""
        ...

    def verify(self, body: bytes, headers: dict[str, str], now: float) -> None:
        """Raises BadSignature unless the webhook is the gateway's own and fresh (300 s)."""
        ...
