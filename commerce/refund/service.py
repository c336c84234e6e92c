"""Refunds: asked for, agreed to, and sent by a saga. Nothing here moves money."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from uuid import UUID

from commerce.payment import PaymentService
from commerce.payment.credit import Credit
from commerce.pricing.errors import UnknownChannel
from commerce.refund import saga, statements
from commerce.refund.book import Lines, RefundBook
from commerce.refund.errors import (
    BeingCancelled,
    BeingChanged,
    DecidedAlready,
    DestinationNotAllowed,
    LimitsReversed,
    MoreThanPaid,
    NotFailed,
    NothingPaid,
    NotWaiting,
    OwnRequest,
    RefundNotFound,
    RefundTwice,
    UnitsOrAmount,
    UnknownLine,
)
from commerce.refund.events import RefundApproved, RefundRejected, RefundRequested
from commerce.refund.permissions import DECIDE_REFUNDS, READ_REFUNDS, REQUEST_REFUNDS, WRITE_REFUND_POLICIES
from commerce.refund.ports import OrderFacts, PaidOrder
from commerce.refund.rules import Policy, goodwill, spread, total_of, units_of
from commerce.refund.schemas import (
    WAYS,
    Asked,
    DecideRefund,
    Destination,
    RefundState,
    RefundView,
    RequestRefund,
    RetryRefund,
    SetRefundPolicy,
)
from commerce.refund.tables import Refund
from commerce.refund.verdicts import RefundVerdicts
from kernel.consent import demand
from kernel.db import Work, law
from kernel.money import Money
from kernel.saga_engine import Engine, Run
from kernel.saga_store import wake
from kernel.schemas import Page


@dataclass(frozen=True, slots=True)
class Started:
    """A refund that was asked for, and its saga to drive on once the transaction is committed."""

    refund_id: UUID
    run: Run


class RefundService:
    def __init__(self, payment: PaymentService, orders: OrderFacts, book: RefundBook, engine: Engine) -> None:
        self._payment = payment
        self._orders = orders
        self._book = book
        self._engine = engine
        self._credit = Credit()
        self.verdicts = RefundVerdicts(self, orders, book, engine)

    # --- asking ---

    async def request(self, work: Work, refund_id: UUID, command: RequestRefund) -> Started:
        """Opens a refund of units of lines, of shipping, or of an amount; `refund_id` is the caller's, so that a
        repetition finds it. What a customer wishes waits for a person where the policy says so.

        Emits RefundRequested. Raises OrderNotFound, UnitsOrAmount, UnknownLine, MoreThanPaid, NothingPaid, RefundTwice,
        DestinationNotAllowed, UnknownPaymentMethod."""
        work.principal.require(REQUEST_REFUNDS)
        order = await self._orders.paid(work, command.order_id)
        policy = await self._book.policy(work, order.channel_id)
        units = {line.order_line_id: line.quantity for line in command.lines}
        if len(units) < len(command.lines):
            raise UnknownLine()
        card = await self._card(work, policy, order, command.destination, command.payment_method_id)
        asked = Asked(
            *(order.id, command.cause or f"refund:{refund_id.hex}", command.reason, units, command.shipping),
            *(command.amount, {}, command.destination, card),
        )
        lines = await self._lines(work, order, asked)
        amount = Money(total_of(list(lines.values()), order.tax_included).amount(order.tax_included), order.currency)
        needed = policy.approvals(amount.minor, "staff" if work.principal.is_staff else "customer")
        await demand(
            work,
            "refund.request",
            f"Ask for {amount} of order {order.number} back, to {WAYS[command.destination]}, because of "
            f"“{command.reason}”?{' A person of the shop decides about it.' if needed else ''}",
            order=order.id,
            amount=amount.minor,
            lines=sorted((str(line), part.quantity) for line, part in lines.items()),
            to=(command.destination, card),
        )
        return await self._open(work, refund_id, order, asked, lines, policy, needed)

    async def give_back(self, work: Work, refund_id: UUID, asked: Asked) -> Started:
        """Another context's own cause, its rules checked there; the policy's limits still count. Raises as `request`."""
        order = await self._orders.paid(work, asked.order_id)
        policy = await self._book.policy(work, order.channel_id)
        lines = await self._lines(work, order, asked)
        amount = total_of(list(lines.values()), order.tax_included).amount(order.tax_included)
        return await self._open(work, refund_id, order, asked, lines, policy, policy.approvals(amount, "system"))

    async def worth(self, work: Work, order: PaidOrder, units: dict[UUID, int], shipping: bool = False) -> int:
        """What units of an order would bring back now, minor units; 0 when nothing is left of them."""
        lines = await self._lines(work, order, Asked(order.id, "", "", units, shipping), nothing=True)
        return sum(part.amount(order.tax_included) for part in lines.values())

    async def card_for(self, work: Work, order: PaidOrder, destination: str, method_id: UUID | None) -> UUID | None:
        """The gift card behind a destination. Raises DestinationNotAllowed, UnknownPaymentMethod."""
        policy = await self._book.policy(work, order.channel_id)
        return await self._card(work, policy, order, destination, method_id)

    # --- deciding ---

    async def decide(self, work: Work, refund_id: UUID, command: DecideRefund) -> RefundView:
        """One person's word: a no ends it, the last yes that is needed lets it go. Emits RefundApproved, RefundRejected.

        Raises RefundNotFound, NotWaiting, OwnRequest, DecidedAlready."""
        await self.say(work, refund_id, [work.principal.subject], command.accept, command.note)
        return await self.view(work, refund_id)

    async def say(self, work: Work, refund_id: UUID, people: Sequence[str], accept: bool, note: str | None) -> None:
        """`decide`, for people who said the same; the subjects that are kept are theirs."""
        work.principal.require(DECIDE_REFUNDS)
        refund = await self._locked(work, refund_id)
        if refund.status != "waiting_approval":
            raise NotWaiting(status=refund.status)
        for who in people:
            if who == refund.requested_by:
                raise OwnRequest(permission=DECIDE_REFUNDS)
            if not await work.run(statements.APPROVE, refund_id, who, accept, note, work.now):
                raise DecidedAlready()
        facts = _facts(refund)
        if not accept:
            await self._book.move(work, refund_id, "rejected", "declined_by_person")
            work.emit(RefundRejected(**facts))
        elif await self._book.approvals(work, refund_id) >= refund.needed:
            await self._book.move(work, refund_id, "approved")
            work.emit(RefundApproved(**facts))
        await wake(work, saga.KIND, refund_id)

    async def retry(self, work: Work, refund_id: UUID, command: RetryRefund) -> Started:
        """Sends a refund that failed again, perhaps somewhere else. Raises RefundNotFound, NotFailed, MoreThanPaid."""
        work.principal.require(DECIDE_REFUNDS)
        refund = await self._locked(work, refund_id)
        if refund.status != "failed":
            raise NotFailed(status=refund.status)
        order = await self._orders.paid(work, refund.order_id)
        policy = await self._book.policy(work, order.channel_id)
        card = await self._card(work, policy, order, command.destination, command.payment_method_id)
        less = MoreThanPaid(left="less")
        with law("refunds_within_captured", less), law("refunded_or_exchanged", less):
            row = await work.row(
                "update refunds set status = 'approved', failure = null, destination = $2, gift_card_id = $3, "
                "updated_at = $4 where id = $1 and status = 'failed' returning *",
                *(refund_id, command.destination, card, work.now),
            )
        assert row is not None, "the row is locked"
        return await self._start(work, self._book.refunds.row(row), policy)

    async def set_policy(self, work: Work, channel_id: UUID, command: SetRefundPolicy) -> None:
        work.principal.require(WRITE_REFUND_POLICIES)
        unknown = UnknownChannel(channel=str(channel_id))
        with law("ck_refund_policies_second", LimitsReversed()), law("fk_refund_policies_channel_id", unknown):
            await work.run(
                statements.SET_POLICY,
                *(channel_id, command.auto_minor, command.customer_auto_minor, command.second_minor),
                *(command.approval_hours, list(command.destinations), work.now),
            )

    # --- reading, and what the gateway tells ---

    async def view(self, work: Work, refund_id: UUID) -> RefundView:
        work.principal.require(READ_REFUNDS)
        refund = await self._book.refunds.get(work, refund_id)
        if refund is None:
            raise RefundNotFound()
        (found,) = await self._book.views(work, [refund])
        return found

    async def several(self, work: Work, ids: Sequence[UUID]) -> list[RefundView]:
        """Refunds of the caller's, two statements for any number of them."""
        work.principal.require(READ_REFUNDS)
        column = self._book.refunds.table.c.id
        return await self._book.views(work, await self._book.refunds.all(work, column.in_(ids)) if ids else [])

    async def page(
        self, work: Work, order_id: UUID | None = None, cursor: str | None = None, size: int = 20
    ) -> Page[RefundView]:
        """The caller's refunds, newest first: a customer's own, of a merchant's orders, all for staff."""
        work.principal.require(READ_REFUNDS)
        of_order = [self._book.refunds.table.c.order_id == order_id] if order_id else []
        refunds, following = await self._book.refunds.page(work, *of_order, cursor=cursor, size=size)
        return Page(items=await self._book.views(work, refunds), next=following)

    async def any_of(self, work: Work, group_id: UUID, order_id: UUID | None = None) -> bool:
        """Whether money of this purchase, or of one of its orders, went back or is on its way back."""
        return bool(await work.value(statements.ANY, group_id, order_id))

    async def heard(self, work: Work, group_id: UUID) -> None:
        """A webhook about this purchase: refunds that are on their way ask the gateway themselves, now."""
        for row in await work.rows(statements.PENDING, group_id):
            await wake(work, saga.KIND, row["id"])

    # --- inside ---

    async def _locked(self, work: Work, refund_id: UUID) -> Refund:
        found = await self._book.refunds.lock(work, [refund_id])
        if not found:
            raise RefundNotFound()
        return found[0]

    async def _card(
        self, work: Work, policy: Policy, order: PaidOrder, destination: str, method_id: UUID | None
    ) -> UUID | None:
        if destination not in policy.destinations or (destination == "store_credit" and order.customer_id is None):
            raise DestinationNotAllowed(allowed=", ".join(policy.destinations))
        if destination == "original":
            return None
        if order.customer_id is None or (destination == "gift_card" and method_id is None):
            raise DestinationNotAllowed(allowed=", ".join(policy.destinations))
        if destination == "gift_card":
            assert method_id is not None
            return await self._credit.saved(work, order.customer_id, method_id, order.currency)
        return await self._credit.store(work, order.customer_id, order.currency)

    async def _lines(self, work: Work, order: PaidOrder, asked: Asked, nothing: bool = False) -> Lines:
        """The parts a wish is made of. Raises UnitsOrAmount, UnknownLine, MoreThanPaid; `nothing` may be left."""
        left = await self._book.left(work, order)
        wishes = (bool(asked.units) or asked.shipping, asked.amount is not None, bool(asked.amounts))
        if sum(wishes) != 1:
            raise UnitsOrAmount()
        if asked.amount is not None:
            return _of_amount(order, left, asked.amount)
        if asked.amounts:
            return _of_amounts(order, left, asked.amounts)
        return _of_units(order, left, asked, nothing)

    async def _open(
        self, work: Work, refund_id: UUID, order: PaidOrder, asked: Asked, lines: Lines, policy: Policy, needed: int
    ) -> Started:
        if order.status == "cancelling":
            raise BeingCancelled()
        if order.changing:
            raise BeingChanged()
        intent = await self._payment.intent_of(work, order.group_id)
        if intent is None or intent.captured == 0:
            raise NothingPaid()
        if order.status == "cancelled":
            raise BeingCancelled()
        if await work.value(statements.CAUSE, order.id, asked.cause):  # the order is locked: nobody else writes one now
            raise RefundTwice()
        refund = Refund(
            id=refund_id,
            order_id=order.id,
            group_id=order.group_id,
            merchant_id=order.merchant_id,
            customer_id=order.customer_id,
            guest_key=order.guest_key,
            intent_id=intent.id,
            cause=asked.cause,
            reason=asked.reason,
            status="waiting_approval" if needed else "approved",
            destination=asked.destination,
            gift_card_id=asked.gift_card_id,
            currency=order.currency,
            needed=needed,
            requested_by=work.principal.subject,
        )
        payments = await self._payment.refunds.payments(work, order.group_id)
        none_left = MoreThanPaid(left=str(Money(sum(payment.left for payment in payments), order.currency)))
        with law("refunds_within_captured", none_left), law("refunded_or_exchanged", none_left):
            await self._book.write(work, refund, lines, order.tax_included)
        work.emit(RefundRequested(**_facts(refund), needed=needed))
        return await self._start(work, refund, policy)

    async def _start(self, work: Work, refund: Refund, policy: Policy) -> Started:
        state = RefundState.model_construct(
            refund_id=refund.id,
            order_id=refund.order_id,
            group_id=refund.group_id,
            merchant_id=refund.merchant_id,
            customer_id=refund.customer_id,
            intent_id=refund.intent_id,
            amount=refund.amount,
            currency=refund.currency,
            destination=cast(Destination, refund.destination),
            gift_card_id=refund.gift_card_id,
            decide_until=work.now + timedelta(hours=policy.approval_hours),
        )
        return Started(refund.id, await self._engine.start(work, saga.KIND, refund.id, state, saga.DEADLINE))


def _of_amount(order: PaidOrder, left: Lines, amount: int) -> Lines:
    included = order.tax_included
    whole = total_of(list(left.values()), included).amount(included)
    if amount > whole:
        raise MoreThanPaid(left=str(Money(whole, order.currency)))
    parts = spread(list(left.values()), amount, included)
    return {line: part for line, part in zip(left, parts, strict=True) if part.amount(included)}


def _of_amounts(order: PaidOrder, left: Lines, amounts: dict[UUID, int]) -> Lines:
    included = order.tax_included
    for line, amount in amounts.items():
        if amount > left[line].amount(included):
            raise MoreThanPaid(left=str(Money(left[line].amount(included), order.currency)))
    return {line: goodwill(left[line], amount, included) for line, amount in amounts.items()}


def _of_units(order: PaidOrder, left: Lines, asked: Asked, nothing: bool) -> Lines:
    units: dict[UUID | None, int] = {None: 1} if asked.shipping else {}
    for line_id, quantity in asked.units.items():
        units[line_id] = quantity
    if not units.keys() <= left.keys():
        raise UnknownLine()
    for line, quantity in units.items():
        if quantity > left[line].quantity and not (line is None and nothing):
            raise MoreThanPaid(left=f"{left[line].quantity} units")
    lines = {line: units_of(left[line], n) for line, n in units.items() if left[line].quantity}
    if not nothing and not sum(part.amount(order.tax_included) for part in lines.values()):
        raise MoreThanPaid(left=str(Money(0, order.currency)))
    return lines


def _facts(refund: Refund) -> dict[str, object]:
    return {
        "refund_id": refund.id,
        "group_id": refund.group_id,
        "order_id": refund.order_id,
        "amount": refund.amount,
        "currency": refund.currency,
    }
