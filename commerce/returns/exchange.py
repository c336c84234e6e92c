"""Exchanges: what a replacement costs more or less, its units set aside, and the purchase it becomes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from commerce.inventory import InventoryService
from commerce.order import NewGroup, NewLine, NewOrder, OrderService, SentOrder
from commerce.payment import PaymentService
from commerce.payment.credit import Credit
from commerce.pricing import ChannelFacts, PricingService, tax_of
from commerce.product import ProductService, Sellable
from commerce.refund import PaidOrder, RefundService
from commerce.returns import rules
from commerce.returns.errors import NotForSale, OtherProduct, SettlementNeeded
from commerce.returns.schemas import ReturnUnits
from commerce.returns.tables import ReturnRequest
from commerce.warehouse import ToPick, WarehouseService
from kernel.auth import Principal
from kernel.db import Record, Work
from kernel.ids import new_id
from kernel.money import Money


@dataclass(frozen=True, slots=True)
class Swap:
    """Units of an order line for as many of another variant, at `unit_minor` each."""

    order_line_id: UUID
    wanted: Sellable
    quantity: int
    unit_minor: int
    paid: rules.Replacement

    @property
    def difference(self) -> int:
        """What the customer pays (or, when negative, gets), minor units."""
        return self.paid.due - self.paid.back


class Exchanges:
    def __init__(
        self,
        order: OrderService,
        pricing: PricingService,
        product: ProductService,
        inventory: InventoryService,
        warehouse: WarehouseService,
        payment: PaymentService,
        refund: RefundService,
    ) -> None:
        self._order = order
        self._pricing = pricing
        self._product = product
        self._inventory = inventory
        self._warehouse = warehouse
        self._payment = payment
        self._refund = refund
        self._credit = Credit()

    async def plan(
        self, work: Work, order: PaidOrder, sent: SentOrder, channel: ChannelFacts, lines: Sequence[ReturnUnits]
    ) -> list[Swap]:
        """Each line's replacement at today's price. Raises NotForSale, OtherProduct."""
        wanted = {line.replacement_id: 1 for line in lines if line.replacement_id}
        offers = await self._product.offers(work, channel, wanted)
        swaps = []
        for line in lines:
            offer = offers.get(line.replacement_id) if line.replacement_id else None
            if offer is None:
                raise NotForSale()
            found, price = offer.sold, offer.price
            if found.product_id != sent.lines[line.order_line_id].product_id:
                raise OtherProduct()
            swaps.append(
                await self._swap(work, order, sent, line.order_line_id, found, line.quantity, price.unit_minor)
            )
        return swaps

    async def replan(
        self, work: Work, order: PaidOrder, sent: SentOrder, channel: ChannelFacts, lines: Sequence[Record]
    ) -> list[Swap]:
        """The same for the units that passed, at the price that was offered; `lines` are rows of the return's lines."""
        names = await self._product.names(work, [row["replacement_id"] for row in lines])
        swaps = []
        for row in lines:
            sku, name, options = names[row["replacement_id"]]
            wanted = Sellable(
                row["replacement_id"], row["product_id"], order.merchant_id, channel.id, sku, name, options, 0, ""
            )
            if row["passed"]:
                swap = await self._swap(
                    work, order, sent, row["order_line_id"], wanted, row["passed"], row["unit_minor"]
                )
                swaps.append(swap)
        return swaps

    async def _swap(
        self, work: Work, order: PaidOrder, sent: SentOrder, line_id: UUID, wanted: Sellable, quantity: int, unit: int
    ) -> Swap:
        credit = await self._refund.worth(work, order, {line_id: quantity})
        subtotal, included = unit * quantity, order.tax_included
        tax = tax_of(subtotal, sent.lines[line_id].tax_rate, included)
        return Swap(line_id, wanted, quantity, unit, rules.replace(subtotal, tax, credit, included))

    async def check_method(self, work: Work, order: PaidOrder, method_id: UUID | None, difference: int) -> None:
        """The named method is the customer's and covers the difference, as far as that can be known now.

        Raises SettlementNeeded."""
        if difference == 0 or (difference < 0 and method_id is None):
            return
        if method_id is None or not await self._credit.covers(
            work, order.customer_id, method_id, difference, order.currency
        ):
            raise SettlementNeeded(difference=str(Money(abs(difference), order.currency)))

    async def set_aside(self, work: Work, replacement_id: UUID, swaps: Sequence[Swap]) -> None:
        """Allocates the replacements' units to the purchase they will become. Raises InsufficientStock at the end."""
        wanted: dict[UUID, int] = {}
        for swap in swaps:
            wanted[swap.wanted.variant_id] = wanted.get(swap.wanted.variant_id, 0) + swap.quantity
        skus = {swap.wanted.variant_id: swap.wanted.sku for swap in swaps}
        await self._inventory.hold(work, replacement_id, wanted, skus)
        await self._inventory.allocate(work, replacement_id)

    async def become(
        self, work: Work, request: ReturnRequest, order: PaidOrder, sent: SentOrder, swaps: Sequence[Swap]
    ) -> None:
        """The purchase of the replacements: placed, confirmed and to be picked; the customer's own."""
        assert request.replacement_id is not None
        lines = [_line(swap, sent) for swap in swaps]
        tax, due = sum(line.tax for line in lines), sum(swap.paid.due for swap in swaps)
        placed = NewOrder(new_id(), order.merchant_id, 0, tax, due, lines)
        group = NewGroup(
            *(request.replacement_id, order.channel_id, sent.email, order.currency, order.tax_included),
            *(sent.shipping_method, sent.address, [placed]),
        )
        caller, work.principal = work.principal, for_owner(work.principal, order.customer_id, order.guest_key)
        await self._order.place(work, group)
        work.principal = caller
        await self._order.confirm(work, group.id, [placed.id], due, order.currency)
        await self._order.picking(work, group.id, [placed.id], Money(due, order.currency))
        picks = [
            ToPick(
                order_id=placed.id,
                merchant_id=order.merchant_id,
                order_line_id=line.id,
                variant_id=line.variant_id,
                sku=line.sku,
                quantity=line.quantity,
            )
            for line in lines
        ]
        await self._warehouse.create_picks(work, group.id, picks)


def for_owner(principal: Principal, customer_id: UUID | None, guest_key: bytes | None) -> Principal:
    """The system, writing rows that belong to a customer or guest."""
    return replace(principal, customer_id=customer_id, guest_key=guest_key)


def _line(swap: Swap, sent: SentOrder) -> NewLine:
    wanted = swap.wanted
    return NewLine(
        id=new_id(),
        variant_id=wanted.variant_id,
        product_id=wanted.product_id,
        sku=wanted.sku,
        name=wanted.name,
        options=wanted.options,
        quantity=swap.quantity,
        unit_minor=swap.unit_minor,
        discount=swap.paid.discount,
        tax_rate=sent.lines[swap.order_line_id].tax_rate,
        tax=swap.paid.tax,
    )
