"""The refund saga: approved > sent to the gateway (the pivot: it may refuse) > booked.

A gift card and store credit are balances of our own: there the money moves with the booking. The gateway may answer
`pending`; then it is asked again with the same key, when its webhook comes or after a while."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from commerce.payment import GatewayTimeout, PaymentService, Promised, Share, Tender, spread
from commerce.refund import statements
from commerce.refund.book import RefundBook
from commerce.refund.events import RefundFailed, RefundRejected, RefundSucceeded
from commerce.refund.schemas import RefundState
from kernel.db import Work
from kernel.saga import Call, Definition, External, Fail, Local, Next, Retry, Saga, Step, Wait
from kernel.tables import Json

KIND = "refund"
DEADLINE = timedelta(days=14)
ASK_AGAIN_SECONDS = 60.0
"""How long a refund that is pending at the gateway waits when no webhook comes."""

Refunding = Saga[RefundState]


@dataclass(frozen=True, slots=True)
class Parts:
    payment: PaymentService
    book: RefundBook


def refund(parts: Parts) -> Definition[RefundState]:
    steps: list[Step[RefundState]] = [
        Local("approve", _approve(parts), _give_up(parts)),
        External("send", _send(parts), pivot=True),
        Local("book", _book(parts)),
    ]
    return Definition(kind=KIND, version=1, state=RefundState, steps=steps)


def _approve(parts: Parts) -> Callable[[Work, Refunding], Awaitable[Next]]:
    async def do(work: Work, saga: Refunding) -> Next:
        """Waits for people where the policy wants them; nobody's answer in time is a no."""
        state = saga.state
        status = await work.value("select status from refunds where id = $1", state.refund_id)
        if status == "waiting_approval":
            left = (state.decide_until - work.now).total_seconds()
            if left > 0:
                return Wait(left)
            await parts.book.move(work, state.refund_id, "rejected", "not_decided")
            work.emit(RefundRejected(**_named(state)))
            status = "rejected"
        return Fail("refund_rejected") if status == "rejected" else None

    return do


def _give_up(parts: Parts) -> Callable[[Work, Refunding], Awaitable[None]]:
    async def undo(work: Work, saga: Refunding) -> None:
        """The gateway refused: no money moved, and a person has to look."""
        state, failure = saga.state, saga.error or "failed"
        await parts.payment.refunds.drop(work, state.promised)
        if await parts.book.move(work, state.refund_id, "failed", failure):
            work.emit(RefundFailed(**_named(state), failure=failure))

    return undo


async def _promise(parts: Parts, work: Work, saga: Refunding) -> list[Promised]:
    """What the refund comes out of, set aside once: the purchase may have been paid more than one way."""
    state, refunds = saga.state, parts.payment.refunds
    if not state.promised:
        to = Tender("gift_card", gift_card_id=state.gift_card_id) if state.gift_card_id else None
        for payment, amount in spread(await refunds.payments(work, state.group_id), state.amount, to):
            share = Share(merchant_id=state.merchant_id, amount=amount)
            cause = f"refund:{state.refund_id.hex}:{saga.id.hex}:{payment.intent_id.hex}"
            state.promised.append(await refunds.promise(work, payment, [share], cause, to))
    return state.promised


def _send(parts: Parts) -> Call[RefundState]:
    async def request(work: Work, saga: Refunding) -> Json | None:
        state = saga.state
        await work.run(statements.ATTEMPT, state.refund_id, _key(saga), state.amount, work.now)
        cards = [one for one in await _promise(parts, work, saga) if one.gift_card_id is None]
        if not cards:
            return None
        await parts.book.move(work, state.refund_id, "sending")
        return {"refunds": [{"id": one.id.hex, "reference": one.reference, "amount": one.amount} for one in cards]}

    async def send(key: str, asked: Json) -> Json:
        """One call for each charge, up to the first that the gateway refuses. Once one went through the others have to:
        they are asked for again until they do, or a person looks."""
        answered: Json = {}
        for number, one in enumerate(asked["refunds"]):
            own = f"{key}.{number}" if number else key
            try:
                answer = await parts.payment.gateway.refund(own, reference=one["reference"], amount=one["amount"])
            except GatewayTimeout as lost:
                raise Retry("gateway_timeout") from lost
            answered[one["id"]] = answer.reference
            if answer.status != "succeeded":
                if number and answer.status == "declined":
                    raise Retry(f"refund {answer.failure}")
                return {"status": answer.status, "answered": answered, "failure": answer.failure}
        return {"status": "succeeded", "answered": answered, "failure": None}

    async def settle(work: Work, saga: Refunding, result: Json) -> Next:
        failure, status, state = result["failure"], result["status"], saga.state
        state.answered = result["answered"]
        await work.run(statements.ATTEMPTED, _key(saga), status, failure, _reference(state), work.now)
        if status == "pending":
            await parts.book.move(work, state.refund_id, "pending")
            return Wait(ASK_AGAIN_SECONDS)
        return Fail(failure or "declined") if status == "declined" else None

    return Call(request, send, settle)


def _book(parts: Parts) -> Callable[[Work, Refunding], Awaitable[Next]]:
    async def do(work: Work, saga: Refunding) -> Next:
        """Off the merchant's sales; onto the gift card where it goes there. Once, by the promises' own keys."""
        state, refunds = saga.state, parts.payment.refunds
        promised = await _promise(parts, work, saga)
        await refunds.begin(work, promised)
        answers = {one.id.hex: {"reference": state.answered.get(one.id.hex), "own": True} for one in promised}
        await refunds.settle(work, promised, answers)
        await work.run(statements.ATTEMPTED, _key(saga), "succeeded", None, _reference(state), work.now)
        if await parts.book.move(work, state.refund_id, "succeeded") is None:
            raise RuntimeError("a refund was booked from a state that it may not be booked from")
        booked = await work.row(statements.BOOKED, state.refund_id)
        assert booked is not None
        facts = {"merchant_id": state.merchant_id, "customer_id": state.customer_id, **dict(booked)}
        work.emit(RefundSucceeded(**_named(state), **facts))
        return None

    return do


def _reference(state: RefundState) -> str:
    """What the gateway called it, or where it went."""
    return next((one for one in state.answered.values() if one), state.destination)


def _key(saga: Refunding) -> str:
    return f"{saga.id.hex}.send.do"


def _named(state: RefundState) -> Json:
    return {
        "refund_id": state.refund_id,
        "group_id": state.group_id,
        "order_id": state.order_id,
        "amount": state.amount,
        "currency": state.currency,
    }
