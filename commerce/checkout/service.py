"""Checkout: place order is one transaction; what follows is the saga's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from commerce.checkout import cancellation, capture, change, saga, statements
from commerce.checkout.carts import CartLine, CartService, CartState
from commerce.checkout.errors import (
    AddressNeeded,
    CartEmpty,
    EmailNeeded,
    PartlyRefunded,
    PaymentNeeded,
    PurchaseStillRunning,
    VariantNotForSale,
)
from commerce.checkout.permissions import BUY
from commerce.checkout.rules import Item, orders, parcels, together
from commerce.checkout.schemas import AddLine, CreateCart, OrderGroupView, PlaceOrder, ReorderView
from commerce.customer import CustomerService
from commerce.order import NewGroup, NewOrder
from commerce.order.errors import ChangeInProgress
from commerce.order.schemas import CancelOrder
from commerce.payment import Promised, Risk, Share, Tender, dealt
from commerce.payment.permissions import MOVE_MONEY
from commerce.pricing import ChannelFacts, PricingService
from commerce.promotion import Adjustment
from commerce.refund import RefundService
from commerce.shipping import Rate, ShippingService
from commerce.shipping.schemas import RateView
from commerce.warehouse import ToPick
from kernel.consent import demand
from kernel.db import Work
from kernel.ids import new_id
from kernel.inbox import Delivery
from kernel.money import Money
from kernel.saga_engine import Engine, Run
from kernel.saga_store import is_open, wake
from kernel.schemas import Address, money

FREE = Tender("free")


@dataclass(frozen=True, slots=True)
class Placed:
    """What was begun (a purchase, its end, a change of it), and its saga to drive on once the transaction is committed."""

    id: UUID
    run: Run


class CheckoutService:
    """`hold_minutes` is how long stock waits for its payment."""

    def __init__(
        self,
        parts: saga.Parts,
        carts: CartService,
        customer: CustomerService,
        pricing: PricingService,
        shipping: ShippingService,
        refund: RefundService,
        engine: Engine,
        hold_minutes: int = 10,
    ) -> None:
        self._parts = parts
        self._carts = carts
        self._customer = customer
        self._pricing = pricing
        self._shipping = shipping
        self._refund = refund
        self._engine = engine
        self._hold = timedelta(minutes=hold_minutes)

    async def place_order(self, work: Work, group_id: UUID, cart_id: UUID, command: PlaceOrder) -> Placed:
        """Lock cart > quote > create orders > redeem > open payment > close cart > hold stock (last) > start saga.

        All or nothing. `group_id` is the caller's, so that a repetition finds it. Raises what any of its parts refuses.
        """
        work.principal.require(BUY)
        cart = await self._carts.open(work, cart_id)
        email, address = await self._who_and_where(work, cart, command)
        channel = await self._pricing.channel_by_id(work, cart.channel_id)
        items = await self._items(work, cart, channel)
        adjustments = await self._carts.adjustments(work, channel, items, cart.codes)
        placed = await self._quote(work, channel, items, adjustments, address, command.shipping_method)
        group = NewGroup(
            *(group_id, channel.id, email, channel.currency, channel.tax_included),
            *(command.shipping_method, address, placed),
        )
        tender = await self._tender(work, command, group.total)
        await self._demand(work, cart, group, tender, items)
        await self._parts.order.place(work, group)
        await self._parts.promotion.redeem(work, group_id, adjustments)
        intent, risk = await self._parts.payment.open(work, group_id, Money(group.total, group.currency), tender)
        await work.run(statements.START, cart.id, group_id, work.now)
        state = self._state(work, group, channel, intent, tender, risk)
        if risk.decision != "reject":  # a purchase that is refused at once holds nothing
            await self._hold_stock(work, group_id, items)
        run = await self._engine.start(work, saga.KIND, group_id, state, saga.DEADLINE)
        return Placed(group_id, run)

    async def deliveries(self, work: Work, cart: CartState, country: str) -> list[RateView]:
        """What each method costs that carries every parcel of a cart, codes included, cheapest first; its days are
        those of the slowest parcel. Empty when nothing in the cart can be bought."""
        work.principal.require(BUY)
        channel = await self._pricing.channel_by_id(work, cart.channel_id)
        items = await self._carts.items(work, channel, cart.lines)
        free = any(a.free_shipping for a in await self._carts.adjustments(work, channel, items, cart.codes))
        found: list[dict[str, Rate]] = []
        for positions in parcels(items).values():
            mine = [items[i] for i in positions]
            weight, amount = sum(i.sold.weight_g * i.quantity for i in mine), sum(i.amount for i in mine)
            rates = await self._shipping.rates(work, country, channel.currency, max(weight, 1), amount)
            found.append({rate.code: rate for rate in rates})
        return together(found, channel.currency, free)

    async def drive(self, run: Run) -> str:
        """Goes on with a saga after its transaction; any worker would, this is only sooner."""
        return await self._engine.drive(run)

    async def group(self, work: Work, group_id: UUID) -> OrderGroupView:
        """A purchase of the caller. Raises OrderNotFound."""
        group, placed = await self._parts.order.group_with_orders(work, group_id)
        return OrderGroupView(
            id=group.id,
            status=group.status,
            failure=group.failure,
            total=money(group.total, group.currency),
            orders=placed,
            payment=await self._parts.payment.view(work, group_id),
        )

    async def cancel(self, work: Work, order_id: UUID, command: CancelOrder) -> Placed:
        """Cancels the whole purchase an order belongs to, and starts the saga that gives money and stock back.

        Every captured payment goes back once, to its own method. Raises OrderNotFound, ReasonNotAllowed, NotCancellable,
        PurchaseStillRunning, ChangeInProgress, PartlyRefunded."""
        group = await self._parts.order.request_cancel(work, order_id, command)
        if await is_open(work, saga.KIND, group.id):
            raise PurchaseStillRunning()
        if await is_open(work, change.KIND, group.id):
            raise ChangeInProgress()
        if await self._refund.any_of(work, group.id):
            raise PartlyRefunded()
        intent = await self._parts.payment.intent_of(work, group.id)
        assert intent is not None, "every purchase has an intent"
        placed = await self._parts.order.orders_of(work, group.id)
        state = cancellation.CancellationState(
            group_id=group.id,
            order_ids=[order.id for order in placed],
            reason=command.reason,
            intent_id=intent.id,
            captured=intent.status != "authorised",
            reference=intent.gateway_reference,
            refunds=await self._everything_back(work, group.id, placed[0].merchant_id),
        )
        run = await self._engine.start(work, cancellation.KIND, group.id, state, cancellation.DEADLINE)
        return Placed(group.id, run)

    async def _everything_back(self, work: Work, group_id: UUID, merchant_id: UUID) -> list[Promised]:
        """What is left of every captured payment, promised to its own method."""
        refunds = self._parts.payment.refunds
        payments, owed = await refunds.payments(work, group_id), await refunds.owed(work, group_id)
        return [
            await refunds.promise(work, payment, shares, f"cancel:{group_id.hex}:{payment.intent_id.hex}")
            for payment, shares in dealt(payments, owed, merchant_id)
        ]

    async def reorder(self, work: Work, order_id: UUID) -> ReorderView:
        """A new cart with what is left of an order's units, at today's prices; what cannot be bought is named.

        Raises OrderNotFound."""
        work.principal.require(BUY)
        order = await self._parts.order.view(work, order_id)
        group = await self._parts.order.group(work, order.group_id)
        channel = await self._pricing.channel_by_id(work, group.channel_id)
        cart = await self._carts.create(work, CreateCart(channel=channel.code))
        wanted = {line.variant_id: 0 for line in order.lines}
        for line in order.lines:
            wanted[line.variant_id] += line.quantity - line.cancelled
        lines = [CartLine(new_id(), variant, units) for variant, units in wanted.items() if units]
        fitting = [x for x in await self._carts.items(work, channel, lines) if x.available >= x.quantity]
        for item in fitting[: channel.policy.cart_lines_most]:
            command = AddLine(variant_id=item.sold.variant_id, quantity=item.quantity)
            cart = await self._carts.add(work, cart.id, command)
        taken = {line.variant_id for line in cart.lines}
        left_out = [x.sku for x in order.lines if wanted[x.variant_id] and x.variant_id not in taken]
        return ReorderView(cart=cart, left_out=left_out)

    async def shipped(self, work: Work, deliveries: Sequence[Delivery]) -> None:
        """Reaction: with its first parcel a purchase that was only reserved is charged; any worker carries it out."""
        for group_id in {delivery.message.key for delivery in deliveries}:
            await self.capture(work, group_id)

    async def capture(self, work: Work, group_id: UUID) -> Run | None:
        """Starts charging what is reserved for a purchase; None when nothing is, or it is being charged already."""
        work.principal.require(MOVE_MONEY)
        await work.run("select from order_groups where id = $1 for update", group_id)
        intent = await self._parts.payment.intent_of(work, group_id)
        if intent is None or intent.status != "authorised" or await is_open(work, capture.KIND, group_id):
            return None
        placed = await self._parts.order.orders_of(work, group_id)
        state = capture.CaptureState(
            group_id=group_id,
            order_ids=[order.id for order in placed],
            intent_id=intent.id,
            amount=intent.amount,
            currency=intent.currency,
            shares=[Share(merchant_id=o.merchant_id, amount=o.totals.total.amount) for o in placed],
            reference=intent.gateway_reference,
        )
        return await self._engine.start(work, capture.KIND, group_id, state, capture.DEADLINE)

    async def heard(self, work: Work, event_id: str, kind: str, reference: str, body: dict[str, str]) -> UUID | None:
        """A verified webhook of the gateway: the purchase that waits for it looks again. Its content is not believed.

        Answers with the purchase it is about, the first time."""
        if group_id := await self._parts.payment.notice(work, event_id, kind, reference, body):
            await wake(work, saga.KIND, group_id)
        return group_id

    # --- the parts of placing an order ---

    async def _demand(
        self, work: Work, cart: CartState, group: NewGroup, tender: Tender, items: Sequence[Item]
    ) -> None:
        """An agent places an order only after its person saw exactly this. For a person who calls: nothing to do."""
        if work.principal.act is None:
            return
        goods = ", ".join(f"{item.quantity} × {item.sold.title}" for item in items)
        total = Money(group.total, group.currency)
        delivery = Money(sum(order.shipping for order in group.orders), group.currency)
        await demand(
            work,
            "checkout.buy",
            f"Order {goods} for {total} ({group.shipping_method} delivery {delivery} included), paid by "
            f"{tender.kind.replace('_', ' ')}, to {group.address.one_line}?",
            cart=cart.id,
            total=group.total,
            method=tender.method_id,
            by=group.shipping_method,
            items=[(item.sold.variant_id, item.quantity) for item in items],
            to=group.address.model_dump(),
        )

    async def _who_and_where(self, work: Work, cart: CartState, command: PlaceOrder) -> tuple[str, Address]:
        email = cart.email
        if not email and work.principal.customer_id:
            email = (await self._customer.me(work)).email
        if not email:
            raise EmailNeeded()
        if (command.address_id is None) == (command.shipping_address is None):
            raise AddressNeeded()
        if command.address_id:
            return email, await self._customer.address(work, command.address_id)
        assert command.shipping_address is not None
        return email, command.shipping_address

    async def _items(self, work: Work, cart: CartState, channel: ChannelFacts) -> list[Item]:
        """Every line of the cart, or an error that names what cannot be bought."""
        if not cart.lines:
            raise CartEmpty()
        items = await self._carts.items(work, channel, cart.lines)
        if len(items) < len(cart.lines):
            names = await self._carts.missing(work, cart, items)
            raise VariantNotForSale(skus=", ".join(names))
        return items

    async def _quote(
        self,
        work: Work,
        channel: ChannelFacts,
        items: Sequence[Item],
        adjustments: Sequence[Adjustment],
        address: Address,
        method: str,
    ) -> list[NewOrder]:
        shipping = {}
        for merchant, positions in parcels(items).items():
            mine = [items[i] for i in positions]
            weight, amount = sum(i.sold.weight_g * i.quantity for i in mine), sum(i.amount for i in mine)
            rate = await self._shipping.rate(work, method, address.country, channel.currency, max(weight, 1), amount)
            shipping[merchant] = rate.minor
        rates = await self._pricing.tax_rates(work, address.country)
        rates = rates or await self._pricing.tax_rates(work, channel.country)
        return orders(items, adjustments, shipping, rates, channel.tax_included)

    async def _tender(self, work: Work, command: PlaceOrder, total: int) -> Tender:
        if total == 0:
            return FREE
        if (command.payment_method_id is None) == (command.payment_token is None):
            raise PaymentNeeded()
        return await self._parts.payment.tender(work, command.payment_method_id, command.payment_token)

    def _state(
        self, work: Work, group: NewGroup, channel: ChannelFacts, intent: UUID, tender: Tender, risk: Risk
    ) -> saga.PurchaseState:
        picks = [
            ToPick(
                order_id=order.id,
                merchant_id=order.merchant_id,
                order_line_id=line.id,
                variant_id=line.variant_id,
                sku=line.sku,
                quantity=line.quantity,
            )
            for order in group.orders
            for line in order.lines
        ]
        return saga.PurchaseState(
            group_id=group.id,
            order_ids=[order.id for order in group.orders],
            intent_id=intent,
            amount=group.total,
            currency=group.currency,
            kind=tender.kind,
            token=tender.token,
            gift_card_id=tender.gift_card_id,
            risk=risk.decision,
            score=risk.score,
            placed_at=work.now,
            held_until=work.now + self._hold,
            capture=channel.policy.capture,
            shares=[Share(merchant_id=order.merchant_id, amount=order.total) for order in group.orders],
            picks=picks,
        )

    async def _hold_stock(self, work: Work, group_id: UUID, items: Sequence[Item]) -> None:
        wanted = {item.sold.variant_id: item.quantity for item in items}
        skus = {item.sold.variant_id: item.sold.sku for item in items}
        await self._parts.inventory.hold(work, group_id, wanted, skus)
