"""The demo shop, made through the services like any merchant would: shelves, prices, stock, coupons, people."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product as combinations
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from commerce.app import Commerce
from commerce.customer.schemas import AddAddress
from commerce.identity import hashed
from commerce.inventory.schemas import CreateLocation, ReceiveStock
from commerce.merchant.schemas import CreateMerchant
from commerce.payment.schemas import AddPaymentMethod
from commerce.pricing import DEFAULT_CHANNEL, ChannelFacts
from commerce.pricing.schemas import CreateChannel, SetPrice, SetTaxRate
from commerce.product.schemas import CreateCategory, CreateProduct, NewMedia, NewVariant
from commerce.promotion.schemas import CreateCoupon
from commerce.returns.schemas import SetReturnPolicy
from commerce.shipping.schemas import NewRate, SetShippingMethod
from commerce.support.schemas import WriteArticle, WriteMacro
from kernel.auth import SYSTEM
from kernel.db import Work
from kernel.settings import Settings

HERE = Path(__file__).parent
DEMO_PASSWORD = "demo-password"  # noqa: S105  # the published password of the demo mode
DEMO_CARD = "tok_success_4242"
STOCK = (40, 25, 60, 12, 80, 5)
"""Units of each variant, in turn."""
US_PRICE = 115
"""Dollar cents per 100 euro cents."""
MACROS = (
    (
        "lost-parcel",
        "We look for the parcel",
        "Hello {{ name }},\n\nwe have asked the carrier about the parcel of your order {{ order }} and write again as "
        "soon as we know more.",
    ),
    (
        "more-details",
        "We need more details",
        "Thank you for your request {{ number }}. Could you tell us a little more, so that we can help?",
    ),
)
"""Code, title and text of the first answers on the desk's shelf."""
USERS = ("customer", "merchant", "support", "admin")


@dataclass(frozen=True, slots=True)
class Demo:
    """What later steps of the seed build on."""

    merchants: dict[str, UUID]
    variants: list[UUID]


async def demo_shop(shop: Commerce, settings: Settings) -> str:
    """Makes the shop where there is none; returns the lines that tell a person how to sign in."""
    path = settings.data_dir.resolve() / "demo-password"
    async with shop.database.work(SYSTEM) as work:
        empty = not await work.value("select exists (select from channels)")
    if empty:
        password = DEMO_PASSWORD if settings.demo else secrets.token_urlsafe(9)
        path.touch(0o600)
        path.write_text(password)
        await make(shop, password)
    password = path.read_text() if path.exists() else "the one it was made with"
    people = ", ".join(f"{name}@demo.test" for name in USERS)
    return f"Demo users: {people}; password: {password}"


async def make(shop: Commerce, password: str) -> Demo:
    """The whole shop in one transaction, so that a stopped seed leaves nothing half made."""
    catalogue = yaml.safe_load((HERE / "catalogue.yaml").read_text())
    password_hash = await hashed(password)
    merchants, variants = {}, []
    async with shop.database.work(SYSTEM) as work:
        web, us = await _channels(shop, work)
        await _shipping(shop, work)
        await _coupons(shop, work)
        for category in catalogue["categories"]:
            await shop.product.create_category(work, CreateCategory(**category))
        for entry in catalogue["merchants"]:
            merchant = await shop.merchant.create(work, CreateMerchant(**entry))
            await shop.merchant.activate(work, merchant.id)
            merchants[entry["slug"]] = merchant.id
            variants += await _products(shop, work, merchant.id, entry, catalogue, [web, us])
        await _people(shop, work, password_hash, merchants["northlight"])
        await _help(shop, work)
        await shop.return_policies.set_policy(work, SetReturnPolicy(window_days=14))
    return Demo(merchants, variants)


async def _channels(shop: Commerce, work: Work) -> tuple[ChannelFacts, ChannelFacts]:
    web = CreateChannel(code=DEFAULT_CHANNEL, name="Agora Europe", currency="EUR", country="DE", tax_included=True)
    us = CreateChannel(code="us", name="Agora US", currency="USD", country="US", tax_included=False)
    rates = [
        ("DE", "standard", "0.19"),
        ("DE", "reduced", "0.07"),
        ("FR", "standard", "0.20"),
        ("US", "standard", "0.0725"),
    ]
    for country, tax_class, rate in rates:
        await shop.pricing.set_tax_rate(work, SetTaxRate(country=country, tax_class=tax_class, rate=rate))
    return await shop.pricing.create_channel(work, web), await shop.pricing.create_channel(work, us)


async def _shipping(shop: Commerce, work: Work) -> None:
    def rates(eur: int, usd: int, free: int | None) -> list[NewRate]:
        found = []
        for grams, more in ((2_000, 0), (10_000, 300), (40_000, 1200)):
            for zone, extra in (("DE", 0), ("*", 600)):
                found.append(
                    NewRate(country=zone, currency="EUR", up_to_g=grams, minor=eur + more + extra, free_from_minor=free)
                )
            found.append(NewRate(country="*", currency="USD", up_to_g=grams, minor=usd + more, free_from_minor=free))
        return found

    standard = SetShippingMethod(
        code="standard", name="Standard delivery", min_days=2, max_days=4, rates=rates(490, 690, 10_000)
    )
    express = SetShippingMethod(
        code="express", name="Express delivery", min_days=1, max_days=1, rates=rates(1290, 1990, None)
    )
    await shop.shipping.set_method(work, standard)
    await shop.shipping.set_method(work, express)


async def _coupons(shop: Commerce, work: Work) -> None:
    for coupon in (
        CreateCoupon(code="WELCOME10", name="10 % for newcomers", kind="percent", value=10, once_per_customer=True),
        CreateCoupon(code="TAKE15", name="15 euros off from 75", kind="fixed", value=1500, minimum_minor=7500),
        CreateCoupon(code="FREESHIP", name="Free delivery", kind="shipping"),
        CreateCoupon(code="FIRST100", name="20 % for the first hundred", kind="percent", value=20, usage_limit=100),
        CreateCoupon(
            code="SUMMER",
            name="Last year's sale",
            kind="percent",
            value=25,
            starts_at=work.now - timedelta(days=200),
            ends_at=work.now - timedelta(days=100),
        ),
    ):
        await shop.promotion.create_coupon(work, coupon)


async def _products(
    shop: Commerce,
    work: Work,
    merchant: UUID,
    facts: dict[str, str],
    catalogue: dict[str, Any],
    channels: list[ChannelFacts],
) -> list[UUID]:
    slug = facts["slug"]
    location = await shop.inventory.create_location(
        work, CreateLocation(merchant_id=merchant, code=f"{slug}-main", name="Main warehouse", country="DE")
    )
    made: list[UUID] = []
    for entry in catalogue["products"][slug]:
        command = _product(merchant, facts, entry)
        product_id, variants = await shop.product.create(work, command)
        for new in command.variants:
            price = entry["price"] + sum(entry.get("more", {}).get(value, 0) for value in new.options.values())
            await _offer(shop, work, variants[new.sku], price, location, STOCK[len(made) % len(STOCK)])
            made.append(variants[new.sku])
        # The US channel carries one merchant only: the others' products are not for sale there.
        for channel in channels if slug == "volt-and-wire" else channels[:1]:
            await shop.product.publish(work, product_id, channel)
    return made


async def _offer(shop: Commerce, work: Work, variant: UUID, price: int, location: UUID, units: int) -> None:
    await shop.pricing.set_price(work, SetPrice(variant_id=variant, channel=DEFAULT_CHANNEL, minor=price))
    dollars = price * US_PRICE // 10_000 * 100 + 99
    await shop.pricing.set_price(work, SetPrice(variant_id=variant, channel="us", minor=dollars))
    await shop.inventory.receive(work, ReceiveStock(location_id=location, variant_id=variant, quantity=units))


def _product(merchant: UUID, facts: dict[str, str], entry: dict[str, Any]) -> CreateProduct:
    name = entry["name"]
    plain = "".join(c if c.isalnum() else "-" for c in name.lower().replace("'", "")).strip("-")
    axes = entry["options"]
    chosen = [dict(zip(axes, values, strict=True)) for values in combinations(*axes.values())]
    stem = f"{facts['slug'][:2]}-{plain}".upper()[:40]
    variants = [
        NewVariant(sku=f"{stem}-{n + 1:02}", options=options, weight_g=entry["weight"])
        for n, options in enumerate(chosen)
    ]
    return CreateProduct(
        merchant_id=merchant,
        slug=plain,
        name=name,
        description=entry["text"],
        category=entry["in"],
        brand=facts["name"],
        specifications=entry["specs"],
        tags=sorted({value.lower() for options in chosen for value in options.values()})[:20],
        media=[NewMedia(url=f"/media/{plain}.svg", alt=name)],
        variants=variants,
    )


async def _people(shop: Commerce, work: Work, password_hash: str, merchant: UUID) -> None:
    customer = await shop.customer.register(work, "customer@demo.test", password_hash, "Ada Lindqvist")
    for name, full in (("merchant", "Jonas Weber"), ("support", "Maya Okafor"), ("admin", "Ines Duarte")):
        user = await shop.identity.create_user(work, f"{name}@demo.test", password_hash, full)
        if name == "merchant":
            await shop.merchant.add_member(work, merchant, user)
        else:
            await shop.identity.add_role(work, user, name)
    home = AddAddress(name="Ada Lindqvist", line1="Lindenstraße 12", city="Berlin", postal_code="10969", country="DE")
    with acting_for(work, customer.id):
        await shop.customer.add_address(work, home)
        card = AddPaymentMethod(token=DEMO_CARD, brand="visa", last4="4242")
        await shop.payment.add_method(work, card)


async def _help(shop: Commerce, work: Work) -> None:
    for article in yaml.safe_load((HERE / "articles.yaml").read_text()):
        await shop.support.articles.write(work, WriteArticle(**article))
    for code, title, body in MACROS:
        await shop.support.macros.write(work, WriteMacro(code=code, title=title, body=body))


@contextmanager
def acting_for(work: Work, customer_id: UUID) -> Iterator[None]:
    """The system does something as this customer, in the same transaction."""
    work.principal = replace(SYSTEM, customer_id=customer_id)
    yield
    work.principal = SYSTEM
