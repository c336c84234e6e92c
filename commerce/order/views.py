"""How an order is shown."""

from collections.abc import Sequence
from uuid import UUID

from commerce.order.schemas import OrderLineView, OrderView, Told, ToldLine, TotalsView
from commerce.order.tables import Order
from kernel.db import Record
from kernel.schemas import Address, money


def line_view(line: Record, currency: str) -> OrderLineView:
    return OrderLineView(
        id=line["id"],
        variant_id=line["variant_id"],
        sku=line["sku"],
        name=line["name"],
        options=line["options"],
        quantity=line["quantity"],
        unit_price=money(line["unit_minor"], currency),
        total=money(line["subtotal"] - line["discount"], currency),
        cancelled=line["cancelled"],
        shipped=line["shipped"],
    )


def address_of(line: Record) -> Address:
    fields = ("line1", "line2", "city", "region", "postal_code", "country")
    return Address.model_construct(name=line["to_name"], **{field: line[field] for field in fields})


def order_view(order: Order, lines: Sequence[Record]) -> OrderView:
    """`lines` are rows of `statements.LINES`."""
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
        shipping_address=address_of(lines[0]) if lines and lines[0]["line1"] is not None else None,
        items_modified=any(line["modification_id"] for line in lines),
        placed_at=order.placed_at,
    )


def told(row: Record) -> Told:
    """A row of `statements.TOLD` as the facts a message is written from."""
    orders = [(UUID(merchant), number, status) for merchant, number, status in row["orders"]]
    return Told(
        group_id=row["id"],
        customer_id=row["customer_id"],
        email=row["email"],
        name=row["name"],
        numbers={merchant: number for merchant, number, _ in orders},
        total=row["total"],
        currency=row["currency"],
        paid=any(status not in ("pending", "failed") for _, _, status in orders),
        address=", ".join((row["line1"], f"{row['postal_code']} {row['city']}", row["country"])),
        lines=[ToldLine(name, ", ".join(options.values()), quantity) for name, options, quantity in row["lines"]],
    )
