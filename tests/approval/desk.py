"""Who proposes and who decides, and a gesture for a fresh ticket to do it with."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from commerce.app import Commerce
from commerce.approval import Policy, Proposed
from commerce.approval.permissions import PROPOSE
from commerce.approval.schemas import Decide, ProposalView
from commerce.inventory.permissions import ADJUST_STOCK
from commerce.order.permissions import READ_ORDERS
from commerce.payment.permissions import REVIEW_FRAUD
from commerce.pricing.permissions import WRITE_PRICES
from commerce.product.permissions import WRITE_PRODUCTS
from commerce.support.permissions import OWN_TICKETS, WORK_TICKETS
from kernel.auth import SYSTEM, Principal
from kernel.ids import public
from tests.factories.world import World
from tests.support.people import customer, opened_by

GRANTS = frozenset(
    {PROPOSE, WORK_TICKETS, OWN_TICKETS, READ_ORDERS, REVIEW_FRAUD, WRITE_PRICES, WRITE_PRODUCTS, ADJUST_STOCK}
)
AGENT = SYSTEM.acting("support", GRANTS)
"""The support agent in a run that an event began: nobody's wish, no conversation."""
WAITS = 5_000
"""An amount one person has to accept; from TWO on two of them do."""
TWO = 15_000


async def person(shop: Commerce, name: str, world: World | None = None) -> Principal:
    """Somebody of the world as the API would see them; `support` and `admin`, or a merchant's member."""
    async with shop.database.work(SYSTEM) as work:
        user = await shop.identity.user_by_email(work, f"{name}@demo.test")
    assert user is not None
    if world and name in world.merchants:
        return replace(shop.identity.as_role("merchant"), user_id=user.id, merchant_ids=(world.merchants[name],))
    return replace(shop.identity.as_role(name), user_id=user.id)


async def ticket(shop: Commerce, world: World, name: str = "ann") -> str:
    return (await opened_by(shop, customer(shop, world, name))).number


async def gesture(shop: Commerce, number: str, minor: int = WAITS, who: Principal = AGENT) -> Proposed:
    async with shop.database.work(who) as work:
        draft = await shop.goodwill.draft(work, number, minor, "It came late.")
        return await shop.approval.propose(work, draft)


async def decide(shop: Commerce, who: Principal, proposal: UUID, accept: bool = True, **more: Any) -> ProposalView:
    async with shop.database.work(who) as work:
        return await shop.approval.decide(work, proposal, Decide(accept=accept, **more))


async def policy(shop: Commerce, kind: str, agent: str = "support", **limits: Any) -> None:
    """Sets limits beside those that are left out."""
    async with shop.database.work(SYSTEM) as work:
        await shop.approval.set_policy(work, agent, kind, Policy(**limits))


async def effects(sql: Any, proposal: UUID) -> tuple[int, int, int]:
    """Gift cards, ways to pay and ledger transfers that a gesture made."""
    found = await sql.fetchrow(
        "select (select count(*) from payment_gift_cards where id = $1), "
        "(select count(*) from payment_methods where gift_card_id = $1), "
        "(select count(*) from ledger_entries where reference_id = $1)",
        proposal,
    )
    return tuple(found)


async def everything(sql: Any) -> list[Any]:
    """What a refused call must leave as it was."""
    tables = (
        *("agent_proposals", "agent_decisions", "agent_caps", "agent_policies", "payment_gift_cards"),
        *("payment_methods", "ledger_entries", "prices", "inventory_levels", "payment_fraud_checks"),
    )
    found = [[tuple(row) for row in await sql.fetch(f"select * from {table} order by 1, 2")] for table in tables]
    return [
        *found,
        await sql.fetchval("select count(*) from audit_log"),
        await sql.fetchval("select count(*) from outbox_events"),
    ]


def prp(proposal: UUID) -> str:
    return public("prp", proposal)
