"""Orders of the demo shop: bought, paid, doubted, cancelled and picked through the services, the same every time."""

import asyncio
import random
from collections.abc import Sequence
from uuid import UUID

import click

from commerce.app import Commerce
from commerce.checkout.errors import NotEnoughToAdd
from commerce.checkout.schemas import AddCoupon, AddLine, CreateCart, PlaceOrder
from commerce.inventory.errors import InsufficientStock
from commerce.order import OrderView
from commerce.order.schemas import CancelOrder, ChangeAddress
from commerce.payment.rules import LARGE_AMOUNT
from commerce.payment.schemas import AddPaymentMethod, IssueGiftCard
from commerce.pricing import DEFAULT_CHANNEL
from commerce.product.schemas import VariantView
from commerce.warehouse.schemas import PickTaskView
from kernel.auth import SYSTEM, Principal
from kernel.db import Work
from kernel.ids import new_id
from kernel.schemas import Address

SAVED_CARD, GIFT_CARD, CARD = "saved", "gift", "tok_success"
OUTCOMES = {SAVED_CARD: 78, "tok_decline": 6, "tok_3ds": 4, "tok_timeout_after": 4, "tok_webhook_twice": 8}
"""How an order is paid (the customer's saved card, or a token of the simulator), and how many of a hundred are."""
CANCELLED_EVERY, PICKED_EVERY, COUPON_EVERY, MOVED_EVERY = 9, 4, 5, 11
"""Of the orders, in turn: thought better of, picked, bought with a coupon, sent elsewhere."""
GUEST_EVERY, GIFT_CARD_EVERY, DOUBTFUL_EVERY = 8, 10, 25
"""Bought by a guest, paid with a gift card, and so large from somebody unknown that a person must look."""
GIFT = 100_000
ELSEWHERE = Address(name="The neighbour", line1="Gartenweg 3", city="Potsdam", postal_code="14467", country="DE")
PROGRESS_EVERY = 25
MOMENT = 0.1
"""Seconds between two looks at purchases whose payment is asked again later."""


async def place_orders(shop: Commerce, customers: Sequence[Principal], orders: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # the same orders every time
    async with shop.database.work(SYSTEM) as work:
        channel = await shop.pricing.channel(work, DEFAULT_CHANNEL)
        page = await shop.product.page(work, channel, size=100)
    variants = [variant for product in page.items for variant in product.variants]
    placed = 0
    while placed < orders:
        who, token = chance.choice(customers), chance.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]
        lines = {v.id: 1 for v in chance.sample(variants, chance.choice((1, 1, 1, 2, 2, 3)))}
        if placed % DOUBTFUL_EVERY == DOUBTFUL_EVERY - 1:
            who, token, lines = _guest(shop), CARD, _large(chance.sample(variants, len(variants)))
        elif placed % GUEST_EVERY == GUEST_EVERY - 1:
            who, token = _guest(shop), CARD
        elif placed % GIFT_CARD_EVERY == GIFT_CARD_EVERY - 1:
            token = GIFT_CARD
        try:
            group = await _buy(shop, who, lines, token, placed)
        except (InsufficientStock, NotEnoughToAdd):
            continue
        placed += 1
        await _afterwards(shop, group, placed)
        if placed % PROGRESS_EVERY == 0:
            click.echo(f"{placed} of {orders} orders")
    click.echo("finishing purchases whose payment is slow")
    while await shop.engine.run_due() or await _still_running(shop):
        await asyncio.sleep(MOMENT)


async def _still_running(shop: Commerce) -> bool:
    async with shop.database.work(SYSTEM) as work:
        return bool((await shop.orchestration.sagas(work, "running")).items)


def _guest(shop: Commerce) -> Principal:
    return shop.identity.guest(new_id().hex)


def _large(variants: Sequence[VariantView]) -> dict[UUID, int]:
    """As many of one thing as make a stranger's order stand out; one of something when the shop is nearly empty."""
    for variant in variants:
        units = -(-LARGE_AMOUNT // variant.price.amount) if variant.price else 0
        if 0 < units <= variant.available:
            return {variant.id: units}
    return {variants[0].id: 1}


async def _buy(shop: Commerce, who: Principal, lines: dict[UUID, int], token: str, number: int) -> UUID:
    group, is_guest = new_id(), who.customer_id is None
    gift = await _gift_card(shop) if token == GIFT_CARD else None
    email = f"guest.{number}@demo.test" if is_guest else None
    async with shop.database.work(who) as work:
        cart = (await shop.cart.create(work, CreateCart(email=email))).id
        for variant, quantity in lines.items():
            await shop.cart.add(work, cart, AddLine(variant_id=variant, quantity=quantity))
        if number % COUPON_EVERY == 0:
            await shop.cart.add_coupon(work, cart, AddCoupon(code="FIRST100"))
        command = PlaceOrder(
            shipping_address=ELSEWHERE if is_guest else None,
            address_id=None if is_guest else (await shop.customer.addresses(work))[0].id,
            shipping_method="express" if number % 7 == 0 else "standard",
            payment_token=None if token in (SAVED_CARD, GIFT_CARD) else token,
            payment_method_id=await _method(shop, work, gift) if token in (SAVED_CARD, GIFT_CARD) else None,
        )
        placed = await shop.checkout.place_order(work, group, cart, command)
    await shop.checkout.drive(placed.run)
    return group


async def _gift_card(shop: Commerce) -> AddPaymentMethod:
    """A gift card that somebody gave the customer."""
    async with shop.database.work(SYSTEM) as work:
        card = await shop.payment.issue_gift_card(work, IssueGiftCard(amount=GIFT, currency="EUR"))
    return AddPaymentMethod(gift_card_code=card.code)


async def _method(shop: Commerce, work: Work, gift: AddPaymentMethod | None) -> UUID:
    """The gift card, or the card the customer saved first."""
    return (await shop.payment.add_method(work, gift) if gift else (await shop.payment.methods(work))[0]).id


async def _afterwards(shop: Commerce, group: UUID, number: int) -> None:
    """Some customers think again, some are elsewhere, some orders are picked."""
    async with shop.database.work(SYSTEM) as work:
        orders = await shop.order.orders_of(work, group)
        if orders[0].status != "confirmed":
            return
        if number % CANCELLED_EVERY == 0:
            run = (await shop.checkout.cancel(work, orders[0].id, CancelOrder(reason="changed my mind"))).run
        elif number % MOVED_EVERY == 0:
            await shop.order.change_address(work, orders[0].id, ChangeAddress(address=ELSEWHERE))
            return
        elif number % PICKED_EVERY == 0:
            await _pick(shop, work, orders)
            return
        else:
            return
    await shop.checkout.drive(run)


async def _pick(shop: Commerce, work: Work, orders: Sequence[OrderView]) -> None:
    mine = {order.id for order in orders}
    tasks: list[PickTaskView] = await shop.warehouse.open_tasks(work, limit=1000)
    for task in tasks:
        for line in task.lines if task.order_id in mine else ():
            await shop.warehouse.pick(work, task.order_id, line.order_line_id, line.quantity)
