"""Carts: what somebody means to buy, always shown at today's prices."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from commerce.checkout import statements
from commerce.checkout.errors import (
    CartClosed,
    CartFull,
    NotEnoughToAdd,
    UnknownCart,
    UnknownLine,
    VariantNotForSale,
)
from commerce.checkout.permissions import BUY
from commerce.checkout.rules import Item, discounts, line_tax
from commerce.checkout.schemas import (
    AddCoupon,
    AddLine,
    CartLineView,
    CartTotals,
    CartView,
    ChangeCart,
    ChangeLine,
    CouponView,
    CreateCart,
)
from commerce.pricing import ChannelFacts, PricingService
from commerce.product import ProductService
from commerce.promotion import Adjustment, PromotionService
from kernel.consent import demand
from kernel.db import Work, law
from kernel.errors import Unauthenticated
from kernel.ids import new_id
from kernel.money import Money
from kernel.schemas import money

LINE_MOST = 9999
"""Units of one line (a constraint of the table)."""


@dataclass(slots=True)
class CartLine:
    id: UUID
    variant_id: UUID
    quantity: int


@dataclass(slots=True)
class CartState:
    """A cart as read; while it is locked nobody else changes it."""

    id: UUID
    channel_id: UUID
    customer_id: UUID | None
    guest_key: bytes | None
    email: str | None
    status: str
    lines: list[CartLine] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)


class CartService:
    def __init__(
        self,
        pricing: PricingService,
        product: ProductService,
        promotion: PromotionService,
    ) -> None:
        self._pricing = pricing
        self._product = product
        self._promotion = promotion

    async def create(self, work: Work, command: CreateCart) -> CartView:
        """An empty cart of the caller, who is a customer or holds a guest's token.

        Raises Unauthenticated, UnknownChannel, UnknownCurrency."""
        work.principal.require(BUY)
        who = work.principal
        if who.customer_id is None and who.guest_key is None:
            raise Unauthenticated()
        channel = await self._pricing.channel_for(work, command.channel, command.currency)
        cart = CartState(new_id(), channel.id, who.customer_id, who.guest_key, command.email, "open")
        await work.run(
            statements.CREATE, cart.id, channel.id, cart.customer_id, cart.guest_key, command.email, work.now
        )
        return _view(cart, channel, [], [], [], {})

    async def current(self, work: Work) -> CartView:
        """The caller's newest open cart; an empty one is made where there is none."""
        work.principal.require(BUY)
        who = work.principal
        cart_id = await work.value(statements.NEWEST, who.customer_id, who.guest_key)
        return await self.get(work, cart_id) if cart_id else await self.create(work, CreateCart())

    async def newest(self, work: Work) -> CartState | None:
        """The caller's newest open cart as it is; None where there is none."""
        work.principal.require(BUY)
        who = work.principal
        cart_id = await work.value(statements.NEWEST, who.customer_id, who.guest_key)
        return await self._read(work, statements.READ, cart_id) if cart_id else None

    @staticmethod
    def line_of(cart: CartView, sku: str) -> UUID:
        """The line of a SKU in a cart. Raises UnknownLine."""
        for line in cart.lines:
            if line.sku == sku.strip().upper():
                return line.id
        raise UnknownLine()

    async def get(self, work: Work, cart_id: UUID) -> CartView:
        work.principal.require(BUY)
        return await self._show(work, await self._read(work, statements.READ, cart_id))

    async def change(self, work: Work, cart_id: UUID, command: ChangeCart) -> CartView:
        """Notes the e-mail address a guest wants to be written to."""
        cart = await self.open(work, cart_id)
        cart.email = command.email
        await work.run("update carts set email = $2, updated_at = $3 where id = $1", cart.id, command.email, work.now)
        return await self._show(work, cart)

    async def add(self, work: Work, cart_id: UUID, command: AddLine) -> CartView:
        """Adds units of a variant, to its line when there is one.

        Raises VariantNotForSale (also for a variant of another channel or currency), NotEnoughToAdd, CartFull."""
        work.principal.require(BUY)
        with _line_laws():
            cart = await self._read(work, statements.ADD, cart_id, new_id(), command.variant_id, command.quantity)
        if cart.status != "open":
            raise CartClosed()
        channel = await self._pricing.channel_by_id(work, cart.channel_id)
        most = channel.policy.cart_lines_most
        if len(cart.lines) > most:
            raise CartFull(most=most)
        line = next(x for x in cart.lines if x.variant_id == command.variant_id)
        return await self._checked(work, cart, channel, line)

    async def change_line(self, work: Work, cart_id: UUID, line_id: UUID, command: ChangeLine) -> CartView:
        cart = await self.open(work, cart_id)
        line = _line(cart, line_id)
        line.quantity = command.quantity
        with _line_laws():
            await work.run(statements.SET_LINE, line_id, command.quantity)
        return await self._checked(work, cart, await self._pricing.channel_by_id(work, cart.channel_id), line)

    async def remove_line(self, work: Work, cart_id: UUID, line_id: UUID) -> CartView:
        cart = await self.open(work, cart_id)
        line = _line(cart, line_id)
        sku, name, _ = (await self._product.names(work, [line.variant_id]))[line.variant_id]
        await demand(work, "cart.remove", f"Take {name} ({sku}) out of your cart?", line=line_id)
        cart.lines.remove(line)
        await work.run("delete from cart_lines where id = $1", line_id)
        return await self._show(work, cart)

    async def add_coupon(self, work: Work, cart_id: UUID, command: AddCoupon) -> CartView:
        """Enters a code. Raises UnknownCoupon, CouponExpired, CouponUsedUp, CouponAlreadyUsed."""
        cart = await self.open(work, cart_id)
        coupon = await self._promotion.check(work, command.code)
        await demand(work, "cart.coupon", f"Use the coupon {coupon.code} ({coupon.name})?", coupon=coupon.code)
        if coupon.code not in cart.codes:
            cart.codes.append(coupon.code)
            await work.run("insert into cart_adjustments (cart_id, code) values ($1, $2)", cart.id, coupon.code)
        return await self._show(work, cart)

    async def remove_coupon(self, work: Work, cart_id: UUID, code: str) -> CartView:
        cart = await self.open(work, cart_id)
        await work.run("delete from cart_adjustments where cart_id = $1 and code = $2", cart.id, code.upper())
        cart.codes = [kept for kept in cart.codes if kept != code.upper()]
        return await self._show(work, cart)

    # --- what checkout builds on ---

    async def open(self, work: Work, cart_id: UUID) -> CartState:
        """The caller's cart, locked. Raises UnknownCart (also for somebody else's), CartClosed."""
        work.principal.require(BUY)
        cart = await self._read(work, statements.LOCK, cart_id)
        if cart.status != "open":
            raise CartClosed()
        return cart

    async def items(self, work: Work, channel: ChannelFacts, lines: Sequence[CartLine]) -> list[Item]:
        """Those lines that the channel sells now, with what they are and cost."""
        if not lines:
            return []
        offers = await self._product.offers(work, channel, {line.variant_id: line.quantity for line in lines})
        return [
            Item(line.id, offer.sold, offer.price, line.quantity, offer.available)
            for line in lines
            if (offer := offers.get(line.variant_id))
        ]

    async def adjustments(
        self, work: Work, channel: ChannelFacts, items: Sequence[Item], codes: Sequence[str]
    ) -> list[Adjustment]:
        coupons = await self._promotion.coupons(work, codes)
        return self._promotion.apply([item.amount for item in items], coupons, channel.currency, work.now)

    async def missing(self, work: Work, cart: CartState, items: Sequence[Item]) -> list[str]:
        """Names of the lines that are not among `items`: what cannot be bought any more."""
        found = {item.line_id for item in items}
        names = await self._product.names(work, [line.variant_id for line in cart.lines if line.id not in found])
        return sorted(f"{name} ({sku})" for sku, name, _ in names.values())

    # --- inside ---

    async def _read(self, work: Work, statement: str, cart_id: UUID, *more: UUID | int) -> CartState:
        who = work.principal
        row = await work.row(statement, cart_id, who.is_staff, who.customer_id, who.guest_key, *more)
        if row is None:
            raise UnknownCart()
        lines, codes = row["contents"]
        return CartState(
            *(row["id"], row["channel_id"], row["customer_id"], row["guest_key"], row["email"], row["status"]),
            [CartLine(UUID(line), UUID(variant), quantity) for line, variant, quantity in lines],
            codes,
        )

    async def _checked(self, work: Work, cart: CartState, channel: ChannelFacts, line: CartLine) -> CartView:
        """What every write of a line has to pass: a refusal undoes it with the transaction."""
        items = await self.items(work, channel, cart.lines)
        item = next((x for x in items if x.line_id == line.id), None)
        if item is None:
            raise VariantNotForSale(skus="This item")
        if line.quantity > item.available:
            raise NotEnoughToAdd(available=item.available, sku=item.sold.sku)
        each = Money(item.price.unit_minor, channel.currency)
        await demand(
            work,
            "cart.set",
            f"Have {line.quantity} × {item.sold.title} in your cart, at {each} each?",
            variant=line.variant_id,
            quantity=line.quantity,
            price=item.price.unit_minor,
        )
        return await self._show(work, cart, items)

    async def _show(self, work: Work, cart: CartState, items: Sequence[Item] | None = None) -> CartView:
        channel = await self._pricing.channel_by_id(work, cart.channel_id)
        found = items if items is not None else await self.items(work, channel, cart.lines)
        adjustments = await self.adjustments(work, channel, found, cart.codes)
        rates = await self._pricing.tax_rates(work, channel.country)
        off = discounts(found, adjustments)
        taxes = [line_tax(item, off[i], rates, channel.tax_included) for i, item in enumerate(found)]
        missing = {x.variant_id: x for x in cart.lines if x.id not in {item.line_id for item in found}}
        names = await self._product.names(work, list(missing)) if missing else {}
        lines = [_line_view(item, channel.currency) for item in found]
        lines += [_gone(line, *names[variant], channel.currency) for variant, line in missing.items()]
        return _view(cart, channel, lines, found, adjustments, dict(enumerate(taxes)))


@contextmanager
def _line_laws() -> Iterator[None]:
    nothing, most = VariantNotForSale(skus="This item"), NotEnoughToAdd(available=LINE_MOST, sku="this item")
    with law("fk_cart_lines_variant_id", nothing), law("ck_cart_lines_quantity", most):
        yield


def _line(cart: CartState, line_id: UUID) -> CartLine:
    for line in cart.lines:
        if line.id == line_id:
            return line
    raise UnknownLine()


def _line_view(item: Item, currency: str) -> CartLineView:
    sold = item.sold
    return CartLineView(
        id=item.line_id,
        variant_id=sold.variant_id,
        sku=sold.sku,
        name=sold.name,
        options=sold.options,
        quantity=item.quantity,
        unit_price=money(item.price.unit_minor, currency),
        total=money(item.amount, currency),
    )


def _gone(line: CartLine, sku: str, name: str, options: dict[str, str], currency: str) -> CartLineView:
    """A line whose item is no longer sold here: it costs nothing and blocks the checkout."""
    nothing = money(0, currency)
    return CartLineView(
        id=line.id,
        variant_id=line.variant_id,
        sku=sku,
        name=name,
        options=options,
        quantity=line.quantity,
        unit_price=nothing,
        total=nothing,
        for_sale=False,
    )


def _view(
    cart: CartState,
    channel: ChannelFacts,
    lines: list[CartLineView],
    items: Sequence[Item],
    adjustments: Sequence[Adjustment],
    taxes: dict[int, int],
) -> CartView:
    currency, included = channel.currency, channel.tax_included
    subtotal = sum(item.amount for item in items)
    discount = sum(a.amount for a in adjustments)
    tax = sum(taxes.values())
    coupons = [
        CouponView(code=a.code, label=a.label, discount=money(a.amount, currency), free_shipping=a.free_shipping)
        for a in adjustments
    ]
    entered = {a.code for a in adjustments}
    coupons += [
        CouponView(code=code, label="not applicable to this cart", discount=money(0, currency), free_shipping=False)
        for code in cart.codes
        if code not in entered
    ]
    totals = CartTotals(
        subtotal=money(subtotal, currency),
        discount=money(discount, currency),
        tax=money(tax, currency),
        total=money(subtotal - discount + (0 if included else tax), currency),
        tax_included=included,
    )
    return CartView(
        id=cart.id,
        channel=channel.code,
        currency=currency,
        email=cart.email,
        status=cart.status,
        lines=lines,
        coupons=coupons,
        totals=totals,
    )
