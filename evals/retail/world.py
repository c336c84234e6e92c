"""The retail shop on an empty database: the channel with its terms, everything brought in, and sign-ins for its people."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from commerce.app import Commerce
from commerce.customer import CustomerView
from commerce.identity import hashed
from commerce.integration.schemas import ImportView, Target
from commerce.inventory.schemas import CreateLocation
from commerce.merchant.schemas import CreateMerchant
from commerce.payment.adapters.simulator import Simulator
from commerce.pricing.schemas import CreateChannel
from commerce.returns.schemas import SetReturnPolicy
from evals.retail.convert import load, records
from evals.retail.project import SOURCE
from kernel.auth import SYSTEM
from kernel.db import Work

FILE = Path(__file__).with_name("channel.yaml")
PASSWORD = "a password of the replay"  # noqa: S105  # of people who live as long as one run
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Terms:
    """`channel.yaml` as it is."""

    facts: Json

    @classmethod
    def read(cls, code: str | None = None) -> "Terms":
        """`code` is the channel's, where it shall not be the one of the file."""
        facts = yaml.safe_load(FILE.read_text())
        if code:
            facts["channel"]["code"] = code
        return cls(facts)

    @property
    def code(self) -> str:
        code: str = self.facts["channel"]["code"]
        return code


async def open_shop(shop: Commerce, work: Work, terms: Terms) -> tuple[UUID, UUID]:
    """The channel with its terms, and the merchant with a location: their ids, new or from before."""
    facts = terms.facts
    known = await work.row(
        "select m.id as merchant, l.id as location from merchants m join inventory_locations l on l.merchant_id = m.id "
        "where m.slug = $1 and l.code = $2",
        *(facts["merchant"]["slug"], facts["location"]["code"]),
    )
    if known:
        return known["merchant"], known["location"]
    await shop.pricing.create_channel(work, CreateChannel(**facts["channel"], policy=facts["policy"]))
    await shop.return_policies.set_policy(work, SetReturnPolicy(channel=terms.code, **facts["returns"]))
    merchant = (await shop.merchant.create(work, CreateMerchant(**facts["merchant"]))).id
    await shop.merchant.activate(work, merchant)
    place = CreateLocation(merchant_id=merchant, **facts["location"])
    return merchant, await shop.inventory.create_location(work, place)


async def bring_in(shop: Commerce, folder: Path, terms: Terms) -> ImportView:
    """The whole world of a folder through an import job; again, it goes on where it was or has nothing to do."""
    world = load(folder)
    digest = sha256((folder / "db.json").read_bytes()).hexdigest()
    async with shop.database.work(SYSTEM) as work:
        merchant, location = await open_shop(shop, work, terms)
        target, position = await shop.imports.open(work, SOURCE, digest, terms.code, merchant, location)
    lines = list(records(world, terms.facts["stock"]))
    await shop.imports.bring(SYSTEM, target, position, lines)
    if isinstance(shop.payment.gateway, Simulator):
        await shop.payment.gateway.take_over()
    return await _seen(shop, target)


async def _seen(shop: Commerce, target: Target) -> ImportView:
    async with shop.database.work(SYSTEM) as work:
        return await shop.imports.view(work, target.job_id)


async def sign_up(shop: Commerce, people: Iterable[CustomerView]) -> None:
    """A user for each of these customers, all with one password."""
    password = await hashed(PASSWORD)
    async with shop.database.work(SYSTEM) as work:
        for person in people:
            user = await shop.identity.create_user(work, person.email, password, person.name)
            await shop.identity.add_role(work, user, "customer", customer_id=person.id)
