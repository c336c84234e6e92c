"""Tools on what runs by itself: sagas and messages that do not get on."""

from datetime import datetime

from commerce.orchestration.permissions import READ_SAGAS
from commerce.orchestration.schemas import DeadLetterView, SagaView
from commerce.order.permissions import READ_ORDERS
from kernel.schemas import View
from tools.order import OneOrder, Some
from tools.spec import Call, Effect, tool


class StepTold(View):
    """`intent`: the step was begun, and what came of it is not known yet."""

    name: str
    phase: str
    status: str


class SagaTold(View):
    """A saga in short. `error` is the business reason it went back for, `cause` why its last attempt failed."""

    id: str
    kind: str
    status: str
    error: str | None
    cause: str | None
    attempts: int
    steps: list[StepTold]
    updated_at: datetime


class SagasOf(View):
    order: str
    sagas: list[SagaTold]


@tool(Effect.READ, READ_SAGAS)
async def stuck_sagas(call: Call, args: Some) -> list[SagaTold]:
    """Lists sagas that gave up and wait for a person, newest first. For staff."""
    found = await call.commerce.orchestration.sagas(call.work, "stuck", size=args.most)
    return [_told(saga) for saga in found.items]


@tool(Effect.READ, READ_SAGAS)
async def dead_letters(call: Call, args: Some) -> list[DeadLetterView]:
    """Lists messages whose effect failed for good, newest first, with the consumer and the cause. For staff."""
    return (await call.commerce.orchestration.dead_letters(call.work, size=args.most)).items


@tool(Effect.READ, READ_SAGAS, READ_ORDERS)
async def explain_saga(call: Call, args: OneOrder) -> SagasOf:
    """Explains how far the processes of an order came: purchase and cancellation, step by step, and what stopped them.
    For staff."""
    order = await call.commerce.order.named(call.work, args.order)
    found = await call.commerce.orchestration.sagas_of(call.work, order.group_id)
    return SagasOf(order=order.number, sagas=[_told(saga) for saga in found])


def _told(saga: SagaView) -> SagaTold:
    plain = saga.model_dump(mode="json", include=set(SagaTold.model_fields) - {"steps"})
    steps = [StepTold(name=step.name, phase=step.phase, status=step.status) for step in saga.steps]
    return SagaTold(**plain, steps=steps)
