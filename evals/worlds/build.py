"""Makes the world of `shop.yaml` through the services, as a shop's own people would, and names what cases speak of."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from commerce.app import Commerce
from commerce.checkout.schemas import AddLine, CreateCart, PlaceOrder
from commerce.customer.schemas import AddAddress
from commerce.identity import hashed
from commerce.inventory.schemas import CreateLocation, ReceiveStock
from commerce.merchant.schemas import CreateMerchant
from commerce.order.schemas import CancelOrder
from commerce.payment.schemas import AddPaymentMethod, IssueGiftCard
from commerce.pricing.schemas import CreateChannel, SetPrice, SetTaxRate
from commerce.product.schemas import CreateCategory, CreateProduct, NewMedia, NewVariant
from commerce.promotion.schemas import CreateCoupon
from commerce.shipping.schemas import NewRate, SetShippingMethod
from commerce.support.schemas import OpenTicket, Reply, WriteArticle
from evals.worlds import parcels
from evals.worlds.hall import make_hall
from kernel.auth import SYSTEM, Principal
from kernel.db import Work
from kernel.ids import new_id, public

FILE = Path(__file__).with_name("shop.yaml")
PASSWORD = "a password of the evals"  # noqa: S105  # of people who live as long as one run
CHANNEL = "web"
Facts = dict[str, Any]


@dataclass(slots=True)
class World:
    """`names` are what cases write in braces: {gift}, {ann.home}; `canaries` a secret text > who may see it."""

    names: dict[str, str] = field(default_factory=dict)
    canaries: dict[str, frozenset[str]] = field(default_factory=dict)
    variants: dict[str, UUID] = field(default_factory=dict)
    customers: dict[str, UUID] = field(default_factory=dict)

    def filled(self, value: Any) -> Any:
        """The value with every name in braces replaced."""
        if isinstance(value, str):
            for name, meaning in self.names.items():
                value = value.replace(f"{{{name}}}", meaning)
            return value
        if isinstance(value, Mapping):
            return {key: self.filled(inner) for key, inner in value.items()}
        return [self.filled(inner) for inner in value] if isinstance(value, list) else value

    def named(self, text: str) -> str:
        """The text with what has another id in every run replaced by its name in braces."""
        for name, meaning in self.names.items():
            text = text.replace(meaning, f"{{{name}}}")
        return text


async def build(shop: Commerce) -> World:
    """The world on an empty, migrated database; its sagas have run, its events are still to be read."""
    facts = yaml.safe_load(FILE.read_text())
    world = World(canaries={canary["text"]: frozenset(canary["of"]) for canary in facts["canaries"]})
    password = await hashed(PASSWORD)
    async with shop.database.work(SYSTEM) as work:
        await shop.identity.sync_roles(work)
        await _terms(shop, work, facts)
        for slug, merchant in facts["merchants"].items():
            await _merchant(shop, work, slug, merchant, password, world)
        for name, customer in facts["customers"].items():
            await _customer(shop, work, name, customer, password, world)
        for role in facts["staff"]:
            await shop.identity.add_role(work, await shop.identity.create_user(work, _mail(role), password, role), role)
        for article in facts["articles"]:
            await shop.support.articles.write(work, WriteArticle(**article))
        world.names["gift"] = (
            await shop.payment.issue_gift_card(work, IssueGiftCard(amount=facts["gift_card"], currency="EUR"))
        ).code
    for order in facts["orders"]:
        await _order(shop, order, world)
    await parcels.send(shop, facts["parcels"], world.customers["ben"], world.variants, world.names)
    for ticket in facts["tickets"]:
        await _ticket(shop, ticket, world)
    return world


def _mail(name: str) -> str:
    return f"{name}@evals.test"


async def _terms(shop: Commerce, work: Work, facts: Facts) -> None:
    await shop.pricing.create_channel(
        work, CreateChannel(code=CHANNEL, name="Web", currency="EUR", country="DE", tax_included=True)
    )
    await shop.pricing.set_tax_rate(work, SetTaxRate(country="DE", tax_class="standard", rate="0.19"))
    for code, minor in facts["shipping"].items():
        rate = NewRate(country="*", currency="EUR", up_to_g=50_000, minor=minor)
        method = SetShippingMethod(code=code, name=code.title(), min_days=1, max_days=3, rates=[rate])
        await shop.shipping.set_method(work, method)
    for coupon in facts["coupons"]:
        await shop.promotion.create_coupon(work, CreateCoupon(**coupon))
    for slug, name in facts["categories"].items():
        await shop.product.create_category(work, CreateCategory(slug=slug, name=name))


async def _merchant(shop: Commerce, work: Work, slug: str, facts: Facts, password: str, world: World) -> None:
    name = facts["name"]
    command = CreateMerchant(
        slug=slug, name=name, legal_name=name, description=f"The {name} shop", support_email=f"hi@{slug}.test"
    )
    merchant = (await shop.merchant.create(work, command)).id
    await shop.merchant.activate(work, merchant)
    await shop.merchant.add_member(work, merchant, await shop.identity.create_user(work, _mail(slug), password, slug))
    location = await shop.inventory.create_location(
        work, CreateLocation(merchant_id=merchant, code=slug, name=f"{name} store", country="DE")
    )
    for product in facts["products"]:
        await _product(shop, work, merchant, location, product, world)
    if hall := facts.get("hall"):
        await make_hall(shop, work, merchant, hall, world.variants)


async def _product(shop: Commerce, work: Work, merchant: UUID, location: UUID, facts: Facts, world: World) -> None:
    slug = facts["name"].lower().replace(" ", "-")
    variants = [NewVariant(sku=sku, options=shape[0], weight_g=500) for sku, shape in facts["variants"].items()]
    command = CreateProduct(
        merchant_id=merchant,
        slug=slug,
        name=facts["name"],
        description=facts["text"],
        category=facts["in"],
        media=[NewMedia(url=f"/media/{slug}.svg", alt=facts["name"])],
        variants=variants,
    )
    product, made = await shop.product.create(work, command)
    for sku, (_, price, units) in facts["variants"].items():
        await shop.pricing.set_price(work, SetPrice(variant_id=made[sku], channel=CHANNEL, minor=price))
        if units:
            received = ReceiveStock(location_id=location, variant_id=made[sku], quantity=units)
            await shop.inventory.receive(work, received)
    if not facts.get("draft"):
        await shop.product.publish(work, product, await shop.pricing.channel(work, CHANNEL))
    world.variants |= made


async def _customer(shop: Commerce, work: Work, name: str, facts: Facts, password: str, world: World) -> None:
    customer = (await shop.customer.register(work, _mail(name), password, facts["name"])).id
    work.principal = replace(SYSTEM, customer_id=customer)
    for label, address in facts["addresses"].items():
        saved = await shop.customer.add_address(work, AddAddress(**address))
        world.names[f"{name}.{label}"] = public("adr", saved.id)
    if last4 := facts.get("card"):
        card = AddPaymentMethod(token=f"tok_success_{last4}", brand="visa", last4=last4)
        await shop.payment.add_method(work, card)
    work.principal = SYSTEM
    world.customers[name] = customer


def _as_customer(shop: Commerce, customer: UUID) -> Principal:
    return replace(shop.identity.as_role("customer"), customer_id=customer)


async def _order(shop: Commerce, facts: Facts, world: World) -> None:
    group = new_id()
    async with shop.database.work(_as_customer(shop, world.customers[facts["of"]])) as work:
        cart = (await shop.cart.create(work, CreateCart())).id
        for sku, quantity in facts["lines"].items():
            await shop.cart.add(work, cart, AddLine(variant_id=world.variants[sku], quantity=quantity))
        address, card = (await shop.customer.addresses(work))[0], (await shop.payment.methods(work))[0]
        command = PlaceOrder(shipping_method="standard", address_id=address.id, payment_method_id=card.id)
        placed = await shop.checkout.place_order(work, group, cart, command)
    await shop.checkout.drive(placed.run)
    async with shop.database.work(SYSTEM) as work:
        (order,) = await shop.order.orders_of(work, group)
        world.names[f"order.{order.number}"] = public("ord", order.id)
        if facts.get("picked"):
            for task in await shop.warehouse.open_tasks(work):
                for line in task.lines if task.order_id == order.id else ():
                    await shop.warehouse.pick(work, task.order_id, line.order_line_id, line.quantity)
        if reason := facts.get("cancelled"):
            placed = await shop.checkout.cancel(work, order.id, CancelOrder(reason=reason))
    if reason:
        await shop.checkout.drive(placed.run)


async def _ticket(shop: Commerce, facts: Facts, world: World) -> None:
    async with shop.database.work(_as_customer(shop, world.customers[facts["of"]])) as work:
        made = await shop.support.open(work, OpenTicket(subject=facts["subject"], body=facts["body"]))
    if note := facts.get("note"):
        async with shop.database.work(SYSTEM) as work:
            await shop.support.reply(work, made.id, Reply(body=note, internal=True))
