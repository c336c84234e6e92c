"""A product with several variants, for tests of what can take whose place."""

from uuid import UUID

from commerce.app import Commerce
from commerce.inventory.schemas import ReceiveStock
from commerce.pricing.schemas import SetPrice
from commerce.product.schemas import CreateProduct, NewMedia, NewVariant
from kernel.auth import SYSTEM
from kernel.ids import new_id
from tests.factories.world import World


async def add_choice(
    shop: Commerce, world: World, prices: dict[str, int], units: int = 10, merchant: str = "north"
) -> dict[str, UUID]:
    """A published product with a variant per colour and its price; returns the variants by colour. SKUs are unique."""
    name = f"shirt-{new_id().hex[-8:]}"
    async with shop.database.work(SYSTEM) as work:
        product, made = await shop.product.create(
            work,
            CreateProduct(
                merchant_id=world.merchants[merchant],
                slug=name,
                name="Shirt",
                description="A shirt for every day",
                category="things",
                media=[NewMedia(url=f"/media/{name}.svg", alt=name)],
                variants=[
                    NewVariant(sku=f"{name}-{colour}".upper(), options={"Colour": colour}, weight_g=200)
                    for colour in prices
                ],
            ),
        )
        found = {colour: made[f"{name}-{colour}".upper()] for colour in prices}
        for colour, price in prices.items():
            await shop.pricing.set_price(work, SetPrice(variant_id=found[colour], channel="web", minor=price))
            await shop.inventory.receive(
                work,
                ReceiveStock(location_id=world.locations[merchant], variant_id=found[colour], quantity=units),
            )
        await shop.product.publish(work, product, await shop.pricing.channel(work, "web"))
    return found
