"""Orders from before, brought in as they were: nothing is charged, held or picked for what is over already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from kernel.db import Work
from kernel.schemas import Address

PastStatus = Literal["open", "packed", "shipped", "delivered", "cancelled"]
STATES: dict[PastStatus, tuple[str, str, str]] = {
    "open": ("confirmed", "picking", "paid"),
    "packed": ("processing", "packed", "paid"),
    "shipped": ("shipped", "shipped", "paid"),
    "delivered": ("delivered", "delivered", "paid"),
    "cancelled": ("cancelled", "unfulfilled", "refunded"),
}
"""What a status from before is here: the order's own, its parcel's, its payment's."""
SENT = frozenset({"shipped", "delivered"})


@dataclass(frozen=True, slots=True)
class PastLine:
    """A line that was sold, without tax on it and without a discount; amounts in minor units."""

    id: UUID
    variant_id: UUID
    product_id: UUID
    sku: str
    name: str
    options: dict[str, str]
    quantity: int
    unit_minor: int


@dataclass(frozen=True, slots=True)
class PastOrder:
    """An order of one merchant; it is a purchase by itself."""

    id: UUID
    group_id: UUID
    number: str
    channel_id: UUID
    customer_id: UUID
    merchant_id: UUID
    email: str
    currency: str
    status: PastStatus
    cancel_reason: str | None
    placed_at: datetime
    address: Address
    lines: Sequence[PastLine]

    @property
    def total(self) -> int:
        return sum(line.quantity * line.unit_minor for line in self.lines)


# $1 group, $2 channel, $3 customer, $4 email, $5 currency, $6 total, $7 placed, $8 order, $9 number, $10 merchant,
# $11 status, $12 parcel status, $13 payment status, $14 now, address $15-$21, lines: $22 ids, $23 variants, $24 products,
# $25 skus, $26 names, $27 options, $28 quantities, $29 units, $30 sent, $31 cancelled, $32 cancel reason, $33 actor
_WRITE = """
with grouped as (
  insert into order_groups (id, channel_id, customer_id, guest_key, email, status, currency, total, shipping_method,
                            failure, placed_at, updated_at)
  values ($1, $2, $3, null, $4, case when $31 then 'cancelled' else 'confirmed' end, $5, $6, 'standard', null, $7, $14)
), addressed as (
  insert into order_addresses (group_id, name, line1, line2, city, region, postal_code, country, updated_at)
  values ($1, $15, $16, $17, $18, $19, $20, $21, $7)
), ordered as (
  insert into orders (id, number, group_id, merchant_id, customer_id, guest_key, status, payment_status,
                      fulfillment_status, currency, tax_included, subtotal, discount, shipping, tax, total, placed_at,
                      updated_at)
  values ($8, $9, $1, $10, $3, null, $11, $13, $12, $5, true, $6, 0, 0, 0, $6, $7, $14)
), tracked as (
  insert into order_delivery_tracking (order_id, shipped_at, delivered_at)
  select $8, $14, case when $11 = 'delivered' then $14::timestamptz end where $30
), closed as (
  insert into order_cancellations (order_id, reason, actor, status, requested_at, updated_at)
  select $8, $32, $33, 'done', $14, $14 where $31 and $32::text is not null
)
insert into order_lines (id, order_id, variant_id, product_id, sku, name, options, quantity, unit_minor, subtotal,
                         discount, tax_rate, tax, shipped, cancelled, refunded)
select l.id, $8, l.variant_id, l.product_id, l.sku, l.name, l.options, l.quantity, l.unit_minor, l.quantity * l.unit_minor,
       0, 0, 0, case when $30 then l.quantity else 0 end, case when $31 then l.quantity else 0 end,
       case when $31 then l.quantity * l.unit_minor else 0 end
from unnest($22::uuid[], $23::uuid[], $24::uuid[], $25::text[], $26::text[], $27::jsonb[], $28::bigint[], $29::bigint[])
  l(id, variant_id, product_id, sku, name, options, quantity, unit_minor)
"""


async def bring_in(work: Work, order: PastOrder) -> None:
    """Writes an order with its lines, address and delivery in one statement. Tells nobody: it happened long ago."""
    to, lines, cancelled = order.address, order.lines, order.status == "cancelled"
    await work.run(
        _WRITE,
        *(order.group_id, order.channel_id, order.customer_id, order.email, order.currency, order.total),
        *(order.placed_at, order.id, order.number, order.merchant_id, *STATES[order.status], work.now),
        *(to.name, to.line1, to.line2, to.city, to.region, to.postal_code, to.country),
        *([line.id for line in lines], [line.variant_id for line in lines], [line.product_id for line in lines]),
        *([line.sku for line in lines], [line.name for line in lines], [line.options for line in lines]),
        *([line.quantity for line in lines], [line.unit_minor for line in lines]),
        *(order.status in SENT, cancelled, order.cancel_reason, work.principal.subject),
    )
