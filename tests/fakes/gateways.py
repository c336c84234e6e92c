"""A gateway at which the process that asks dies: before its question arrives, or before it hears the answer."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from commerce.payment import GatewayAnswer
from commerce.payment.adapters.simulator import Simulator


class Died(Exception):
    """What is left of a process: an intent without a result."""


class Mortal(Simulator):
    """`dies` says when the next call ends its process."""

    dies: Literal["before", "after"] | None = None

    async def authorise(self, key: str, **terms: Any) -> GatewayAnswer:
        return await self._once(lambda: super(Mortal, self).authorise(key, **terms))

    async def capture(self, key: str, **terms: Any) -> GatewayAnswer:
        return await self._once(lambda: super(Mortal, self).capture(key, **terms))

    async def refund(self, key: str, **terms: Any) -> GatewayAnswer:
        return await self._once(lambda: super(Mortal, self).refund(key, **terms))

    async def credit(self, key: str, **terms: Any) -> GatewayAnswer:
        return await self._once(lambda: super(Mortal, self).credit(key, **terms))

    async def void(self, key: str, **terms: Any) -> GatewayAnswer:
        return await self._once(lambda: super(Mortal, self).void(key, **terms))

    async def _once(self, call: Callable[[], Awaitable[GatewayAnswer]]) -> GatewayAnswer:
        when, self.dies = self.dies, None
        if when == "before":
            raise Died
        answer = await call()
        if when == "after":
            raise Died
        return answer
