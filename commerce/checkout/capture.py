"""The capture saga, for channels that charge when the first parcel leaves: what is reserved on the card is charged, whole."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from pydantic import BaseModel

from commerce.checkout.saga import Parts, ask
from commerce.payment import Share
from kernel.db import Work
from kernel.money import Money
from kernel.saga import Call, Definition, External, Local, Next, Retry, Saga, Step
from kernel.tables import Json

KIND = "capture"
DEADLINE = timedelta(hours=6)


class CaptureState(BaseModel):
    group_id: UUID
    order_ids: list[UUID]
    intent_id: UUID
    amount: int
    currency: str
    shares: list[Share]
    reference: str | None

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


Capture = Saga[CaptureState]


def capture(parts: Parts) -> Definition[CaptureState]:
    steps: list[Step[CaptureState]] = [
        External("charge", _charge(parts), pivot=True),
        Local("close", _close(parts)),
    ]
    return Definition(kind=KIND, version=1, state=CaptureState, steps=steps)


def _charge(parts: Parts) -> Call[CaptureState]:
    async def request(_: Work, saga: Capture) -> Json | None:
        return {"reference": saga.state.reference, "amount": saga.state.amount}

    async def send(key: str, asked: Json) -> Json:
        return await ask(lambda: parts.gateway.capture(key, reference=asked["reference"], amount=asked["amount"]))

    async def settle(work: Work, saga: Capture, result: Json) -> Next:
        """A refusal is not the end: goods have left, so it is tried again, and a person sees it in the end."""
        if result["status"] != "succeeded":
            raise Retry(f"capture {result['failure']}")
        state, key = saga.state, f"{saga.id.hex}.charge"
        await parts.payment.captured(
            work, state.intent_id, state.group_id, state.money, state.shares, key, result["reference"]
        )
        return None

    return Call(request, send, settle)


def _close(parts: Parts) -> Callable[[Work, Capture], Awaitable[Next]]:
    async def do(work: Work, saga: Capture) -> Next:
        await parts.order.paid(work, saga.state.group_id, saga.state.order_ids, saga.state.money)
        return None

    return do
