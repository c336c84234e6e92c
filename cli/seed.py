"""`agora seed`: the demo shop with 50 customers and their orders, all through the services, the same every time."""

import random
from dataclasses import replace
from uuid import UUID

import click

from cli.database import ensure
from cli.demo.orders import place_orders
from cli.demo.shop import DEMO_PASSWORD, acting_for, demo_shop
from cli.runtime import commerce, server, settings, sync
from commerce.app import Commerce
from commerce.customer.schemas import AddAddress
from commerce.identity import hashed
from commerce.payment.schemas import AddPaymentMethod
from kernel.auth import SYSTEM, Principal
from kernel.ids import new_id
from kernel.settings import Settings

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


async def seed(orders: int) -> None:
    found = settings()
    async with server(found) as url:
        await ensure(url)
        async with commerce(found, url) as shop:
            await fill(shop, found, orders)


async def fill(shop: Commerce, found: Settings, orders: int) -> None:
    """The shop where there is none, its customers, and `orders` more orders of theirs."""
    await sync(shop)
    click.echo(await demo_shop(shop, found))
    customers = await _customers(shop, found.demo)
    await place_orders(shop, customers, orders, SEED + 1)


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
