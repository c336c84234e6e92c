"""A location with bins: a shelf of four places in two aisles, and units of variants put there."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from commerce.app import Commerce
from commerce.inventory.schemas import CreateLocation, ReceiveStock
from kernel.auth import SYSTEM
from kernel.ids import new_id, parse, public
from tests.factories.api import Caller
from tests.factories.variants import add_choice
from tests.factories.world import World

SHELF = (("A1", 1, 1), ("A2", 1, 8), ("B1", 2, 2), ("B2", 2, 9))


@dataclass
class Floor:
    """`bins` by code, `skus` by colour."""

    north: Caller
    location: UUID
    bins: dict[str, str]
    variants: dict[str, UUID]
    skus: dict[str, str]

    @property
    def path(self) -> str:
        return f"/v1/warehouse/locations/{public('loc', self.location)}"

    async def move(self, colour: str, source: str, target: str, units: int, expect: int | None = 200) -> Any:
        body = {"variant_id": public("var", self.variants[colour]), "quantity": units}
        ends = {"from_bin_id": self.bins[source], "to_bin_id": self.bins[target]}
        return await self.north.post("/v1/warehouse/moves", {**body, **ends}, expect)

    async def lying(self, colour: str) -> dict[str, int]:
        """Units of a colour by bin; totes are called tote."""
        found = await self.north.get("/v1/warehouse/stock", params={"sku": self.skus[colour]})
        lying: dict[str, int] = {}
        for row in found:
            name = "tote" if row["bin"].startswith("ord_") else row["bin"]
            lying[name] = lying.get(name, 0) + row["quantity"]
        return lying

    async def level(self, sql: asyncpg.Connection, colour: str) -> tuple[int, int, int]:
        """On hand, allocated, short."""
        row = await sql.fetchrow(
            "select on_hand, allocated, short from inventory_levels where variant_id = $1 and location_id = $2",
            *(self.variants[colour], self.location),
        )
        return (row["on_hand"], row["allocated"], row["short"]) if row else (0, 0, 0)


async def location(shop: Commerce, world: World, priority: int = 1) -> UUID:
    """A place of the north merchant that ships before its others."""
    code = f"w-{new_id().hex[-8:]}"
    async with shop.database.work(SYSTEM) as work:
        command = CreateLocation(
            merchant_id=world.merchants["north"], code=code, name=code, country="DE", priority=priority
        )
        return await shop.inventory.create_location(work, command)


async def floor(
    shop: Commerce, world: World, north: Caller, units: dict[str, int], price: int = 2000, **command: Any
) -> Floor:
    """A location with bins whose dock holds units of new variants by colour; nowhere else is any of them."""
    variants = await add_choice(shop, world, dict.fromkeys(units, price), units=0)
    place = await location(shop, world)
    async with shop.database.work(SYSTEM) as work:
        for colour, count in units.items():
            received = ReceiveStock(location_id=place, variant_id=variants[colour], quantity=count)
            await shop.inventory.receive(work, received)
        skus = {
            colour: await work.value("select sku from product_variants where id = $1", variant)
            for colour, variant in variants.items()
        }
    await north.post("/v1/warehouse/locations", {"location_id": public("loc", place), **command})
    found = Floor(north, place, {}, variants, skus)
    await north.post(f"{found.path}/zones", {"code": "SHELF"})
    bins = [{"code": code, "aisle": aisle, "bay": bay} for code, aisle, bay in SHELF]
    await north.post(f"{found.path}/bins", {"zone": "SHELF", "bins": bins})
    found.bins = {row["code"]: row["id"] for row in await north.get(f"{found.path}/bins")}
    return found


def key(bin_id: str) -> UUID:
    return parse("bin", bin_id)
