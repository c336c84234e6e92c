"""`agora seed`: the demo shop with 50 customers and their orders, all through the services, the same every time."""

import random
from dataclasses import replace
from uuid import UUID

import click

from cli.database import ensure
from cli.demo.shop import DEMO_PASSWORD, acting_for, demo_shop
from cli.runtime import commerce, server, settings, sync
from commerce.app import Commerce
from commerce.checkout.errors import NotEnoughToAdd
from commerce.checkout.schemas import AddCoupon, AddLine, CreateCart, PlaceOrder
from commerce.customer.schemas import AddAddress
from commerce.identity import hashed
from commerce.inventory.errors import InsufficientStock
from commerce.order.schemas import CancelOrder
from commerce.payment.schemas import AddPaymentMethod
from commerce.pricing import DEFAULT_CHANNEL
from commerce.warehouse.schemas import PickTaskView
from kernel.auth import SYSTEM, Principal
from kernel.ids import new_id

SEED = 20_261_124
FIRST = [
    "Anna",
    "Bruno",
    "Clara",
    "David",
    "Elif",
    "Farid",
    "Greta",
    "Hugo",
    "Irina",
    "Jakub",
    "Klara",
    "Liam",
    "Mila",
    "Noah",
    "Olga",
    "Pedro",
    "Qian",
    "Rosa",
    "Samir",
    "Tess",
]
LAST = [
    "Albers",
    "Brandt",
    "Costa",
    "Duval",
    "Eriksen",
    "Ferrari",
    "Gruber",
    "Hansen",
    "Ivanova",
    "Jansen",
    "Keller",
    "Lopez",
    "Moreau",
    "Novak",
    "Olsen",
]
STREETS = ["Linden", "Ahorn", "Kastanien", "Buchen", "Eichen", "Birken", "Ulmen", "Weiden"]
CITIES = (("Berlin", "10115"), ("Hamburg", "20095"), ("Munich", "80331"), ("Cologne", "50667"), ("Leipzig", "04109"))
CUSTOMERS = 50
SAVED_CARD = "saved"
OUTCOMES = {SAVED_CARD: 78, "tok_decline": 6, "tok_3ds": 4, "tok_timeout_after": 4, "tok_webhook_twice": 8}
"""How an order is paid (the customer's saved card, or a token of the simulator), and how many of a hundred are."""
CANCELLED_EVERY, PICKED_EVERY, COUPON_EVERY = 9, 4, 5
PROGRESS_EVERY = 25


async def seed(orders: int) -> None:
    found = settings()
    async with server(found) as url:
        await ensure(url)
        async with commerce(found, url) as shop:
            await sync(shop)
            click.echo(await demo_shop(shop, found))
            customers = await _customers(shop, found.demo)
            await _orders(shop, customers, orders)


async def _customers(shop: Commerce, demo: bool) -> list[Principal]:
    """Fifty people with an address and a card; those who are there already stay as they are."""
    chance = random.Random(SEED)  # noqa: S311  # the same shop every time
    password = await hashed(DEMO_PASSWORD if demo else new_id().hex)
    names = [f"{chance.choice(FIRST)} {chance.choice(LAST)}" for _ in range(CUSTOMERS)]
    people = []
    async with shop.database.work(SYSTEM) as work:
        for n, name in enumerate(names):
            email = f"{name.lower().replace(' ', '.')}.{n + 1}@demo.test"
            if user := await shop.identity.user_by_email(work, email):
                people.append(user.customer_id)
                continue
            customer = await shop.customer.register(work, email, password, name)
            city, code = chance.choice(CITIES)
            line = f"{chance.choice(STREETS)}straße {chance.randrange(1, 120)}"
            address = AddAddress(name=name, line1=line, city=city, postal_code=code, country="DE")
            with acting_for(work, customer.id):
                await shop.customer.add_address(work, address)
                await shop.payment.add_method(
                    work, AddPaymentMethod(token=f"tok_success_{n:04}", brand="visa", last4=f"{n:04}")
                )
            people.append(customer.id)
    click.echo(f"{len(people)} customers")
    return [_principal(shop, customer) for customer in people if customer]


def _principal(shop: Commerce, customer: UUID) -> Principal:
    """The customer as the API would see them."""
    return replace(shop.identity.as_role("customer"), customer_id=customer)


async def _orders(shop: Commerce, customers: list[Principal], orders: int) -> None:
    chance = random.Random(SEED + 1)  # noqa: S311  # the same orders every time
    async with shop.database.work(SYSTEM) as work:
        channel = await shop.pricing.channel(work, DEFAULT_CHANNEL)
        page = await shop.product.page(work, channel, size=100)
    variants = [variant.id for product in page.items for variant in product.variants]
    placed = 0
    while placed < orders:
        token = chance.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]
        picked = chance.sample(variants, chance.choice((1, 1, 1, 2, 2, 3)))
        try:
            group = await _buy(shop, chance.choice(customers), picked, token, placed)
        except (InsufficientStock, NotEnoughToAdd):
            continue
        placed += 1
        await _afterwards(shop, group, placed)
        if placed % PROGRESS_EVERY == 0:
            click.echo(f"{placed} of {orders} orders")
    while await shop.engine.run_due():  # those whose payment answered late
        click.echo("finishing purchases whose payment was slow")


async def _buy(shop: Commerce, who: Principal, variants: list[UUID], token: str, number: int) -> UUID:
    group = new_id()
    async with shop.database.work(who) as work:
        cart = (await shop.cart.create(work, CreateCart())).id
        for variant in variants:
            await shop.cart.add(work, cart, AddLine(variant_id=variant))
        if number % COUPON_EVERY == 0:
            await shop.cart.add_coupon(work, cart, AddCoupon(code="FIRST100"))
        (address, *_) = await shop.customer.addresses(work)
        (card, *_) = await shop.payment.methods(work)
        pay = {"payment_method_id": card.id} if token == SAVED_CARD else {"payment_token": token}
        command = PlaceOrder(address_id=address.id, shipping_method="express" if number % 7 == 0 else "standard", **pay)
        placed = await shop.checkout.place_order(work, group, cart, command)
    await shop.checkout.drive(placed.run)
    return group


async def _afterwards(shop: Commerce, group: UUID, number: int) -> None:
    """Some customers think again, some orders are picked."""
    async with shop.database.work(SYSTEM) as work:
        orders = await shop.order.orders_of(work, group)
        if orders[0].status != "confirmed":
            return
        if number % CANCELLED_EVERY == 0:
            run = (await shop.checkout.cancel(work, orders[0].id, CancelOrder(reason="changed my mind"))).run
        elif number % PICKED_EVERY == 0:
            tasks = await shop.warehouse.open_tasks(work)
            await _pick(shop, [task for task in tasks if task.order_id in {order.id for order in orders}])
            return
        else:
            return
    await shop.checkout.drive(run)


async def _pick(shop: Commerce, tasks: list[PickTaskView]) -> None:
    async with shop.database.work(SYSTEM) as work:
        for task in tasks:
            for line in task.lines:
                await shop.warehouse.pick(work, task.order_id, line.order_line_id, line.quantity)
