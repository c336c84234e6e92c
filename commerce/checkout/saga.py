"""The purchase saga: assess risk > authorise > confirm (the pivot) > capture by rule > pick task."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel

from commerce.checkout import statements
from commerce.inventory import InventoryService
from commerce.order import OrderService
from commerce.payment import Gateway, GatewayAnswer, GatewayTimeout, PaymentService, Share
from commerce.promotion import PromotionService
from commerce.warehouse import ToPick, WarehouseService
from kernel.clock import Clock
from kernel.db import Work
from kernel.money import Money
from kernel.saga import Call, Definition, External, Fail, Local, Next, Retry, Saga, Wait
from kernel.tables import Json

KIND = "purchase"
DEADLINE = timedelta(minutes=30)
REVIEW_SECONDS = 600.0
"""How long the grey zone of risk waits for a person; then the rule decides."""
REVIEW_DEFAULT_BELOW = 75
"""Score (0 to 100) below which an unreviewed purchase goes on."""
ACTION_WINDOW = timedelta(minutes=15)
"""How long a customer has to answer the challenge of the bank."""


class PurchaseState(BaseModel):
    """What the saga knows: it reads nothing that a later change could alter. Amounts are minor units."""

    group_id: UUID
    order_ids: list[UUID]
    intent_id: UUID
    amount: int
    currency: str
    kind: str
    token: str | None
    gift_card_id: UUID | None
    risk: str
    score: int
    placed_at: datetime
    held_until: datetime
    capture: str
    shares: list[Share]
    picks: list[ToPick]
    reference: str | None = None
    """The gateway's name of the charge, once there is one."""
    action_until: datetime | None = None
    captured: bool = False

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


@dataclass(frozen=True, slots=True)
class Parts:
    """The services a purchase moves."""

    order: OrderService
    inventory: InventoryService
    payment: PaymentService
    promotion: PromotionService
    warehouse: WarehouseService
    clock: Clock

    @property
    def gateway(self) -> Gateway:
        return self.payment.gateway


Purchase = Saga[PurchaseState]


def answer_of(result: Json) -> GatewayAnswer:
    return GatewayAnswer(**result)


async def ask(call: Callable[[], Awaitable[GatewayAnswer]]) -> Json:
    """One call to the gateway; no answer in time means ask again, never that it failed."""
    try:
        answer = await call()
    except GatewayTimeout as lost:
        raise Retry("gateway_timeout") from lost
    return {
        "status": answer.status,
        "reference": answer.reference,
        "failure": answer.failure,
        "action_url": answer.action_url,
    }


def purchase(parts: Parts) -> Definition[PurchaseState]:
    return Definition(
        kind=KIND,
        version=1,
        state=PurchaseState,
        steps=[
            Local("place", _placed, _unplace(parts)),
            Local("risk", _risk(parts)),
            External("authorise", _authorise(parts), _void(parts)),
            Local("confirm", _confirm(parts), pivot=True),
            External("capture", _capture(parts)),
            Local("pick", _pick(parts)),
        ],
    )


async def _placed(_: Work, __: Purchase) -> Next:
    """Placing was the transaction that started this saga; the step stands for the way back."""
    return None


def _unplace(parts: Parts) -> Callable[[Work, Purchase], Awaitable[None]]:
    async def undo(work: Work, saga: Purchase) -> None:
        """Stock, coupon and gift card come back, the orders are cancelled, the cart is open again."""
        state = saga.state
        await parts.inventory.release(work, state.group_id)
        await parts.promotion.give_back(work, state.group_id)
        if state.gift_card_id:
            cause = f"return:{state.group_id.hex}"
            await parts.payment.refunds.refill_gift_card(work, state.group_id, state.gift_card_id, state.money, cause)
        await parts.order.fail(work, state.group_id, state.order_ids, saga.error or "failed")
        await work.run(statements.FAIL, state.group_id, work.now)

    return undo


def _risk(parts: Parts) -> Callable[[Work, Purchase], Awaitable[Next]]:
    async def do(work: Work, saga: Purchase) -> Next:
        state = saga.state
        if state.risk == "review":
            state.risk = await parts.payment.risk(work, state.intent_id)
        if state.risk == "review":
            left = REVIEW_SECONDS - (work.now - state.placed_at).total_seconds()
            if left > 0:
                return Wait(left)
            state.risk = "accept" if state.score < REVIEW_DEFAULT_BELOW else "reject"
            await parts.payment.decide(work, state.intent_id, state.risk == "accept", "rule")
        if state.risk == "reject":
            await parts.payment.fail(work, state.intent_id, state.group_id, "risk")
            return Fail("payment_refused")
        return None

    return do


def _authorise(parts: Parts) -> Call[PurchaseState]:
    async def request(work: Work, saga: Purchase) -> Json | None:
        state = saga.state
        if state.kind != "card":  # a gift card paid when the order was placed; nothing to pay needs no gateway
            paid = GatewayAnswer("succeeded", state.kind)
            await parts.payment.authorised(work, state.intent_id, state.group_id, state.money, state.kind, paid)
            return None
        state.action_until = work.now + ACTION_WINDOW
        order = {"amount": state.amount, "currency": state.currency, "token": state.token}
        return {**order, "reference": state.group_id.hex, "until": state.action_until.isoformat()}

    async def send(key: str, asked: Json) -> Json:
        terms = {name: asked[name] for name in ("amount", "currency", "token", "reference")}
        found = await ask(lambda: parts.gateway.authorise(key, **terms))
        if found["status"] == "requires_action" and parts.clock() >= datetime.fromisoformat(asked["until"]):
            await ask(lambda: parts.gateway.void(f"{key}.expire", reference=found["reference"]))
            return {**found, "status": "declined", "failure": "challenge_expired"}
        return found

    async def settle(work: Work, saga: Purchase, result: Json) -> Next:
        state, answer, key = saga.state, answer_of(result), f"{saga.id.hex}.authorise"
        if answer.status == "requires_action":
            await parts.payment.needs_action(work, state.intent_id, answer)
            until = state.action_until or work.now
            return Wait(max((until - work.now).total_seconds(), 0.0) + 1)
        if answer.status == "declined":
            await parts.payment.declined(work, state.intent_id, state.group_id, key, answer)
            return Fail("payment_expired" if answer.failure == "challenge_expired" else "payment_declined")
        state.reference = answer.reference
        await parts.payment.authorised(work, state.intent_id, state.group_id, state.money, key, answer)
        return None

    return Call(request, send, settle)


def _void(parts: Parts) -> Call[PurchaseState]:
    async def request(_: Work, saga: Purchase) -> Json | None:
        return {"reference": saga.state.reference} if saga.state.reference else None

    async def send(key: str, asked: Json) -> Json:
        return await ask(lambda: parts.gateway.void(key, reference=asked["reference"]))

    async def settle(work: Work, saga: Purchase, result: Json) -> Next:
        await parts.payment.voided(work, saga.state.intent_id, f"{saga.id.hex}.void", result["reference"])
        return None

    return Call(request, send, settle)


def _confirm(parts: Parts) -> Callable[[Work, Purchase], Awaitable[Next]]:
    async def do(work: Work, saga: Purchase) -> Next:
        """The pivot. A hold that got old on the way is renewed; if its units are gone, the money goes back."""
        state = saga.state
        if work.now >= state.held_until:
            wanted: dict[UUID, int] = {}
            for pick in state.picks:
                wanted[pick.variant_id] = wanted.get(pick.variant_id, 0) + pick.quantity
            if not await parts.inventory.secured(work, state.group_id, wanted):
                return Fail("stock_gone")
        await parts.order.confirm(work, state.group_id, state.order_ids, state.amount, state.currency)
        await parts.inventory.allocate(work, state.group_id)
        return None

    return do


def _capture(parts: Parts) -> Call[PurchaseState]:
    async def request(work: Work, saga: Purchase) -> Json | None:
        state = saga.state
        if state.kind != "card":
            await _book(work, saga, f"{saga.id.hex}.capture", None)
            return None
        if state.capture != "at_confirm":
            return None
        return {"reference": state.reference, "amount": state.amount}

    async def send(key: str, asked: Json) -> Json:
        return await ask(lambda: parts.gateway.capture(key, reference=asked["reference"], amount=asked["amount"]))

    async def settle(work: Work, saga: Purchase, result: Json) -> Next:
        if result["status"] != "succeeded":
            raise Retry(f"capture {result['failure']}")
        await _book(work, saga, f"{saga.id.hex}.capture", result["reference"])
        return None

    async def _book(work: Work, saga: Purchase, key: str, reference: str | None) -> None:
        state = saga.state
        await parts.payment.captured(work, state.intent_id, state.group_id, state.money, state.shares, key, reference)
        state.captured = True

    return Call(request, send, settle)


def _pick(parts: Parts) -> Callable[[Work, Purchase], Awaitable[Next]]:
    async def do(work: Work, saga: Purchase) -> Next:
        state = saga.state
        paid = state.money if state.captured else None
        await parts.order.picking(work, state.group_id, state.order_ids, paid)
        await parts.warehouse.create_picks(work, state.group_id, state.picks)
        return None

    return do
