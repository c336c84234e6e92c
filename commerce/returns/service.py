"""Returns as their customers see them: what is possible and why, asked for, cancelled, followed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from uuid import UUID

from commerce.order import FulfillmentService, SentOrder
from commerce.payment import PaymentService
from commerce.payment.credit import Credit
from commerce.pricing import ChannelFacts, PricingService
from commerce.product import ProductService
from commerce.refund import OrderFacts, PaidOrder, RefundService
from commerce.refund.errors import DestinationNotAllowed
from commerce.refund.schemas import WAYS, Destination
from commerce.returns import rules, saga, statements
from commerce.returns.book import ReturnBook
from commerce.returns.errors import (
    MoreThanDelivered,
    NotDelivered,
    OnePerOrder,
    ReplacementNeeded,
    ReturnNotFound,
    ReturnRefused,
    ReturnState,
    UnknownReason,
    UnknownReturnLine,
)
from commerce.returns.events import ExchangeRequested, ReturnCancelled, ReturnRequested
from commerce.returns.exchange import Exchanges, Swap
from commerce.returns.permissions import READ_RETURNS, REQUEST_RETURNS
from commerce.returns.policies import Policies
from commerce.returns.rules import Policy, Verdict
from commerce.returns.schemas import QuoteView, RequestReturn, Resolution, ReturnView
from commerce.returns.schemas import ReturnState as SagaState
from commerce.returns.tables import ReturnRequest
from kernel.consent import demand
from kernel.db import Work, law
from kernel.ids import new_id
from kernel.inbox import Delivery
from kernel.money import Money
from kernel.saga_engine import Engine, Run
from kernel.saga_store import wake
from kernel.schemas import Page, money

DELIVERED = ("delivered", "completed")


@dataclass(frozen=True, slots=True)
class Wish:
    """A request that was looked at: what it is about, what the policy says, and the money in it (minor units)."""

    command: RequestReturn
    order: PaidOrder
    sent: SentOrder
    policy: Policy
    verdict: Verdict
    score: int
    swaps: list[Swap]
    worth: int

    @property
    def difference(self) -> int:
        return sum(swap.difference for swap in self.swaps)

    @property
    def goods(self) -> str:
        lines = [(line.quantity, self.sent.lines[line.order_line_id].title) for line in self.command.lines]
        return ", ".join(f"{quantity} × {title}" for quantity, title in lines)


@dataclass(frozen=True, slots=True)
class Started:
    """A return that was asked for, and its saga to drive on once the transaction is committed."""

    return_id: UUID
    run: Run


class ReturnService:
    def __init__(
        self,
        orders: OrderFacts,
        fulfillment: FulfillmentService,
        pricing: PricingService,
        product: ProductService,
        payment: PaymentService,
        refund: RefundService,
        policies: Policies,
        exchanges: Exchanges,
        book: ReturnBook,
        engine: Engine,
    ) -> None:
        self._orders = orders
        self._fulfillment = fulfillment
        self._pricing = pricing
        self._product = product
        self._payment = payment
        self._refund = refund
        self._policies = policies
        self._exchanges = exchanges
        self._book = book
        self._engine = engine
        self._credit = Credit()

    # --- asking ---

    async def quote(self, work: Work, command: RequestReturn) -> QuoteView:
        """What a return would come to, and why; changes nothing. Raises what `request` raises, but for the verdict."""
        work.principal.require(REQUEST_RETURNS)
        wish = await self._look(work, command)
        currency = wish.order.currency
        return QuoteView(
            outcome=wish.verdict.outcome,
            explanation=wish.verdict.explanation,
            refund=money(0 if wish.swaps else wish.worth, currency),
            difference=money(wish.difference, currency),
        )

    async def request(self, work: Work, return_id: UUID, command: RequestReturn) -> Started:
        """Asks to send units back; `return_id` is the caller's, so that a repetition finds it. In an exchange the
        replacement's units are set aside now; money moves when the parcel has come and passed.

        Emits ReturnRequested, ExchangeRequested. Raises OrderNotFound, NotDelivered, OfAnExchange, UnknownReturnLine, UnknownReason,
        MoreThanDelivered, ReturnRefused, OnePerOrder, DestinationNotAllowed, ReplacementNeeded, OtherProduct, NotForSale,
        SettlementNeeded, InsufficientStock."""
        work.principal.require(REQUEST_RETURNS)
        wish = await self._look(work, command)
        if wish.verdict.outcome == "rejected":
            raise ReturnRefused(explanation=wish.verdict.explanation)
        card = await self._destination(work, wish)
        await self._demand(work, wish, card)
        request = self._row(work, return_id, wish, card)
        with law("uq_return_requests_one_per_order", OnePerOrder()):
            await self._book.requests.add(work, request)
        await self._add_lines(work, request, wish)
        facts = {"return_id": return_id, "group_id": request.group_id, "order_id": request.order_id}
        work.emit(
            ReturnRequested(**facts, resolution=request.resolution, verdict=wish.verdict.outcome, score=wish.score)
        )
        if request.replacement_id:
            work.emit(ExchangeRequested(**facts, difference=wish.difference, currency=request.currency))
            await self._exchanges.set_aside(work, request.replacement_id, wish.swaps)
        run = await self._engine.start(work, saga.KIND, return_id, _state(work, request, wish.policy), saga.DEADLINE)
        return Started(return_id, run)

    async def way(self, work: Work, group_id: UUID, method_id: UUID) -> Destination:
        """How the money of a purchase gets to a saved method: the way it was paid, or onto a gift card. Raises
        DestinationNotAllowed for a method that is neither, UnknownPaymentMethod."""
        work.principal.require(REQUEST_RETURNS)
        to = await self._payment.tender(work, method_id, None)
        if any(payment.is_by(to) for payment in await self._payment.refunds.payments(work, group_id)):
            return "original"
        if to.kind == "gift_card":
            return "gift_card"
        raise DestinationNotAllowed(allowed="original, gift_card")

    async def cancel(self, work: Work, return_id: UUID) -> ReturnView:
        """Takes a return back, as long as nothing of it has arrived. Raises ReturnNotFound, ReturnState."""
        work.principal.require(REQUEST_RETURNS)
        request = await self._own(work, return_id)
        await demand(work, "returns.cancel", "Cancel this return? You keep what you have.", request=return_id)
        if await self._book.move(work, return_id, "cancelled") is None:
            raise ReturnState(status=request.status.replace("_", " "))
        facts = {"return_id": return_id, "group_id": request.group_id, "order_id": request.order_id}
        work.emit(ReturnCancelled(**facts, reason="taken_back"))
        await wake(work, saga.KIND, return_id)
        return await self.view(work, return_id)

    async def refund_ended(self, work: Work, deliveries: Sequence[Delivery]) -> None:
        """Reaction: the return whose refund ended looks at it now."""
        refunds = [UUID(str(delivery.message.payload["refund_id"])) for delivery in deliveries]
        for row in await work.rows("select id from return_requests where refund_id = any($1)", refunds):
            await wake(work, saga.KIND, row["id"])

    # --- reading ---

    async def view(self, work: Work, return_id: UUID) -> ReturnView:
        work.principal.require(READ_RETURNS)
        (found,) = await self._book.views(work, [await self._own(work, return_id)])
        return found

    async def several(self, work: Work, ids: Sequence[UUID]) -> list[ReturnView]:
        """Returns of the caller's, two statements for any number of them."""
        work.principal.require(READ_RETURNS)
        column = self._book.requests.table.c.id
        return await self._book.views(work, await self._book.requests.all(work, column.in_(ids)) if ids else [])

    async def page(
        self, work: Work, order_id: UUID | None = None, cursor: str | None = None, size: int = 20
    ) -> Page[ReturnView]:
        """The caller's returns, newest first: a customer's own, of a merchant's orders, all for staff."""
        work.principal.require(READ_RETURNS)
        of_order = [self._book.requests.table.c.order_id == order_id] if order_id else []
        found, following = await self._book.requests.page(work, *of_order, cursor=cursor, size=size)
        return Page(items=await self._book.views(work, found), next=following)

    # --- the parts of asking ---

    async def _own(self, work: Work, return_id: UUID) -> ReturnRequest:
        found = await self._book.requests.get(work, return_id)
        if found is None:
            raise ReturnNotFound()
        return found

    async def _look(self, work: Work, command: RequestReturn) -> Wish:
        """Everything that can be known before a row is written."""
        order = await self._orders.paid(work, command.order_id)
        sent = await self._fulfillment.sent(work, order.id)
        if sent.status not in DELIVERED:
            raise NotDelivered(status=sent.status.replace("_", " "))
        await self._book.refuse_replacement(work, order.group_id)
        exchange = command.resolution == "exchange"
        if any((line.replacement_id is not None) != exchange for line in command.lines):
            raise ReplacementNeeded()
        await self._units(work, sent, command)
        channel = await self._pricing.channel_by_id(work, order.channel_id)
        swaps = await self._exchanges.plan(work, order, sent, channel, command.lines) if exchange else []
        await self._exchanges.check_method(
            work, order, command.payment_method_id, sum(swap.difference for swap in swaps)
        )
        units = {line.order_line_id: line.quantity for line in command.lines}
        worth = await self._refund.worth(work, order, units)
        policy, verdict, score = await self._judge(work, order, sent, channel, command, worth)
        return Wish(command, order, sent, policy, verdict, score, swaps, worth)

    async def _units(self, work: Work, sent: SentOrder, command: RequestReturn) -> None:
        """Raises UnknownReturnLine, MoreThanDelivered."""
        ids = [line.order_line_id for line in command.lines]
        if len(set(ids)) < len(ids) or not set(ids) <= sent.lines.keys():
            raise UnknownReturnLine()
        rows = await work.rows(statements.ON_THE_WAY, sent.id)
        taken = {row["order_line_id"]: row["quantity"] for row in rows}
        for wanted in command.lines:
            line = sent.lines[wanted.order_line_id]
            left = line.shipped - taken.get(line.id, 0)
            if wanted.quantity > left:
                raise MoreThanDelivered(left=left, item=line.title)

    async def _judge(
        self,
        work: Work,
        order: PaidOrder,
        sent: SentOrder,
        channel: ChannelFacts,
        command: RequestReturn,
        worth: int,
    ) -> tuple[Policy, Verdict, int]:
        """The policy of the first line decides about the order, each line's own about that line."""
        reasons = {reason.code: reason for reason in await self._policies.reasons(work)}
        if not {line.reason or command.reason for line in command.lines} <= reasons.keys():
            raise UnknownReason(allowed=", ".join(reasons))
        variants = [sent.lines[line.order_line_id].variant_id for line in command.lines]
        kinds = await self._product.kinds(work, variants)
        categories = [kinds[variant][1] for variant in variants]
        policies = await self._policies.of(work, channel.id, categories)
        score = await self._score(work, order.customer_id)
        assert sent.delivered_at is not None, "a delivered order has its instant"
        verdicts = [
            rules.judge(
                policies[category],
                rules.Facts(
                    *(sent.lines[line.order_line_id].title, sent.delivered_at, work.now, line.condition),
                    *(reasons[line.reason or command.reason].fault, worth, score),
                ),
            )
            for line, category in zip(command.lines, categories, strict=True)
        ]
        return policies[categories[0]], rules.together(verdicts), score

    async def _score(self, work: Work, customer_id: UUID | None) -> int:
        row = await work.row(statements.BEHAVIOUR, customer_id, work.now - rules.REMEMBERED)
        assert row is not None
        return rules.abuse(row["returns"], row["mismatches"], row["rejected"], row["accepted"])

    async def _destination(self, work: Work, wish: Wish) -> UUID | None:
        """The gift card the money goes to, if it goes to one. Raises DestinationNotAllowed, UnknownPaymentMethod."""
        command = wish.command
        if wish.swaps:
            return await self._credit.card_of(work, command.payment_method_id)
        if command.destination not in wish.policy.destinations:
            raise DestinationNotAllowed(allowed=", ".join(wish.policy.destinations))
        return await self._refund.card_for(work, wish.order, command.destination, command.payment_method_id)

    async def _demand(self, work: Work, wish: Wish, card: UUID | None) -> None:
        """An agent asks only after its person saw exactly this."""
        command, currency = wish.command, wish.order.currency
        if wish.swaps:
            new = ", ".join(f"{swap.quantity} × {swap.wanted.title}" for swap in wish.swaps)
            how = "is paid with" if wish.difference > 0 else "goes back to"
            amount = Money(abs(wish.difference), currency)
            extra = f" The difference of {amount} {how} the payment method you named" if wish.difference else ""
            text = f"Exchange {wish.goods} of order {wish.order.number} for {new}?{extra and extra + '.'}"
        else:
            back = Money(wish.worth, currency)
            text = f"Send {wish.goods} of order {wish.order.number} back for {back}, to {WAYS[command.destination]}?"
        await demand(
            work,
            "returns.request",
            f"{text} It counts once the parcel has arrived and was looked at. {wish.verdict.explanation}",
            order=wish.order.id,
            lines=[line.model_dump() for line in command.lines],
            reason=command.reason,
            worth=wish.worth,
            difference=wish.difference,
            to=(command.resolution, command.destination, command.payment_method_id, card),
        )

    def _row(self, work: Work, return_id: UUID, wish: Wish, card: UUID | None) -> ReturnRequest:
        order, command = wish.order, wish.command
        return ReturnRequest(
            id=return_id,
            order_id=order.id,
            group_id=order.group_id,
            merchant_id=order.merchant_id,
            customer_id=order.customer_id,
            guest_key=order.guest_key,
            resolution=command.resolution,
            status="requested",
            destination="gift_card" if wish.swaps and card else command.destination,
            gift_card_id=card,
            method_id=command.payment_method_id,
            replacement_id=new_id() if wish.swaps else None,
            refund_id=None,
            currency=order.currency,
            difference=wish.difference,
            verdict=wish.verdict.outcome,
            explanation=wish.verdict.explanation,
            score=wish.score,
            exclusive=wish.policy.one_per_order,
            requested_by=work.principal.subject,
            note=None,
            created_at=work.now,
            updated_at=work.now,
        )

    async def _add_lines(self, work: Work, request: ReturnRequest, wish: Wish) -> None:
        lines: Sequence[tuple[UUID, object]] = [(new_id(), line) for line in wish.command.lines]
        asked = wish.command.lines
        ids = [made for made, _ in lines]
        with law("returns_within_delivered", MoreThanDelivered(left=0, item="it")):
            await work.run(
                statements.ADD_LINES,
                *(request.id, ids, [x.order_line_id for x in asked]),
                [wish.sent.lines[x.order_line_id].variant_id for x in asked],
                *([x.reason or wish.command.reason for x in asked], [x.condition for x in asked]),
                [x.quantity for x in asked],
            )
        if wish.swaps:
            swaps = wish.swaps
            await work.run(
                statements.ADD_EXCHANGES,
                *(ids, [s.wanted.variant_id for s in swaps], [s.unit_minor for s in swaps]),
                [s.difference for s in swaps],
            )


def _state(work: Work, request: ReturnRequest, policy: Policy) -> SagaState:
    return SagaState.model_construct(
        return_id=request.id,
        order_id=request.order_id,
        group_id=request.group_id,
        merchant_id=request.merchant_id,
        customer_id=request.customer_id,
        guest_key=request.guest_key.hex() if request.guest_key else None,
        resolution=cast(Resolution, request.resolution),
        replacement_id=request.replacement_id,
        currency=request.currency,
        verdict=request.verdict,
        grey_until=work.now + timedelta(hours=policy.grey_hours),
        grey_default=policy.grey_default,
        send_days=policy.send_days,
        free_label=policy.free_label,
        refund_shipping=policy.refund_shipping,
    )
