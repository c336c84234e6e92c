"""Orders as files: one row per line as CSV, one order per line as JSON. Pure: a page of orders becomes bytes."""

import csv
import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from commerce.order.schemas import OrderView
from kernel.money import CURRENCIES
from kernel.schemas import MoneyView

Format = Literal["csv", "jsonl"]
MEDIA = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
COLUMNS = (
    "order", "placed_at", "status", "payment_status", "fulfillment_status", "sku", "name", "options", "quantity",
    "cancelled", "shipped", "unit_price", "line_total", "order_total", "currency",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def header(form: Format) -> bytes:
    return _csv([COLUMNS]) if form == "csv" else b""


def exported(form: Format, orders: Sequence[OrderView]) -> bytes:
    if form == "jsonl":
        return b"".join(order.model_dump_json().encode() + b"\n" for order in orders)
    return _csv([row for order in orders for row in _rows(order)])


def _rows(order: OrderView) -> list[tuple[str, ...]]:
    before = (order.number, order.placed_at.isoformat(), order.status, order.payment_status, order.fulfillment_status)
    return [
        (
            *before,
            *(line.sku, line.name, ", ".join(f"{name}: {value}" for name, value in line.options.items())),
            *(str(line.quantity), str(line.cancelled), str(line.shipped)),
            *(_amount(line.unit_price), _amount(line.total), _amount(order.totals.total), line.unit_price.currency),
        )
        for line in order.lines
    ]


def _amount(money: MoneyView) -> str:
    digits = CURRENCIES.get(money.currency, 2)
    return f"{Decimal(money.amount).scaleb(-digits):.{digits}f}"


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    """A cell that a spreadsheet would run as a formula is given as text."""
    out = io.StringIO()
    csv.writer(out).writerows([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row] for row in rows)
    return out.getvalue().encode()
