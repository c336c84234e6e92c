"""The change saga: what an order's change costs is paid > the order changes (the pivot) > money that is too much goes back.

A change that costs nothing, pays with a gift card, or only gives back goes through in the transaction that asked for it,
as far as the first call to the gateway.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from commerce.checkout.saga import Parts, answer_of, ask
from commerce.order import OrderAfter
from commerce.payment import GatewayAnswer, Promised, Share
from commerce.warehouse import ToPick
from kernel.db import Work
from kernel.money import Money
from kernel.saga import Call, Definition, External, Fail, Local, Next, Retry, Saga, Step
from kernel.tables import Json

KIND = "change"
DEADLINE = timedelta(hours=6)


class Charge(BaseModel):
    """What the customer pays for a change, and with what. `reference` is the gateway's, once there is one."""

    intent_id: UUID
    kind: str
    token: str | None
    gift_card_id: UUID | None
    amount: int
    shares: list[Share]
    reference: str | None = None


class ChangeState(BaseModel):
    """Everything a change does, decided when it was asked for. Units by variant go back (`give`) and come (`take`).

    `unpicked` are units by line that must still lie in the warehouse; `cancelled` and `amounts` (minor units) by line."""

    group_id: UUID
    order_id: UUID
    modification_id: UUID
    kind: Literal["items", "payment", "cancel_lines"]
    currency: str
    charge: Charge | None = None
    refunds: list[Promised] = []
    wanted: OrderAfter | None = None
    give: dict[UUID, int] = {}
    take: dict[UUID, int] = {}
    held_until: datetime | None = None
    unpicked: dict[UUID, int] = {}
    picks: list[ToPick] = []
    cancelled: dict[UUID, int] = {}
    amounts: dict[UUID, int] = {}


Change = Saga[ChangeState]


def change(parts: Parts) -> Definition[ChangeState]:
    steps: list[Step[ChangeState]] = [
        Local("open", _opened, _unopen(parts)),
        External("charge", _charge(parts), _void(parts)),
        Local("apply", _apply(parts), pivot=True),
        External("capture", _capture(parts)),
        External("give_back", _give_back(parts)),
        Local("close", _close(parts)),
    ]
    return Definition(kind=KIND, version=1, state=ChangeState, steps=steps)


async def _opened(_: Work, __: Change) -> Next:
    """Asking for the change was the transaction that started this saga; the step stands for the way back."""
    return None


def _unopen(parts: Parts) -> Callable[[Work, Change], Awaitable[None]]:
    async def undo(work: Work, saga: Change) -> None:
        """The order stays as it was: the units held for it go, a gift card gets its money again, promises are dropped."""
        state, charge = saga.state, saga.state.charge
        await parts.inventory.release(work, state.modification_id)
        await parts.payment.refunds.drop(work, state.refunds)
        if charge and charge.gift_card_id:
            await parts.payment.voided(work, charge.intent_id, f"{saga.id.hex}.void", None)
            spent = Money(charge.amount, state.currency)
            cause = f"return:{charge.intent_id.hex}"
            await parts.payment.refunds.refill_gift_card(work, state.group_id, charge.gift_card_id, spent, cause)
        await parts.order.modifications.failed(work, state.modification_id, saga.error or "failed")

    return undo


def _charge(parts: Parts) -> Call[ChangeState]:
    async def request(work: Work, saga: Change) -> Json | None:
        state, charge = saga.state, saga.state.charge
        if charge is None:
            return None
        if charge.kind != "card":  # a gift card paid when the change was asked for
            spent = Money(charge.amount, state.currency)
            paid = GatewayAnswer("succeeded", charge.kind)
            await parts.payment.authorised(work, charge.intent_id, state.group_id, spent, charge.kind, paid)
            return None
        terms = {"amount": charge.amount, "currency": state.currency, "token": charge.token}
        return {**terms, "reference": state.modification_id.hex}

    async def send(key: str, asked: Json) -> Json:
        """Nobody waits at the bank's page for a change: a card that asks for a challenge is let go again."""
        found = await ask(lambda: parts.gateway.authorise(key, **asked))
        if found["status"] == "requires_action":
            await ask(lambda: parts.gateway.void(f"{key}.expire", reference=found["reference"]))
            return {**found, "status": "declined", "failure": "challenge_required"}
        return found

    async def settle(work: Work, saga: Change, result: Json) -> Next:
        state, charge, answer = saga.state, saga.state.charge, answer_of(result)
        assert charge is not None
        key = f"{saga.id.hex}.charge"
        if answer.status == "declined":
            await parts.payment.declined(work, charge.intent_id, state.group_id, key, answer)
            return Fail("payment_declined")
        charge.reference = answer.reference
        spent = Money(charge.amount, state.currency)
        await parts.payment.authorised(work, charge.intent_id, state.group_id, spent, key, answer)
        return None

    return Call(request, send, settle)


def _void(parts: Parts) -> Call[ChangeState]:
    async def request(_: Work, saga: Change) -> Json | None:
        charge = saga.state.charge
        return {"reference": charge.reference} if charge and charge.reference else None

    async def send(key: str, asked: Json) -> Json:
        return await ask(lambda: parts.gateway.void(key, reference=asked["reference"]))

    async def settle(work: Work, saga: Change, result: Json) -> Next:
        charge = saga.state.charge
        assert charge is not None
        await parts.payment.voided(work, charge.intent_id, f"{saga.id.hex}.void", result["reference"])
        return None

    return Call(request, send, settle)


def _apply(parts: Parts) -> Callable[[Work, Change], Awaitable[Next]]:
    async def do(work: Work, saga: Change) -> Next:
        """The pivot. While the card was asked the parcel may have been packed, or the held units lost: then back."""
        state = saga.state
        if state.kind != "payment":
            if not await parts.order.modifications.still_open(work, state.order_id):
                return Fail("already_packed")
            if not await parts.warehouse.unpicked(work, state.order_id, state.unpicked):
                return Fail("already_packed")
            if not await _still_promised(parts, work, state) or not await _take(parts, work, state):
                return Fail("stock_gone")
            await parts.inventory.give_back(work, state.group_id, state.give)
            await _rewrite(parts, work, state)
            await parts.warehouse.change_picks(work, state.order_id, state.picks)
        await parts.order.modifications.applied(work, state.modification_id)
        return None

    return do


async def _still_promised(parts: Parts, work: Work, state: ChangeState) -> bool:
    """Whether the purchase still has the units that it is to give up."""
    left = dict(state.give)
    for held in await parts.inventory.promised(work, state.group_id):
        if held.variant_id in left:
            left[held.variant_id] -= held.quantity
    return all(units <= 0 for units in left.values())


async def _take(parts: Parts, work: Work, state: ChangeState) -> bool:
    """The units held for the change become the order's; a hold that got old is renewed first, or they are gone."""
    if not state.take:
        return True
    await parts.inventory.lock(work, [*state.take, *state.give])
    lapsed = state.held_until is not None and work.now >= state.held_until
    if lapsed and not await parts.inventory.secured(work, state.modification_id, state.take):
        return False
    return await parts.inventory.adopt(work, state.modification_id, state.group_id) == sum(state.take.values())


async def _rewrite(parts: Parts, work: Work, state: ChangeState) -> None:
    modifications = parts.order.modifications
    if state.wanted:
        await modifications.replace(work, state.modification_id, state.order_id, state.wanted)
    else:
        await modifications.cancel_units(work, state.order_id, state.cancelled, state.amounts)


def _capture(parts: Parts) -> Call[ChangeState]:
    async def request(work: Work, saga: Change) -> Json | None:
        charge = saga.state.charge
        if charge is None:
            return None
        if charge.kind != "card":
            await _book(work, saga, charge, None)
            return None
        return {"reference": charge.reference, "amount": charge.amount}

    async def send(key: str, asked: Json) -> Json:
        return await ask(lambda: parts.gateway.capture(key, reference=asked["reference"], amount=asked["amount"]))

    async def settle(work: Work, saga: Change, result: Json) -> Next:
        if result["status"] != "succeeded":
            raise Retry(f"capture {result['failure']}")
        assert saga.state.charge is not None
        await _book(work, saga, saga.state.charge, result["reference"])
        return None

    async def _book(work: Work, saga: Change, charge: Charge, reference: str | None) -> None:
        state, key = saga.state, f"{saga.id.hex}.capture"
        spent = Money(charge.amount, state.currency)
        await parts.payment.captured(work, charge.intent_id, state.group_id, spent, charge.shares, key, reference)

    return Call(request, send, settle)


def _give_back(parts: Parts) -> Call[ChangeState]:
    async def request(work: Work, saga: Change) -> Json | None:
        return await parts.payment.refunds.begin(work, saga.state.refunds)

    async def send(_: str, asked: Json) -> Json:
        return await parts.payment.refunds.send(asked)

    async def settle(work: Work, saga: Change, result: Json) -> Next:
        await parts.payment.refunds.settle(work, saga.state.refunds, result)
        return None

    return Call(request, send, settle)


def _close(parts: Parts) -> Callable[[Work, Change], Awaitable[Next]]:
    async def do(work: Work, saga: Change) -> Next:
        if saga.state.kind == "cancel_lines":
            await parts.order.modifications.refunded(work, saga.state.order_id)
        return None

    return do
