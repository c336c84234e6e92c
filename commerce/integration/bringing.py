"""How a record becomes rows: through the services of the contexts they belong to, with its external id noted beside."""

import re
from collections.abc import Mapping
from uuid import UUID

from commerce.customer import CustomerService
from commerce.integration.errors import UnknownReference
from commerce.integration.schemas import CustomerRecord, OrderRecord, ProductRecord, Target
from commerce.inventory import InventoryService
from commerce.inventory import history as stock
from commerce.inventory.schemas import ReceiveStock
from commerce.order import history as orders
from commerce.order.history import PastLine, PastOrder
from commerce.payment import PaymentService
from commerce.payment.history import PastPayment
from commerce.pricing import ChannelFacts, PricingService
from commerce.pricing.schemas import SetPrice
from commerce.product import ProductService
from commerce.product.errors import UnknownCategory
from commerce.product.schemas import CreateCategory, CreateProduct, NewVariant
from commerce.shipping import Sending, Shipments
from commerce.warehouse import ToPick, WarehouseService
from kernel.db import Work
from kernel.ids import new_id

OPEN = frozenset({"open", "packed"})
"""Orders whose units lie set aside."""

_VARIANTS = """
select v.id, v.product_id, v.sku, v.options, p.name from product_variants v join products p on p.id = v.product_id
where v.sku = any($1) and p.merchant_id = $2
"""

_REFER = """
insert into integration_external_references (source, kind, external_id, internal_id, job_id) values ($1, $2, $3, $4, $5)
"""


class Bringing:
    def __init__(
        self,
        customer: CustomerService,
        product: ProductService,
        pricing: PricingService,
        inventory: InventoryService,
        payment: PaymentService,
        warehouse: WarehouseService,
        shipments: Shipments,
    ) -> None:
        self._customer = customer
        self._product = product
        self._pricing = pricing
        self._inventory = inventory
        self._payment = payment
        self._warehouse = warehouse
        self._shipments = shipments

    async def channel_id(self, work: Work, code: str) -> UUID:
        return (await self._pricing.channel(work, code)).id

    async def ours(self, work: Work, source: str, kind: str, external_id: str) -> UUID | None:
        found: UUID | None = await work.value(
            "select internal_id from integration_external_references "
            "where source = $1 and kind = $2 and external_id = $3",
            *(source, kind, external_id),
        )
        return found

    async def known(self, work: Work, target: Target, record: ProductRecord | CustomerRecord | OrderRecord) -> bool:
        """Whether it was brought in before."""
        return await self.ours(work, target.source, record.type, record.id) is not None

    async def take(self, work: Work, target: Target, record: ProductRecord | CustomerRecord | OrderRecord) -> None:
        """Writes all of a record. Raises what its context refuses, and UnknownReference."""
        if isinstance(record, ProductRecord):
            await self._take_product(work, target, record)
        elif isinstance(record, CustomerRecord):
            await self._take_customer(work, target, record)
        else:
            await self._take_order(work, target, record)

    async def _refer(self, work: Work, target: Target, kind: str, external_id: str, ours: UUID) -> None:
        await work.run(_REFER, target.source, kind, external_id, ours, target.job_id)

    async def _needed(self, work: Work, target: Target, kind: str, external_id: str) -> UUID:
        found = await self.ours(work, target.source, kind, external_id)
        if found is None:
            raise UnknownReference(kind=kind.replace("_", " "), name=external_id, source=target.source)
        return found

    # --- products ---

    async def _take_product(self, work: Work, target: Target, record: ProductRecord) -> None:
        channel, category = await self._pricing.channel(work, target.channel), slug_of(record.category)
        try:
            await self._product.category(work, category)
        except UnknownCategory:
            await self._product.create_category(work, CreateCategory(slug=category, name=record.category))
        variants = [NewVariant(sku=v.sku, options=v.options, weight_g=v.weight_g) for v in record.variants]
        command = CreateProduct(
            merchant_id=target.merchant_id,
            slug=slug_of(f"{record.name} {record.id}"),
            name=record.name,
            description=record.description or record.name,
            category=category,
            variants=variants,
        )
        product, made = await self._product.create(work, command)
        await self._refer(work, target, "product", record.id, product)
        for variant in record.variants:
            ours = made[variant.sku]
            price = SetPrice(variant_id=ours, channel=target.channel, minor=variant.price)
            await self._pricing.set_price(work, price)
            if variant.stock:
                units = ReceiveStock(location_id=target.location_id, variant_id=ours, quantity=variant.stock)
                await self._inventory.receive(work, units)
            await self._refer(work, target, "variant", variant.id, ours)
        await self._product.publish(work, product, channel)

    # --- customers ---

    async def _take_customer(self, work: Work, target: Target, record: CustomerRecord) -> None:
        channel = await self._pricing.channel(work, target.channel)
        customer = await self._customer.bring_in(
            work, record.email, record.first_name, record.last_name, record.address
        )
        await self._refer(work, target, "customer", record.id, customer)
        for method in record.payment_methods:
            ours = await self._payment.history.add_method(work, customer, method, channel.currency)
            await self._refer(work, target, "payment_method", method.id, ours)

    # --- orders ---

    async def _take_order(self, work: Work, target: Target, record: OrderRecord) -> None:
        channel = await self._pricing.channel(work, target.channel)
        customer = await self._needed(work, target, "customer", record.customer)
        order = await self._order(work, target, channel, customer, record)
        await orders.bring_in(work, order)
        await self._refer(work, target, "order", record.id, order.id)
        payments = [
            PastPayment(p.kind, p.amount, await self._needed(work, target, "payment_method", p.method))
            for p in record.payments
        ]
        await self._payment.history.bring_in(
            work, order.group_id, customer, target.merchant_id, channel.currency, payments
        )
        for parcel in record.parcels:
            lines = {order.lines[n].id: order.lines[n].quantity for n in parcel.lines if n < len(order.lines)}
            arrived = record.status == "delivered"
            sending = Sending(order.id, order.group_id, order.merchant_id, lines, "standard", parcel.tracking)
            await self._shipments.bring_in(work, sending, arrived)
        if record.status in OPEN:
            await self._set_aside(work, target, order)

    async def _order(
        self, work: Work, target: Target, channel: ChannelFacts, customer: UUID, record: OrderRecord
    ) -> PastOrder:
        skus = [line.sku for line in record.lines]
        sold = {row["sku"]: row for row in await work.rows(_VARIANTS, skus, target.merchant_id)}
        lines = []
        for line in record.lines:
            row = sold.get(line.sku)
            if row is None:
                raise UnknownReference(kind="variant", name=line.sku, source=target.source)
            name, options = line.name or row["name"], row["options"] if line.options is None else line.options
            ids = (new_id(), row["id"], row["product_id"], line.sku)
            lines.append(PastLine(*ids, name, options, line.quantity, line.price))
        contact = await self._customer.contacts(work, [customer])
        return PastOrder(
            id=new_id(),
            group_id=new_id(),
            number=record.number,
            channel_id=channel.id,
            customer_id=customer,
            merchant_id=target.merchant_id,
            email=contact[customer].email,
            currency=channel.currency,
            status=record.status,
            cancel_reason=record.cancel_reason,
            placed_at=record.placed_at or work.now,
            address=record.address,
            lines=lines,
        )

    async def _set_aside(self, work: Work, target: Target, order: PastOrder) -> None:
        """Units of an open order come with it; one that is not packed is still to be picked."""
        await stock.set_aside(work, order.group_id, target.location_id, _by_variant(order))
        if order.status == "open":
            picks = [
                ToPick(
                    order_id=order.id,
                    merchant_id=order.merchant_id,
                    order_line_id=line.id,
                    variant_id=line.variant_id,
                    sku=line.sku,
                    quantity=line.quantity,
                )
                for line in order.lines
            ]
            await self._warehouse.create_picks(work, order.group_id, picks)


def slug_of(text: str) -> str:
    """A name as a part of an address: small letters, digits and hyphens."""
    found = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:80]
    return found if len(found) > 1 else f"x-{found}"


def _by_variant(order: PastOrder) -> Mapping[UUID, int]:
    units: dict[UUID, int] = {}
    for line in order.lines:
        units[line.variant_id] = units.get(line.variant_id, 0) + line.quantity
    return units
