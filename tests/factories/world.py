"""A small world made through the services: two channels, two merchants, a few variants, people of every role."""

from dataclasses import dataclass, replace
from uuid import UUID

from commerce.app import Commerce
from commerce.customer.schemas import AddAddress
from commerce.identity import hashed
from commerce.inventory.schemas import CreateLocation, ReceiveStock
from commerce.merchant.schemas import CreateMerchant
from commerce.payment.schemas import AddPaymentMethod
from commerce.pricing.schemas import CreateChannel, SetPrice, SetTaxRate
from commerce.product.schemas import CreateCategory, CreateProduct, NewMedia, NewVariant
from commerce.promotion.schemas import CreateCoupon
from commerce.shipping.schemas import NewRate, SetShippingMethod
from kernel.auth import SYSTEM
from kernel.db import Work

PASSWORD = "correct horse battery"
ADDRESS = {"name": "Gil Guest", "line1": "Ring 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}
CARD = "tok_success"
PRICES = {"mug": 1500, "lamp": 6000, "chair": 19900, "pen": 299, "plate": 2500, "rug": 8000}
PLENTY = 1_000_000


@dataclass(frozen=True)
class World:
    variants: dict[str, UUID]
    merchants: dict[str, UUID]
    customers: dict[str, UUID]
    addresses: dict[str, UUID]
    cards: dict[str, UUID]
    locations: dict[str, UUID]


async def build(shop: Commerce) -> World:
    password = await hashed(PASSWORD)
    async with shop.database.work(SYSTEM) as work:
        await shop.identity.sync_roles(work)
        await _settings(shop, work)
        merchants, locations, variants = {}, {}, {}
        for slug, names in (("north", ("mug", "lamp", "chair", "pen")), ("south", ("plate", "rug"))):
            merchants[slug] = await _merchant(shop, work, slug)
            locations[slug] = await _location(shop, work, merchants[slug], slug)
            for name in names:
                variants[name] = await add_product(shop, work, merchants[slug], locations[slug], name, PRICES[name])
        dollars = await shop.pricing.channel(work, "us")
        variants["dollar"] = await add_product(
            shop, work, merchants["north"], locations["north"], "dollar", 500, dollars.code
        )
        customers, addresses, cards = {}, {}, {}
        for name in ("ann", "ben"):
            customers[name], addresses[name], cards[name] = await _customer(shop, work, name, password)
        for name in ("support", "admin"):
            user = await shop.identity.create_user(work, f"{name}@demo.test", password, name)
            await shop.identity.add_role(work, user, name)
        for slug, merchant in merchants.items():
            user = await shop.identity.create_user(work, f"{slug}@demo.test", password, slug)
            await shop.merchant.add_member(work, merchant, user)
    return World(variants, merchants, customers, addresses, cards, locations)


async def _settings(shop: Commerce, work: Work) -> None:
    for code, currency, country, included in (("web", "EUR", "DE", True), ("us", "USD", "US", False)):
        command = CreateChannel(code=code, name=code, currency=currency, country=country, tax_included=included)
        await shop.pricing.create_channel(work, command)
    await shop.pricing.set_tax_rate(work, SetTaxRate(country="DE", tax_class="standard", rate="0.19"))
    await shop.pricing.set_tax_rate(work, SetTaxRate(country="US", tax_class="standard", rate="0.0725"))
    for code, price in (("standard", 490), ("express", 1290)):
        rates = [NewRate(country="*", currency=currency, up_to_g=50_000, minor=price) for currency in ("EUR", "USD")]
        await shop.shipping.set_method(
            work, SetShippingMethod(code=code, name=code, min_days=1, max_days=3, rates=rates)
        )
    await shop.product.create_category(work, CreateCategory(slug="things", name="Things"))
    for coupon in (
        CreateCoupon(code="TEN", name="ten percent", kind="percent", value=10),
        CreateCoupon(code="ONCE", name="once", kind="fixed", value=500, once_per_customer=True),
        CreateCoupon(code="LAST", name="the last one", kind="fixed", value=500, usage_limit=1),
        CreateCoupon(code="FREESHIP", name="free delivery", kind="shipping"),
        CreateCoupon(
            code="OLD", name="over", kind="percent", value=50,
            starts_at=work.now.replace(year=work.now.year - 2), ends_at=work.now.replace(year=work.now.year - 1),
        ),
    ):  # fmt: skip
        await shop.promotion.create_coupon(work, coupon)


async def _merchant(shop: Commerce, work: Work, slug: str) -> UUID:
    command = CreateMerchant(
        slug=slug, name=slug.title(), legal_name=slug, description=f"The {slug} shop", support_email=f"hi@{slug}.test"
    )
    made = await shop.merchant.create(work, command)
    await shop.merchant.activate(work, made.id)
    return made.id


async def _location(shop: Commerce, work: Work, merchant: UUID, slug: str) -> UUID:
    return await shop.inventory.create_location(
        work, CreateLocation(merchant_id=merchant, code=slug, name=f"{slug} store", country="DE")
    )


async def add_product(
    shop: Commerce,
    work: Work,
    merchant: UUID,
    location: UUID,
    name: str,
    price: int,
    channel: str = "web",
    units: int = PLENTY,
) -> UUID:
    """A published product with one variant, `units` of it in stock; returns the variant."""
    product, variants = await shop.product.create(
        work,
        CreateProduct(
            merchant_id=merchant,
            slug=name,
            name=name.title(),
            description=f"A {name} for every day",
            category="things",
            media=[NewMedia(url=f"/media/{name}.svg", alt=name)],
            variants=[NewVariant(sku=name.upper(), options={"Kind": name}, weight_g=500)],
        ),
    )
    variant = variants[name.upper()]
    await shop.pricing.set_price(work, SetPrice(variant_id=variant, channel=channel, minor=price))
    await shop.inventory.receive(work, ReceiveStock(location_id=location, variant_id=variant, quantity=units))
    await shop.product.publish(work, product, await shop.pricing.channel(work, channel))
    return variant


async def _customer(shop: Commerce, work: Work, name: str, password: str) -> tuple[UUID, UUID, UUID]:
    customer = await shop.customer.register(work, f"{name}@demo.test", password, name.title())
    work.principal = replace(SYSTEM, customer_id=customer.id)
    address = await shop.customer.add_address(work, AddAddress(**{**ADDRESS, "name": name.title()}))
    card = await shop.payment.add_method(work, AddPaymentMethod(token=CARD, brand="visa", last4="4242"))
    work.principal = SYSTEM
    return customer.id, address.id, card.id
