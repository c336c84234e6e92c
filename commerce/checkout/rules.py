"""The quote as a pure function: what each merchant's order costs, with one rounding of tax per line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from uuid import UUID

from commerce.order import NewLine, NewOrder
from commerce.pricing import PriceFacts, tax_of
from commerce.product import Sellable
from commerce.promotion import Adjustment
from commerce.shipping import Rate
from commerce.shipping.schemas import RateView
from kernel.ids import new_id
from kernel.schemas import money

NO_TAX = Decimal(0)
SHIPPING_CLASS = "standard"
"""Tax class of shipping."""


@dataclass(frozen=True, slots=True)
class Item:
    """A cart line that can be bought: what it is, what one costs, how many are wanted, how many there are."""

    line_id: UUID
    sold: Sellable
    price: PriceFacts
    quantity: int
    available: int

    @property
    def amount(self) -> int:
        return self.price.unit_minor * self.quantity


def discounts(items: Sequence[Item], adjustments: Sequence[Adjustment]) -> list[int]:
    """What all codes together take off each line, minor units."""
    return [sum(a.lines[i] for a in adjustments) for i in range(len(items))]


def line_tax(item: Item, discount: int, rates: Mapping[str, Decimal], included: bool) -> int:
    return tax_of(item.amount - discount, rates.get(item.sold.tax_class, NO_TAX), included)


def parcels(items: Sequence[Item]) -> dict[UUID, list[int]]:
    """Positions of the lines of each merchant, merchants in id order: one order and one parcel each."""
    order = sorted(range(len(items)), key=lambda i: (items[i].sold.merchant_id, i))
    return {merchant: list(found) for merchant, found in groupby(order, key=lambda i: items[i].sold.merchant_id)}


def together(parcels: Sequence[Mapping[str, Rate]], currency: str, free: bool) -> list[RateView]:
    """The methods that carry every parcel, cheapest first; `parcels` are the rates of each by method."""
    both = [code for code in (parcels[0] if parcels else ()) if all(code in rates for rates in parcels)]
    found = [[rates[code] for rates in parcels] for code in both]
    views = [
        RateView(
            code=rates[0].code,
            name=rates[0].name,
            price=money(0 if free else sum(rate.minor for rate in rates), currency),
            min_days=max(rate.min_days for rate in rates),
            max_days=max(rate.max_days for rate in rates),
        )
        for rates in found
    ]
    return sorted(views, key=lambda view: (view.price.amount, view.code))


def orders(
    items: Sequence[Item],
    adjustments: Sequence[Adjustment],
    shipping: Mapping[UUID, int],
    rates: Mapping[str, Decimal],
    included: bool,
) -> list[NewOrder]:
    """One order per merchant. `shipping` is the price of each merchant's parcel, minor units; a code may make it free."""
    off = discounts(items, adjustments)
    free = any(a.free_shipping for a in adjustments)
    found = []
    for merchant, positions in parcels(items).items():
        parcel = 0 if free else shipping[merchant]
        lines = [_line(items[i], off[i], rates, included) for i in positions]
        tax = sum(line.tax for line in lines) + tax_of(parcel, rates.get(SHIPPING_CLASS, NO_TAX), included)
        goods = sum(line.subtotal - line.discount for line in lines)
        total = goods + parcel + (0 if included else tax)
        found.append(NewOrder(new_id(), merchant, parcel, tax, total, lines))
    return found


def _line(item: Item, discount: int, rates: Mapping[str, Decimal], included: bool) -> NewLine:
    sold = item.sold
    return NewLine(
        id=new_id(),
        variant_id=sold.variant_id,
        product_id=sold.product_id,
        sku=sold.sku,
        name=sold.name,
        options=sold.options,
        quantity=item.quantity,
        unit_minor=item.price.unit_minor,
        discount=discount,
        tax_rate=rates.get(sold.tax_class, NO_TAX),
        tax=line_tax(item, discount, rates, included),
    )
