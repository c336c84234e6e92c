"""The cancellation saga: money back the way it came > stock back, picks closed, orders cancelled. Only forward."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from pydantic import BaseModel

from commerce.checkout.saga import Parts, ask
from commerce.payment import Promised
from kernel.db import Work
from kernel.saga import Call, Definition, External, Local, Next, Saga, Step
from kernel.tables import Json

KIND = "cancellation"
DEADLINE = timedelta(hours=6)


class CancellationState(BaseModel):
    """Every captured payment of the purchase goes back once (`refunds`), or the one not yet captured is let go."""

    group_id: UUID
    order_ids: list[UUID]
    reason: str
    intent_id: UUID
    captured: bool
    reference: str | None
    refunds: list[Promised]


Cancellation = Saga[CancellationState]


def cancellation(parts: Parts) -> Definition[CancellationState]:
    steps: list[Step[CancellationState]] = [
        External("give_back", _give_back(parts), pivot=True),
        Local("close", _close(parts)),
    ]
    return Definition(kind=KIND, version=2, state=CancellationState, steps=steps)


def _give_back(parts: Parts) -> Call[CancellationState]:
    async def request(work: Work, saga: Cancellation) -> Json | None:
        state = saga.state
        if state.captured:
            return await parts.payment.refunds.begin(work, state.refunds)
        return {"void": state.reference}

    async def send(key: str, asked: Json) -> Json:
        if "void" in asked:
            return await ask(lambda: parts.gateway.void(key, reference=asked["void"]))
        return await parts.payment.refunds.send(asked)

    async def settle(work: Work, saga: Cancellation, result: Json) -> Next:
        state = saga.state
        if state.captured:
            await parts.payment.refunds.settle(work, state.refunds, result)
        else:
            key = f"{saga.id.hex}.give_back"
            await parts.payment.voided(work, state.intent_id, key, result["reference"])
        return None

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
