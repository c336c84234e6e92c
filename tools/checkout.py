"""Tools on the cart and on buying it. Checkout has no agent of its own: the order agent buys."""

from typing import Annotated

from pydantic import Field, StringConstraints

from commerce.checkout import CartView, OrderGroupView
from commerce.checkout.permissions import BUY
from commerce.checkout.schemas import AddCoupon, AddLine, ChangeLine, PlaceOrder
from commerce.customer.permissions import OWN_PROFILE
from commerce.order.permissions import READ_ORDERS
from commerce.payment.permissions import OWN_METHODS
from kernel.db import Work
from kernel.ids import new_id
from kernel.schemas import Code, Command, Quantity
from tools.spec import Call, Effect, NoArguments, tool

Sku = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=64),
    Field(description="the variant's SKU as find_products shows it"),
]


class Take(Command):
    sku: Sku
    quantity: Quantity = 1


class Leave(Command):
    sku: Sku


class Buy(Command):
    payment_method: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = Field(
        "default", description="which saved method: its id, the card's last four digits, 'gift card', or 'default'"
    )
    address: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = Field(
        "default", description="which saved address: its id, a word of it such as the city, or 'default'"
    )
    shipping_method: Code = Field("standard", description="'standard' or 'express'")


@tool(Effect.READ, BUY)
async def view_cart(call: Call, args: NoArguments) -> CartView:  # noqa: ARG001  # every tool has them
    """Shows the caller's cart with items, discounts and total before shipping."""
    return await call.commerce.cart.current(call.work)


@tool(Effect.WRITE, BUY)
async def add_to_cart(call: Call, args: Take) -> CartView:
    """Puts units of a variant into the caller's cart. Find the SKU with find_products first."""
    variant = await call.commerce.product.variant(call.work, args.sku)
    cart = await call.commerce.cart.current(call.work)
    return await call.commerce.cart.add(call.work, cart.id, AddLine(variant_id=variant, quantity=args.quantity))


@tool(Effect.WRITE, BUY)
async def change_cart_quantity(call: Call, args: Take) -> CartView:
    """Sets how many units of an item in the cart the caller wants."""
    cart = await call.commerce.cart.current(call.work)
    line = call.commerce.cart.line_of(cart, args.sku)
    return await call.commerce.cart.change_line(call.work, cart.id, line, ChangeLine(quantity=args.quantity))


@tool(Effect.WRITE, BUY)
async def remove_from_cart(call: Call, args: Leave) -> CartView:
    """Takes an item out of the caller's cart."""
    cart = await call.commerce.cart.current(call.work)
    return await call.commerce.cart.remove_line(call.work, cart.id, call.commerce.cart.line_of(cart, args.sku))


@tool(Effect.WRITE, BUY)
async def apply_coupon(call: Call, args: AddCoupon) -> CartView:
    """Enters a coupon code for the caller's cart."""
    cart = await call.commerce.cart.current(call.work)
    return await call.commerce.cart.add_coupon(call.work, cart.id, args)


@tool(Effect.WRITE, BUY, OWN_PROFILE, OWN_METHODS, READ_ORDERS)
async def buy_cart(call: Call, args: Buy) -> OrderGroupView:
    """Buys what is in the caller's cart with a saved payment method, to a saved address.

    Shows everything and the exact total first; the customer's yes places the order."""
    cart = await call.commerce.cart.current(call.work)
    address = await call.commerce.customer.chosen(call.work, args.address)
    method = await call.commerce.payment.chosen(call.work, args.payment_method)
    group = new_id()
    command = PlaceOrder(
        shipping_method=args.shipping_method, address_id=address.id, payment_method_id=method.id if method else None
    )
    placed = await call.commerce.checkout.place_order(call.work, group, cart.id, command)

    async def show(work: Work) -> OrderGroupView:
        return await call.commerce.checkout.group(work, group)

    call.started(placed.run, show)
    return await show(call.work)
