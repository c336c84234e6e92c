"""What refunds read of orders, and what they do to an order's payment status."""

from collections.abc import Sequence
from uuid import UUID

from commerce.order.errors import OrderNotFound
from commerce.order.permissions import READ_ORDERS
from commerce.order.tables import Order
from commerce.refund import PaidLine, PaidOrder
from kernel.db import Record, Work
from kernel.inbox import Delivery
from kernel.repository import Repository

_LINES = """
select l.id, l.name, l.quantity, l.cancelled, l.subtotal, l.discount, l.tax, l.refunded, g.channel_id
from order_lines l join orders o on o.id = l.order_id join order_groups g on g.id = o.group_id
where l.order_id = $1 order by l.id
"""

# $1 order: whether a change of it, or of how its purchase is paid, is on the way
_CHANGING = """
select exists (select from order_modifications m join orders o on o.group_id = m.group_id
               where o.id = $1 and m.status = 'requested' and (m.order_id = o.id or m.kind = 'payment'))
"""

# $1 orders, $2 what each got back, $3 now
_REFUNDED = """
update orders o set updated_at = $3,
       payment_status = case when r.amount >= o.total then 'refunded' else 'partially_refunded' end
from unnest($1::uuid[], $2::bigint[]) r(id, amount)
where o.id = r.id and o.payment_status in ('paid', 'partially_refunded')
"""


class OrdersPaid:
    """The port `refund.OrderFacts`, and the reaction to what refunds tell."""

    def __init__(self) -> None:
        self._orders = Repository(Order, "customer_id", "guest_key", "merchant_id")

    async def paid(self, work: Work, order_id: UUID) -> PaidOrder:
        """An order the caller may see, locked until the transaction ends. Raises OrderNotFound."""
        work.principal.require(READ_ORDERS)
        found = await self._orders.lock(work, [order_id])
        if not found:
            raise OrderNotFound()
        (order,) = found
        rows = await work.rows(_LINES, order_id)
        return PaidOrder(
            *(order.id, order.number, order.status, order.group_id, rows[0]["channel_id"], order.merchant_id),
            *(order.customer_id, order.guest_key, order.currency, order.tax_included, order.total, order.shipping),
            *(order.tax - sum(row["tax"] for row in rows), await work.value(_CHANGING, order_id)),
            [_line(row, order.tax_included) for row in rows],
        )

    async def refunded(self, work: Work, deliveries: Sequence[Delivery]) -> None:
        """Reaction to RefundSucceeded: the order's payment status says whether some or all of it went back."""
        latest = {UUID(str(d.message.payload["order_id"])): d.message.payload["order_refunded"] for d in deliveries}
        await work.run(_REFUNDED, list(latest), list(latest.values()), work.now)


def _line(row: Record, included: bool) -> PaidLine:
    """A line without its cancelled units: what they cost is gone, the rest is what its other units cost."""
    units = row["quantity"] - row["cancelled"]
    goods = row["subtotal"] - row["subtotal"] * row["cancelled"] // row["quantity"]
    tax = row["tax"] - row["tax"] * row["cancelled"] // row["quantity"]
    paid = row["subtotal"] - row["discount"] + (0 if included else row["tax"]) - row["refunded"]
    return PaidLine(row["id"], row["name"], units, goods, goods + (0 if included else tax) - paid, tax)
