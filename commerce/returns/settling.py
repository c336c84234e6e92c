"""What comes of a return once its units were looked at: a replacement, money, or both."""

from dataclasses import replace
from typing import cast
from uuid import UUID

from commerce.inventory import InventoryService
from commerce.order import FulfillmentService, SentOrder
from commerce.payment import GatewayAnswer, PaymentService, Tender
from commerce.payment.errors import GiftCardTooLow
from commerce.pricing import PricingService
from commerce.refund import Asked, OrderFacts, PaidOrder, RefundService
from commerce.refund.schemas import Destination
from commerce.returns.book import ReturnBook
from commerce.returns.exchange import Exchanges, Swap, for_owner
from commerce.returns.schemas import ReturnState
from commerce.returns.tables import ReturnRequest
from kernel.db import Record, Work
from kernel.ids import new_id
from kernel.money import Money
from kernel.saga_engine import Engine
from kernel.tables import Json

FREE = Tender("free")


class Settling:
    """Called by the saga's steps, as the system, inside their transactions."""

    def __init__(
        self,
        orders: OrderFacts,
        fulfillment: FulfillmentService,
        pricing: PricingService,
        inventory: InventoryService,
        payment: PaymentService,
        refund: RefundService,
        exchanges: Exchanges,
        book: ReturnBook,
        engine: Engine,
    ) -> None:
        self._orders = orders
        self._fulfillment = fulfillment
        self._pricing = pricing
        self._inventory = inventory
        self._payment = payment
        self._refund = refund
        self._exchanges = exchanges
        self._book = book
        self._engine = engine

    async def inspected(self, work: Work, return_id: UUID) -> bool:
        return bool(
            await work.value(
                "select r.status = 'received' and not exists (select from return_lines l "
                "where l.return_id = r.id and l.inspected < l.received) from return_requests r where r.id = $1",
                return_id,
            )
        )

    # --- the charge of an exchange ---

    async def charge(self, work: Work, state: ReturnState) -> Json | None:
        """Opens the payment of the replacements: what the gateway is to be asked, or None when it need not be."""
        order, _, swaps = await self._plan(work, state)
        if not swaps:
            return None
        assert state.replacement_id is not None, "swaps are an exchange's"
        request = await self._request(work, state.return_id)
        due = Money(sum(swap.paid.due for swap in swaps), order.currency)
        tender = await self._payment.tender(work, request.method_id, None) if due.minor else FREE
        state.charge_minor, state.charge_kind = due.minor, tender.kind
        caller, work.principal = work.principal, for_owner(work.principal, order.customer_id, order.guest_key)
        try:
            intent, _ = await self._payment.open(work, state.replacement_id, due, tender)
        except GiftCardTooLow:
            state.charge_failed = True
            work.principal = caller
            await self._uncharged(work, state)
            return None
        finally:
            work.principal = caller
        state.charge_intent = intent
        if tender.kind == "card":
            asked = {"amount": due.minor, "currency": due.currency, "token": tender.token}
            return {**asked, "reference": state.replacement_id.hex}
        paid = GatewayAnswer("succeeded", tender.kind)
        await self._payment.authorised(work, intent, state.replacement_id, due, f"{state.return_id.hex}.charge", paid)
        return None

    async def _uncharged(self, work: Work, state: ReturnState) -> None:
        """The gift card no longer covers the difference: the payment that was opened has failed."""
        assert state.replacement_id is not None, "only an exchange is charged"
        intent = await self._payment.intent_of(work, state.replacement_id)
        assert intent is not None, "it was opened in this transaction"
        await self._payment.fail(work, intent.id, state.replacement_id, "gift_card_insufficient")

    # --- the outcome ---

    async def settle(self, work: Work, state: ReturnState) -> None:
        """Replacements become a purchase, the rest is refunded; counts each unit once, as one or the other."""
        order, sent, swaps = await self._plan(work, state)
        if state.resolution == "exchange" and swaps and not state.charge_failed:
            await self._exchange(work, state, order, sent, swaps)
            return
        if state.replacement_id:
            await self._inventory.release(work, state.replacement_id)
        lines = await self._book.lines(work, state.return_id)
        units = {row["order_line_id"]: row["passed"] for row in lines if row["passed"]}
        if not units:
            return
        shipping = state.refund_shipping and await self._whole(work, sent, lines)
        await work.run("update return_lines set refunded = passed where return_id = $1", state.return_id)
        worth = await self._refund.worth(work, order, units, shipping)
        if worth:
            await self._give_back(work, state, Asked(order.id, "", "", units, shipping))

    async def _exchange(
        self, work: Work, state: ReturnState, order: PaidOrder, sent: SentOrder, swaps: list[Swap]
    ) -> None:
        assert state.replacement_id is not None, "swaps are an exchange's"
        request = await self._request(work, state.return_id)
        await work.run("update return_lines set exchanged = passed where return_id = $1", state.return_id)
        await self._exchanges.become(work, request, order, sent, swaps)
        announced = await work.value("select sum(quantity) from return_lines where return_id = $1", state.return_id)
        if announced != sum(swap.quantity for swap in swaps):  # what did not come or pass is not exchanged
            await self._inventory.release(work, state.replacement_id)
            await self._exchanges.set_aside(work, state.replacement_id, swaps)
        back = {swap.order_line_id: swap.paid.back for swap in swaps if swap.paid.back}
        if back:
            await self._give_back(work, state, Asked(order.id, "", "", amounts=back))

    async def _give_back(self, work: Work, state: ReturnState, asked: Asked) -> None:
        """Starts the refund in this transaction; it is driven on after the commit."""
        request = await self._request(work, state.return_id)
        wish = replace(
            asked,
            cause=f"return:{state.return_id.hex}",
            reason=f"return, {state.resolution}",
            destination=cast(Destination, request.destination),
            gift_card_id=request.gift_card_id,
        )
        started = await self._refund.give_back(work, new_id(), wish)
        state.refund_id = started.refund_id
        await work.run("update return_requests set refund_id = $2 where id = $1", state.return_id, started.refund_id)

        async def drive() -> None:
            await self._engine.drive(started.run)

        work.after_commit(drive)

    async def _whole(self, work: Work, sent: SentOrder, lines: list[Record]) -> bool:
        """Whether the whole order came back because of the shop: then its delivery is refunded too."""
        reasons = {row["reason"] for row in lines}
        faults = await work.value("select bool_and(fault) from return_reasons where code = any($1)", list(reasons))
        passed = {row["order_line_id"]: row["passed"] for row in lines}
        return bool(faults) and all(line.shipped == passed.get(line.id, 0) for line in sent.lines.values())

    async def refund_waits(self, work: Work, state: ReturnState) -> float | None:
        """How old the refund is that is still on its way, seconds; None when there is none, or it has ended."""
        if state.refund_id is None:
            return None
        refund = await self._refund.view(work, state.refund_id)
        if refund.status in ("succeeded", "rejected"):
            return None
        return (work.now - refund.created_at).total_seconds()

    async def outcome(self, work: Work, return_id: UUID) -> str:
        lines = await self._book.lines(work, return_id)
        if any(row["exchanged"] for row in lines):
            return "exchange"
        return "refund" if any(row["refunded"] for row in lines) else "none"

    async def _plan(self, work: Work, state: ReturnState) -> tuple[PaidOrder, SentOrder, list[Swap]]:
        order = await self._orders.paid(work, state.order_id)
        sent = await self._fulfillment.sent(work, state.order_id)
        if state.resolution != "exchange":
            return order, sent, []
        channel = await self._pricing.channel_by_id(work, order.channel_id)
        lines = await self._book.lines(work, state.return_id)
        return order, sent, await self._exchanges.replan(work, order, sent, channel, lines)

    async def _request(self, work: Work, return_id: UUID) -> ReturnRequest:
        request = await self._book.requests.get(work, return_id)
        assert request is not None, "the system sees every return"
        return request
