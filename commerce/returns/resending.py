"""A lost parcel goes out again: its units become a purchase that costs nothing, picked and sent like any other."""

from uuid import UUID

from commerce.approval import Accepted, Draft, Kind, Policy
from commerce.inventory import InventoryService
from commerce.order import FulfillmentService, NewGroup, NewLine, NewOrder, OrderService, SentLine
from commerce.payment import GatewayAnswer, PaymentService, Share, Tender
from commerce.refund import OrderFacts, PaidOrder, RefundService
from commerce.returns.errors import NothingLost, ParcelNotLost
from commerce.returns.exchange import for_owner
from commerce.shipping import Shipments, ShipmentView
from commerce.shipping.permissions import CARE
from commerce.shipping.rules import LOST_STATES
from commerce.warehouse import ToPick, WarehouseService
from kernel.db import Work
from kernel.ids import new_id, public
from kernel.money import Money
from kernel.tables import Json

KIND = "shipping.resend"
POLICY = Policy(
    accept_most=5_000,
    two_from=100_000,
    most=1_000_000,
    party_most_a_day=20_000,
    agent_most_a_day=500_000,
    minutes=4_320,
)
"""What is worth fifty units of the currency goes out again at once; people decide from there on."""


class Resending:
    def __init__(
        self,
        order: OrderService,
        orders: OrderFacts,
        fulfillment: FulfillmentService,
        inventory: InventoryService,
        warehouse: WarehouseService,
        payment: PaymentService,
        refund: RefundService,
        shipments: Shipments,
    ) -> None:
        self._order = order
        self._orders = orders
        self._fulfillment = fulfillment
        self._inventory = inventory
        self._warehouse = warehouse
        self._payment = payment
        self._refund = refund
        self._shipments = shipments

    @property
    def kind(self) -> Kind:
        return Kind(KIND, CARE, ("resend",), POLICY, self.carry_out)

    async def draft(self, work: Work, shipment_id: UUID) -> Draft:
        """A proposal to send a lost parcel's units again, at what the customer paid for them.

        Raises UnknownParcel, ParcelNotLost, NothingLost."""
        work.principal.require(CARE)
        shipment = await self._lost(work, shipment_id)
        order = await self._orders.paid(work, shipment.order_id)
        worth = sum((await self._worth(work, order, shipment)).values())
        if not worth:
            raise NothingLost()
        count = sum(line.quantity for line in shipment.lines)
        return Draft(
            kind=KIND,
            object=public("shp", shipment_id),
            stance="resend",
            arguments={"shipment_id": str(shipment_id)},
            amount=Money(worth, order.currency),
            summary=f"Send the {count} {'unit' if count == 1 else 'units'} of a lost parcel of order {order.number} again, "
            f"worth {Money(worth, order.currency)}.",
            customer_id=order.customer_id,
            merchant_id=order.merchant_id,
        )

    async def carry_out(self, work: Work, accepted: Accepted) -> Json:
        """The purchase of the same units, paid with nothing, to be picked. Raises ParcelNotLost, InsufficientStock."""
        shipment = await self._lost(work, UUID(accepted.arguments["shipment_id"]))
        order = await self._orders.paid(work, shipment.order_id)
        sent = await self._fulfillment.sent(work, order.id)
        worth = await self._worth(work, order, shipment)
        lines = [_line(sent.lines[one.order_line_id], one.quantity, worth[one.order_line_id]) for one in shipment.lines]
        placed = NewOrder(new_id(), order.merchant_id, 0, 0, 0, lines)
        group = NewGroup(
            *(accepted.id, order.channel_id, sent.email, order.currency, order.tax_included),
            *(sent.shipping_method, sent.address, [placed]),
        )
        await self._place(work, order, group)
        if not await self._shipments.replaced(work, shipment.id, group.id):
            raise ParcelNotLost()
        await self._set_aside(work, group.id, lines)
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
        return {"parcel": public("shp", shipment.id), "purchase": public("grp", group.id)}

    # --- inside ---

    async def _lost(self, work: Work, shipment_id: UUID) -> ShipmentView:
        shipment = await self._shipments.get(work, shipment_id)
        if shipment.status not in LOST_STATES or shipment.replaced:
            raise ParcelNotLost()
        return shipment

    async def _worth(self, work: Work, order: PaidOrder, shipment: ShipmentView) -> dict[UUID, int]:
        """What each line's lost units cost the customer, as far as it was not given back; minor units."""
        return {
            line.order_line_id: await self._refund.worth(work, order, {line.order_line_id: line.quantity})
            for line in shipment.lines
        }

    async def _place(self, work: Work, order: PaidOrder, group: NewGroup) -> None:
        """Placed as its owner's, paid with nothing, confirmed."""
        nothing, ids = Money(0, order.currency), [placed.id for placed in group.orders]
        caller, work.principal = work.principal, for_owner(work.principal, order.customer_id, order.guest_key)
        await self._order.place(work, group)
        intent, _ = await self._payment.open(work, group.id, nothing, Tender("free"))
        work.principal = caller
        paid, key = GatewayAnswer("succeeded", "free"), group.id.hex
        await self._payment.authorised(work, intent, group.id, nothing, f"{key}.charge", paid)
        shares = [Share(merchant_id=order.merchant_id, amount=0)]
        await self._payment.captured(work, intent, group.id, nothing, shares, f"{key}.capture", "free")
        await self._order.confirm(work, group.id, ids, 0, order.currency)
        await self._order.picking(work, group.id, ids, nothing)

    async def _set_aside(self, work: Work, group_id: UUID, lines: list[NewLine]) -> None:
        wanted: dict[UUID, int] = {}
        for line in lines:
            wanted[line.variant_id] = wanted.get(line.variant_id, 0) + line.quantity
        await self._inventory.hold(work, group_id, wanted, {line.variant_id: line.sku for line in lines})
        await self._inventory.allocate(work, group_id)


def _line(sent: SentLine, quantity: int, worth: int) -> NewLine:
    """The same units at what they were worth, all of it off."""
    unit = worth // quantity
    return NewLine(
        id=new_id(),
        variant_id=sent.variant_id,
        product_id=sent.product_id,
        sku=sent.sku,
        name=sent.name,
        options=sent.options,
        quantity=quantity,
        unit_minor=unit,
        discount=unit * quantity,
        tax_rate=sent.tax_rate,
        tax=0,
    )
