"""The cancellation saga: money back the way it came > stock back, picks closed, orders cancelled. Only forward."""

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

KIND = "cancellation"
DEADLINE = timedelta(hours=6)


class CancellationState(BaseModel):
    group_id: UUID
    order_ids: list[UUID]
    reason: str
    intent_id: UUID
    kind: str
    captured: bool
    amount: int
    currency: str
    shares: list[Share]
    reference: str | None
    gift_card_id: UUID | None

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


Cancellation = Saga[CancellationState]


def cancellation(parts: Parts) -> Definition[CancellationState]:
    steps: list[Step[CancellationState]] = [
        External("give_back", _give_back(parts), pivot=True),
        Local("close", _close(parts)),
    ]
    return Definition(kind=KIND, version=1, state=CancellationState, steps=steps)


def _give_back(parts: Parts) -> Call[CancellationState]:
    async def request(work: Work, saga: Cancellation) -> Json | None:
        state = saga.state
        if state.kind == "card":
            return {"reference": state.reference, "amount": state.amount, "captured": state.captured}
        if state.gift_card_id:
            cause = f"return:{state.group_id.hex}"
            await parts.payment.refill_gift_card(work, state.group_id, state.gift_card_id, state.money, cause)
        await _book(work, saga, None)
        return None

    async def send(key: str, asked: Json) -> Json:
        if asked["captured"]:
            return await ask(lambda: parts.gateway.refund(key, reference=asked["reference"], amount=asked["amount"]))
        return await ask(lambda: parts.gateway.void(key, reference=asked["reference"]))

    async def settle(work: Work, saga: Cancellation, result: Json) -> Next:
        if result["status"] != "succeeded":
            raise Retry(f"refund {result['failure']}")
        await _book(work, saga, result["reference"])
        return None

    async def _book(work: Work, saga: Cancellation, reference: str | None) -> None:
        state, key = saga.state, f"{saga.id.hex}.give_back"
        if not state.captured:
            await parts.payment.voided(work, state.intent_id, key, reference)
            return
        await parts.payment.refunded(work, state.intent_id, state.group_id, state.money, state.shares, key, reference)

    return Call(request, send, settle)


def _close(parts: Parts) -> Callable[[Work, Cancellation], Awaitable[Next]]:
    async def do(work: Work, saga: Cancellation) -> Next:
        state = saga.state
        await parts.warehouse.cancel_picks(work, state.group_id)
        status = "refunded" if state.captured else "voided"
        await parts.order.cancelled(work, state.group_id, state.order_ids, status, state.reason)
        await parts.inventory.release(work, state.group_id)
        return None

    return do
