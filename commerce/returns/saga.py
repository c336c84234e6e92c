"""The return saga: requested > authorised > label > received > inspected > disposed of (the pivot) > charged (what an
exchange costs more) > settled (refund or replacement) > finished. Its waits end by what people do, or by time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from commerce.inventory import InventoryService
from commerce.payment import GatewayAnswer, GatewayTimeout, PaymentService, Share
from commerce.returns import statements
from commerce.returns.book import ReturnBook
from commerce.returns.events import ReturnAuthorized, ReturnCancelled, ReturnCompleted, ReturnRejected
from commerce.returns.schemas import ReturnState
from commerce.returns.settling import Settling
from commerce.warehouse import WarehouseService
from kernel.db import Work
from kernel.money import Money
from kernel.saga import Call, Definition, External, Fail, Local, Next, Retry, Saga, Step, Wait
from kernel.tables import Json

KIND = "return"
DEADLINE = timedelta(days=60)
LOOK_AGAIN = timedelta(days=30)
"""How long units that wait for a person are left alone; who acts wakes the saga."""
SLOWEST = 3600.0
"""Seconds between two looks at a refund that takes long; its events wake the saga earlier."""

Returning = Saga[ReturnState]
Do = Callable[[Work, Returning], Awaitable[Next]]


@dataclass(frozen=True, slots=True)
class Parts:
    inventory: InventoryService
    warehouse: WarehouseService
    payment: PaymentService
    book: ReturnBook
    settling: Settling


def returning(parts: Parts) -> Definition[ReturnState]:
    steps: list[Step[ReturnState]] = [
        Local("request", _requested, _let_go(parts)),
        Local("authorise", _authorise(parts)),
        Local("label", _label(parts)),
        Local("receive", _receive(parts)),
        Local("inspect", _inspect(parts)),
        Local("dispose", _dispose(parts), pivot=True),
        External("charge", _charge(parts)),
        External("capture", _capture(parts)),
        Local("settle", _settle(parts)),
        Local("finish", _finish(parts)),
    ]
    return Definition(kind=KIND, version=1, state=ReturnState, steps=steps)


def named(state: ReturnState) -> dict[str, UUID]:
    return {"return_id": state.return_id, "group_id": state.group_id, "order_id": state.order_id}


async def _requested(_: Work, __: Returning) -> Next:
    """Asking was the transaction that started this saga; the step stands for the way back."""
    return None


def _let_go(parts: Parts) -> Callable[[Work, Returning], Awaitable[None]]:
    async def undo(work: Work, saga: Returning) -> None:
        """Replacements that were set aside can be sold again; a return that nobody ended yet is cancelled."""
        state = saga.state
        if state.replacement_id:
            await parts.inventory.release(work, state.replacement_id)
        if await parts.book.move(work, state.return_id, "cancelled", saga.error):
            work.emit(ReturnCancelled(**named(state), reason=saga.error or "cancelled"))

    return undo


def _authorise(parts: Parts) -> Do:
    async def do(work: Work, saga: Returning) -> Next:
        """The policy said yes, or a person does; nobody's answer in time ends as the policy says."""
        state = saga.state
        status = await parts.book.status(work, state.return_id)
        if status == "requested" and state.verdict == "grey":
            left = (state.grey_until - work.now).total_seconds()
            if left > 0:
                return Wait(left)
            if state.grey_default == "reject":
                await parts.book.move(work, state.return_id, "rejected", "not_decided")
                work.emit(ReturnRejected(**named(state)))
                return Fail("return_rejected")
        if status in ("rejected", "cancelled"):
            return Fail(f"return_{status}")
        if await parts.book.move(work, state.return_id, "authorised"):
            work.emit(ReturnAuthorized(**named(state)))
        return None

    return do


def _label(parts: Parts) -> Do:
    async def do(work: Work, saga: Returning) -> Next:
        """One label per return, with the day the parcel has to arrive by."""
        state = saga.state
        state.send_until = work.now + timedelta(days=state.send_days)
        faults = await work.value(
            "select bool_and(r.fault) from return_lines l join return_reasons r on r.code = l.reason where l.return_id = $1",
            state.return_id,
        )
        tracking = f"R{state.return_id.hex[-12:].upper()}"
        free = bool(faults) or state.free_label
        await work.run(statements.LABEL, state.return_id, tracking, free, state.send_until, work.now)
        await parts.book.move(work, state.return_id, "in_transit")
        return None

    return do


def _receive(parts: Parts) -> Do:
    async def do(work: Work, saga: Returning) -> Next:
        state = saga.state
        status = await parts.book.status(work, state.return_id)
        if status == "cancelled":
            return Fail("return_cancelled")
        if status not in ("in_transit", "partly_received"):
            return None
        left = ((state.send_until or work.now) - work.now).total_seconds()
        if left > 0:
            return Wait(left)
        if status == "in_transit":
            return Fail("not_sent")
        await parts.book.move(work, state.return_id, "received")
        return None

    return do


def _inspect(parts: Parts) -> Do:
    async def do(work: Work, saga: Returning) -> Next:
        """Whole once every unit that arrived was looked at, and no more will arrive."""
        if await parts.settling.inspected(work, saga.state.return_id):
            return None
        return Wait(LOOK_AGAIN.total_seconds())

    return do


def _dispose(parts: Parts) -> Do:
    async def do(work: Work, saga: Returning) -> Next:
        """The pivot: what can be sold again is back in stock, the rest is written down as what became of it."""
        state = saga.state
        for row in await work.rows(statements.UNDISPOSED, state.return_id):
            await work.run(
                statements.DISPOSE, row["id"], row["return_line_id"], row["disposition"], row["quantity"], work.now
            )
            if row["disposition"] == "restock":
                level = await parts.inventory.take_back(work, state.group_id, row["variant_id"], row["quantity"])
                await parts.warehouse.bins.came_back(work, level, row["quantity"], state.return_id)
        await parts.book.move(work, state.return_id, "inspected")
        return None

    return do


def _charge(parts: Parts) -> Call[ReturnState]:
    async def request(work: Work, saga: Returning) -> Json | None:
        return await parts.settling.charge(work, saga.state)

    async def send(key: str, asked: Json) -> Json:
        terms = {name: asked[name] for name in ("amount", "currency", "token", "reference")}
        try:
            answer = await parts.payment.gateway.authorise(key, **terms)
            if answer.status == "requires_action":  # nobody sits at a screen: what cannot be charged so is not charged
                await parts.payment.gateway.void(f"{key}.expire", reference=answer.reference)
                answer = GatewayAnswer("declined", answer.reference, "challenge_needed")
        except GatewayTimeout as lost:
            raise Retry("gateway_timeout") from lost
        return {"status": answer.status, "reference": answer.reference, "failure": answer.failure}

    async def settle(work: Work, saga: Returning, result: Json) -> Next:
        """A charge that is declined makes the exchange a refund: what came back has passed, and is not held for money."""
        state, key = saga.state, f"{saga.id.hex}.charge"
        intent, group = _charged(state)
        answer = GatewayAnswer(result["status"], result["reference"], result["failure"])
        if answer.status == "declined":
            state.charge_failed = True
            await parts.payment.declined(work, intent, group, key, answer)
            return None
        state.charge_reference = answer.reference
        amount = Money(state.charge_minor, state.currency)
        await parts.payment.authorised(work, intent, group, amount, key, answer)
        return None

    return Call(request, send, settle)


def _capture(parts: Parts) -> Call[ReturnState]:
    async def request(work: Work, saga: Returning) -> Json | None:
        state = saga.state
        if state.charge_failed or state.charge_intent is None:
            return None
        if state.charge_kind != "card":
            await book(work, saga, None)
            return None
        return {"reference": state.charge_reference, "amount": state.charge_minor}

    async def send(key: str, asked: Json) -> Json:
        try:
            answer = await parts.payment.gateway.capture(key, reference=asked["reference"], amount=asked["amount"])
        except GatewayTimeout as lost:
            raise Retry("gateway_timeout") from lost
        return {"status": answer.status, "reference": answer.reference, "failure": answer.failure}

    async def settle(work: Work, saga: Returning, result: Json) -> Next:
        if result["status"] != "succeeded":
            raise Retry(f"capture {result['failure']}")
        await book(work, saga, result["reference"])
        return None

    async def book(work: Work, saga: Returning, reference: str | None) -> None:
        state = saga.state
        intent, group = _charged(state)
        amount, share = (
            Money(state.charge_minor, state.currency),
            Share(merchant_id=state.merchant_id, amount=state.charge_minor),
        )
        key = f"{saga.id.hex}.capture"
        await parts.payment.captured(work, intent, group, amount, [share], key, reference)

    return Call(request, send, settle)


def _charged(state: ReturnState) -> tuple[UUID, UUID]:
    """The payment of an exchange's difference, and the purchase it is for."""
    assert state.charge_intent is not None, "only an exchange is charged"
    assert state.replacement_id is not None, "only an exchange is charged"
    return state.charge_intent, state.replacement_id


def _settle(parts: Parts) -> Do:
    async def do(work: Work, saga: Returning) -> Next:
        await parts.settling.settle(work, saga.state)
        return None

    return do


def _finish(parts: Parts) -> Do:
    async def do(work: Work, saga: Returning) -> Next:
        """Done when the money has arrived. A refund that failed waits for the staff to send it elsewhere."""
        state = saga.state
        waits = await parts.settling.refund_waits(work, state)
        if waits is not None:
            saga.attempts = 0  # looking again is no failed attempt
            return Wait(min(max(waits, 1.0), SLOWEST))
        outcome = await parts.settling.outcome(work, state.return_id)
        if await parts.book.move(work, state.return_id, "completed"):
            work.emit(ReturnCompleted(**named(state), resolution=outcome))
        return None

    return do
