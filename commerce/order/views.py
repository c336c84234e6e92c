"""How an order is shown."""

from collections.abc import Sequence

from commerce.order.schemas import OrderLineView, OrderView, TotalsView
from commerce.order.tables import Order, OrderLine
from kernel.schemas import Address, money


def line_view(line: OrderLine, currency: str) -> OrderLineView:
    return OrderLineView(
        id=line.id,
        variant_id=line.variant_id,
        sku=line.sku,
        name=line.name,
        options=line.options,
        quantity=line.quantity,
        unit_price=money(line.unit_minor, currency),
        total=money(line.subtotal - line.discount, currency),
    )


def order_view(order: Order, lines: Sequence[OrderLine], address: Address | None) -> OrderView:
    currency = order.currency
    totals = TotalsView(
        subtotal=money(order.subtotal, currency),
        discount=money(order.discount, currency),
        shipping=money(order.shipping, currency),
        tax=money(order.tax, currency),
        total=money(order.total, currency),
        tax_included=order.tax_included,
    )
    return OrderView(
        id=order.id,
        group_id=order.group_id,
        number=order.number,
        merchant_id=order.merchant_id,
        status=order.status,
        payment_status=order.payment_status,
        fulfillment_status=order.fulfillment_status,
        lines=[line_view(line, currency) for line in lines],
        totals=totals,
        shipping_address=address,
        placed_at=order.placed_at,
    )
