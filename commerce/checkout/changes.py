"""Changes of an order that was placed: other items, another payment, fewer units. Each begins the saga that carries it out."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from commerce.checkout import change, saga
from commerce.checkout.errors import PartlyRefunded, PaymentNeeded, PurchaseStillRunning, VariantNotForSale
from commerce.checkout.rules import NO_TAX
from commerce.checkout.schemas import ChangeView
from commerce.checkout.service import Placed
from commerce.inventory.errors import HoldLost
from commerce.order import (
    Entry,
    LineAfter,
    Opened,
    OrderAfter,
    OrderLine,
    Replacement,
    Swap,
    after,
    paid_for,
    taken,
)
from commerce.order.errors import AlreadyPacked, ChangeInProgress, OtherProduct, SameItem
from commerce.order.permissions import CHANGE_ORDERS, READ_ORDERS
from commerce.order.schemas import CancelLines, ChangeItem, ChangeItems, ChangePayment
from commerce.payment import Captured, PaymentRowView, Promised, Share, Tender, spread
from commerce.payment.errors import PaymentNotSettled, SamePaymentMethod, SeveralPayments, UnknownPaymentMethod
from commerce.pricing import PricingService
from commerce.product import ProductService, titled
from commerce.refund import RefundService
from commerce.warehouse import ToPick
from kernel.consent import demand
from kernel.db import Work
from kernel.money import Money
from kernel.saga_engine import Engine
from kernel.saga_store import is_open


class ChangeService:
    """Every command takes the id of the change it makes, so that a repetition finds it."""

    def __init__(
        self, parts: saga.Parts, pricing: PricingService, product: ProductService, refund: RefundService, engine: Engine
    ) -> None:
        self._parts = parts
        self._pricing = pricing
        self._product = product
        self._refund = refund
        self._engine = engine

    async def items(self, work: Work, order_id: UUID, change_id: UUID, command: ChangeItems) -> Placed:
        """Units become another variant; the difference is charged to, or goes to, a named method of the customer.

        Emits OrderModified. Raises OrderNotFound, NotChangeable, ChangeSpent, ChangeInProgress, UnknownOrderLine,
        SameItem, OtherProduct, VariantNotForSale, InsufficientStock, AlreadyPacked, PaymentNeeded, UnknownPaymentMethod, GiftCardTooLow,
        RefundDestination."""
        work.principal.require(CHANGE_ORDERS)
        opened, payments = await self._open(work, order_id, "items")
        lines = await self._parts.order.modifications.lines(work, order_id)
        swaps = await self._swaps(work, opened, lines, command.items)
        wanted = after(opened.order, lines, swaps)
        difference = wanted.total - opened.order.total
        tender = await self._tender(work, opened, payments, command, difference)
        await self._ask_items(work, opened, swaps, difference, tender)
        entries = [_swapped(swap) for swap in swaps]
        await self._parts.order.modifications.begin(
            work, opened, change_id, "items", difference, entries, method_id=tender.method_id if tender else None
        )
        state = _items_state(opened, change_id, swaps, wanted)
        await self._parts.inventory.lock(work, [*state.take, *state.give])
        skus = {swap.to.variant_id: swap.to.sku for swap in swaps}
        state.held_until = await self._parts.inventory.take(work, change_id, state.take, skus)
        if difference > 0:
            assert tender is not None
            shares = [Share(merchant_id=opened.order.merchant_id, amount=difference)]
            state.charge = await self._charge(work, opened, tender, shares, "items")
        if difference < 0:
            state.refunds = await self._promises(work, opened, payments, -difference, change_id, tender)
        return await self._start(work, opened, state)

    async def payment(self, work: Work, order_id: UUID, change_id: UUID, command: ChangePayment) -> Placed:
        """Pays the whole purchase another way: the new payment first, then the old one goes back.

        Emits OrderModified. Raises OrderNotFound, NotChangeable, ChangeSpent, ChangeInProgress, SeveralPayments,
        SamePaymentMethod, PaymentNeeded, UnknownPaymentMethod, GiftCardTooLow."""
        work.principal.require(CHANGE_ORDERS)
        opened, payments = await self._open(work, order_id, "payment")
        if len(payments) != 1 or payments[0].left != payments[0].captured:
            raise SeveralPayments()
        (paid,) = payments
        tender = await self._paying(work, opened, command)
        if paid.is_by(tender):
            raise SamePaymentMethod()
        amount = Money(paid.captured, paid.currency)
        await demand(
            work,
            "order.payment",
            f"Pay {opened.numbers} with {await self._parts.payment.called(work, tender)} instead? {amount} is charged to "
            f"it, then {amount} goes back the way it was paid.",
            group=opened.group.id,
            method=tender.method_id or tender.token,
            amount=paid.captured,
        )
        modifications = self._parts.order.modifications
        await modifications.begin(work, opened, change_id, "payment", 0, method_id=tender.method_id)
        owed = await self._parts.payment.refunds.owed(work, opened.group.id)
        charge = await self._charge(work, opened, tender, owed, "payment")
        back = await self._parts.payment.refunds.promise(work, paid, owed, f"change:{change_id.hex}")
        state = _state(opened, change_id, "payment").model_copy(update={"charge": charge, "refunds": [back]})
        return await self._start(work, opened, state)

    async def cancel_lines(self, work: Work, order_id: UUID, change_id: UUID, command: CancelLines) -> Placed:
        """Cancels units of an order; what they cost goes back the way it was paid, delivery too when nothing is left.

        Emits OrderModified, and OrderCancelled with the last unit of the purchase. Raises OrderNotFound, NotChangeable,
        ChangeSpent, ChangeInProgress, ReasonNotAllowed, UnknownOrderLine, RefundTooHigh, AlreadyPacked."""
        work.principal.require(CHANGE_ORDERS)
        opened, payments = await self._open(work, order_id, "cancel_lines")
        opened.allow_reason(command.reason)
        order, modifications = opened.order, self._parts.order.modifications
        lines = await modifications.lines(work, order_id)
        gone: dict[UUID, int] = {}
        for item in command.items:
            taken(lines, item.line_id, item.sku, item.quantity, gone, whole=False)
        entries = [
            Entry(line, gone[line.id], line.refunded - paid_for(order, line, line.cancelled + gone[line.id]))
            for line in lines
            if line.id in gone
        ]
        back = -sum(entry.amount for entry in entries)
        if all(line.cancelled + gone.get(line.id, 0) == line.quantity for line in lines):
            back = order.total - sum(line.refunded for line in lines)
        names = ", ".join(f"{entry.quantity} × {entry.line.name} ({entry.line.sku})" for entry in entries)
        await demand(
            work,
            "order.cancel_lines",
            f"Cancel {names} of order {order.number} because of “{command.reason}”? {Money(back, order.currency)} goes back "
            "the way it was paid.",
            order=order.id,
            lines=[(entry.line.id, entry.quantity) for entry in entries],
            reason=command.reason,
            amount=back,
        )
        await modifications.begin(work, opened, change_id, "cancel_lines", -back, entries, reason=command.reason)
        state = _cancel_state(opened, change_id, entries)
        await self._parts.inventory.lock(work, list(state.give))
        state.refunds = await self._promises(work, opened, payments, back, change_id, None)
        return await self._start(work, opened, state)

    async def view(self, work: Work, change_id: UUID) -> ChangeView:
        """A change of the caller's, with its order and its payments as they are now. Raises OrderNotFound."""
        work.principal.require(READ_ORDERS)
        found = await self._parts.order.modifications.view(work, change_id)
        order = await self._parts.order.view(work, found.order_id)
        rows = await self._parts.payment.refunds.rows(work, order.group_id)
        return ChangeView(change=found, order=order, payments=rows)

    async def payments(self, work: Work, order_id: UUID) -> list[PaymentRowView]:
        """What was paid and given back for the purchase of an order of the caller. Raises OrderNotFound."""
        work.principal.require(READ_ORDERS)
        order = await self._parts.order.view(work, order_id)
        return await self._parts.payment.refunds.rows(work, order.group_id)

    # --- inside ---

    async def _open(
        self, work: Work, order_id: UUID, kind: Literal["items", "payment", "cancel_lines"]
    ) -> tuple[Opened, list[Captured]]:
        """The order locked, with nothing of its purchase still on the way and none of its money given back, and its captured
        payments."""
        opened = await self._parts.order.modifications.open(work, order_id, kind)
        if await is_open(work, saga.KIND, opened.group.id):
            raise PurchaseStillRunning()
        if await is_open(work, change.KIND, opened.group.id):
            raise ChangeInProgress()
        if await self._refund.any_of(work, opened.group.id, None if kind == "payment" else order_id):
            raise PartlyRefunded()
        refunds = self._parts.payment.refunds
        if await refunds.unsettled(work, opened.group.id):
            raise PaymentNotSettled()
        return opened, await refunds.payments(work, opened.group.id)

    async def _swaps(
        self, work: Work, opened: Opened, lines: Sequence[OrderLine], items: Sequence[ChangeItem]
    ) -> list[Swap]:
        wanted = Counter[UUID]()
        for item in items:
            wanted[item.variant_id] += item.quantity
        offers = await self._product.offers(work, opened.channel, wanted)
        gone: dict[UUID, int] = {}
        swaps = []
        for item in items:
            offer = offers.get(item.variant_id)
            if offer is None:
                raise VariantNotForSale(skus="This item")
            to, price = offer.sold, offer.price
            for line, units in taken(lines, item.line_id, item.sku, item.quantity, gone, whole=True):
                if line.variant_id == to.variant_id:
                    raise SameItem(sku=to.sku)
                other = line.product_id != to.product_id
                strict = opened.channel.policy.same_product_only
                if to.merchant_id != opened.order.merchant_id or (other and strict):
                    raise OtherProduct(sku=to.sku)
                rates = await self._pricing.tax_rates(work, opened.channel.country) if other else {}
                rate = rates.get(to.tax_class, NO_TAX) if other else None
                unit = price.unit_minor
                becomes = Replacement(to.variant_id, to.product_id, to.sku, to.name, to.options, unit, rate)
                swaps.append(Swap(line, units, becomes))
        return swaps

    async def _tender(
        self, work: Work, opened: Opened, payments: Sequence[Captured], command: ChangeItems, difference: int
    ) -> Tender | None:
        """What pays a difference, or takes it; None is the way it was paid."""
        if difference > 0:
            return await self._paying(work, opened, command)
        if command.payment_method_id is None:
            return None
        tender = await self._chosen(work, opened, command.payment_method_id, None)
        if difference < 0:
            self._parts.payment.refunds.allow(payments, tender, opened.channel.policy.difference_to)
        return tender

    async def _paying(self, work: Work, opened: Opened, command: ChangeItems | ChangePayment) -> Tender:
        if (command.payment_method_id is None) == (command.payment_token is None):
            raise PaymentNeeded()
        return await self._chosen(work, opened, command.payment_method_id, command.payment_token)

    async def _chosen(self, work: Work, opened: Opened, method_id: UUID | None, token: str | None) -> Tender:
        """A token, or a saved method of the order's own customer, whoever calls."""
        tender = await self._parts.payment.tender(work, method_id, token)
        if tender.method_id and tender.customer_id != opened.group.customer_id:
            raise UnknownPaymentMethod()
        return tender

    async def _ask_items(
        self, work: Work, opened: Opened, swaps: Sequence[Swap], difference: int, tender: Tender | None
    ) -> None:
        order, called = opened.order, await self._parts.payment.called(work, tender)
        amount = Money(abs(difference), order.currency)
        money = f"{amount} more is charged to {called}." if difference > 0 else f"{amount} goes back to {called}."
        becomes = ", ".join(
            f"{swap.quantity} × {titled(swap.line.name, swap.line.options)} into {swap.to.title}" for swap in swaps
        )
        await demand(
            work,
            "order.items",
            f"Change {becomes} in order {order.number}? {money if difference else 'The price stays the same.'}",
            order=order.id,
            items=[(swap.line.id, swap.quantity, swap.to.variant_id) for swap in swaps],
            difference=difference,
            method=(tender.method_id or tender.token) if tender else None,
        )

    async def _charge(
        self, work: Work, opened: Opened, tender: Tender, shares: list[Share], purpose: Literal["items", "payment"]
    ) -> change.Charge:
        amount = Money(sum(share.amount for share in shares), opened.order.currency)
        buyer = (opened.group.customer_id, opened.group.guest_key)
        intent = await self._parts.payment.open_change(work, opened.group.id, buyer, amount, tender, purpose)
        return change.Charge(
            intent_id=intent,
            kind=tender.kind,
            token=tender.token,
            gift_card_id=tender.gift_card_id,
            amount=amount.minor,
            shares=shares,
        )

    async def _promises(
        self, work: Work, opened: Opened, payments: Sequence[Captured], amount: int, change_id: UUID, to: Tender | None
    ) -> list[Promised]:
        """Promises an amount out of what was paid; to a method that did not pay it only where the policy says so."""
        merchant, policy = opened.order.merchant_id, opened.channel.policy.difference_to
        gift_card = policy == "original_or_gift_card" and to is not None and to.gift_card_id is not None
        elsewhere = to if policy == "any" or gift_card else None
        return [
            await self._parts.payment.refunds.promise(
                work,
                payment,
                [Share(merchant_id=merchant, amount=part)],
                f"change:{change_id.hex}:{payment.intent_id.hex}",
                elsewhere,
            )
            for payment, part in spread(payments, amount, to)
        ]

    async def _start(self, work: Work, opened: Opened, state: change.ChangeState) -> Placed:
        run = await self._engine.start(work, change.KIND, opened.group.id, state, change.DEADLINE)
        if run.saga.status == "compensated":  # refused before the gateway heard of it: nothing of the wish is kept
            raise AlreadyPacked() if run.saga.error == "already_packed" else HoldLost()
        return Placed(state.modification_id, run)


def _swapped(swap: Swap) -> Entry:
    to, line = swap.to, swap.line
    amount = (to.unit_minor - line.unit_minor) * swap.quantity
    return Entry(line, swap.quantity, amount, to.variant_id, to.sku, to.options, to.unit_minor)


def _state(opened: Opened, change_id: UUID, kind: Literal["items", "payment", "cancel_lines"]) -> change.ChangeState:
    return change.ChangeState(
        group_id=opened.group.id,
        order_id=opened.order.id,
        modification_id=change_id,
        kind=kind,
        currency=opened.order.currency,
    )


def _items_state(opened: Opened, change_id: UUID, swaps: Sequence[Swap], wanted: OrderAfter) -> change.ChangeState:
    state = _state(opened, change_id, "items")
    state.wanted = wanted
    for swap in swaps:
        state.give[swap.line.variant_id] = state.give.get(swap.line.variant_id, 0) + swap.quantity
        state.take[swap.to.variant_id] = state.take.get(swap.to.variant_id, 0) + swap.quantity
        state.unpicked[swap.line.id] = state.unpicked.get(swap.line.id, 0) + swap.quantity
    state.picks = [_pick(opened, line, line.quantity) for line in wanted.lines]
    return state


def _cancel_state(opened: Opened, change_id: UUID, entries: Sequence[Entry]) -> change.ChangeState:
    state = _state(opened, change_id, "cancel_lines")
    for entry in entries:
        line = entry.line
        state.give[line.variant_id] = state.give.get(line.variant_id, 0) + entry.quantity
        state.unpicked[line.id] = state.cancelled[line.id] = entry.quantity
        state.amounts[line.id] = -entry.amount
    state.picks = [_pick(opened, e.line, e.line.quantity - e.line.cancelled - e.quantity) for e in entries]
    return state


def _pick(opened: Opened, line: OrderLine | LineAfter, quantity: int) -> ToPick:
    return ToPick(
        order_id=opened.order.id,
        merchant_id=opened.order.merchant_id,
        order_line_id=line.id,
        variant_id=line.variant_id,
        sku=line.sku,
        quantity=quantity,
    )
