"""What an order's lines and sums are once units of them became something else: a pure function, rounded as checkout does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from commerce.order.errors import UnknownOrderLine
from commerce.order.tables import Order, OrderLine
from commerce.pricing import tax_of
from commerce.product import titled
from kernel.ids import new_id


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a unit becomes. `tax_rate` is None where the line's own goes on (same product, same class)."""

    variant_id: UUID
    product_id: UUID
    sku: str
    name: str
    options: dict[str, str]
    unit_minor: int
    tax_rate: Decimal | None = None

    @property
    def title(self) -> str:
        return titled(self.name, self.options)


@dataclass(frozen=True, slots=True)
class Swap:
    """`quantity` units of a line become `to`."""

    line: OrderLine
    quantity: int
    to: Replacement


class LineAfter(BaseModel):
    """A line as a change leaves it; `fresh` when it was none before. Amounts are minor units."""

    id: UUID
    fresh: bool
    variant_id: UUID
    product_id: UUID
    sku: str
    name: str
    options: dict[str, str]
    quantity: int
    unit_minor: int
    discount: int
    tax_rate: Decimal
    tax: int

    @property
    def subtotal(self) -> int:
        return self.quantity * self.unit_minor


class OrderAfter(BaseModel):
    """The changed lines of an order, and its sums over all of them."""

    lines: list[LineAfter]
    subtotal: int
    discount: int
    tax: int
    total: int


def after(order: Order, lines: Sequence[OrderLine], swaps: Sequence[Swap]) -> OrderAfter:
    """`lines` are all of the order. A line keeps its place: what is left of it, or its first replacement, stays in it.

    A unit keeps its share of the line's discount, as far as its new price reaches."""
    by_line: dict[UUID, list[Swap]] = {}
    for swap in swaps:
        by_line.setdefault(swap.line.id, []).append(swap)
    changed = [part for line in lines if line.id in by_line for part in _split(order, line, by_line[line.id])]
    kept = [line for line in lines if line.id not in by_line]
    parts: list[LineAfter | OrderLine] = [*changed, *kept]
    subtotal, discount = sum(part.subtotal for part in parts), sum(part.discount for part in parts)
    tax = order.tax - sum(line.tax for line in lines) + sum(part.tax for part in parts)
    total = subtotal - discount + order.shipping + (0 if order.tax_included else tax)
    return OrderAfter(lines=changed, subtotal=subtotal, discount=discount, tax=tax, total=total)


def _split(order: Order, line: OrderLine, swaps: Sequence[Swap]) -> list[LineAfter]:
    left, share = line.quantity, line.discount
    fresh: list[LineAfter] = []
    for swap in swaps:
        part = share * swap.quantity // left
        left, share = left - swap.quantity, share - part
        to = swap.to
        rate = line.tax_rate if to.tax_rate is None else to.tax_rate
        fresh.append(_line(order, new_id(), _what(to), swap.quantity, to.unit_minor, part, rate))
    if left:
        kept = _line(order, line.id, _what(line), left, line.unit_minor, share, line.tax_rate)
    else:
        kept, *fresh = fresh
    return [kept.model_copy(update={"id": line.id, "fresh": False}), *fresh]


def _what(what: OrderLine | Replacement) -> Mapping[str, Any]:
    return {name: getattr(what, name) for name in ("variant_id", "product_id", "sku", "name", "options")}


def _line(
    order: Order, line_id: UUID, what: Mapping[str, Any], quantity: int, unit: int, discount: int, rate: Decimal
) -> LineAfter:
    off = min(discount, quantity * unit)
    tax = tax_of(quantity * unit - off, rate, order.tax_included)
    return LineAfter(
        id=line_id, fresh=True, quantity=quantity, unit_minor=unit, discount=off, tax_rate=rate, tax=tax, **what
    )


def paid_for(order: Order, line: OrderLine, cancelled: int) -> int:
    """What the first `cancelled` units of a line cost the customer, minor units: over all units it is the whole line."""
    net = line.subtotal - line.discount + (0 if order.tax_included else line.tax)
    return int(net * cancelled // line.quantity)


def taken(
    lines: Sequence[OrderLine],
    line_id: UUID | None,
    sku: str | None,
    quantity: int | None,
    gone: dict[UUID, int],
    whole: bool,
) -> list[tuple[OrderLine, int]]:
    """Units of an item, from the first lines on that still have them; `gone` counts what was taken before and grows.

    `quantity` None takes all. `whole` leaves out lines of which units were shipped or cancelled: those change no more.
    Raises UnknownOrderLine."""
    found: list[tuple[OrderLine, int]] = []
    wanted = quantity
    for line in lines:
        named = line.id == line_id if line_id else line.sku == (sku or "").upper()
        if not named or (whole and (line.shipped or line.cancelled)):
            continue
        free = line.quantity - line.cancelled - line.shipped - gone.get(line.id, 0)
        part = free if wanted is None else min(free, wanted)
        if part:
            found.append((line, part))
            gone[line.id] = gone.get(line.id, 0) + part
            wanted = None if wanted is None else wanted - part
    if wanted or not found:
        raise UnknownOrderLine(quantity=quantity or 1, item=sku or "that line")
    return found
