"""`agora seed` makes a shop that reads like one, with orders in every state that today's services lead to."""

import asyncio
import re
from collections.abc import AsyncIterator

import asyncpg
import pytest

from api.pictures import shape_of
from cli.seed import CUSTOMERS, fill
from migrations import upgrade as migrations
from tests.conftest import Ground, opened, settings

ORDERS = 50
STATES = {
    ("confirmed", "paid", "picking"),
    ("cancelled", "failed", "unfulfilled"),
    ("cancelled", "refunded", "unfulfilled"),
    ("placed", "pending", "unfulfilled"),
}
"""Order, payment and fulfilment status together."""


@pytest.fixture(scope="module")
async def seeded(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[asyncpg.Connection]:
    """A database of its own with the whole demo shop and a few orders."""
    name, folder = "agora_seeded", tmp_path_factory.mktemp("seed")
    await migrations.drop_database(ground.server, name)
    url = await migrations.create_database(ground.server, name)
    await asyncio.to_thread(migrations.upgrade, url)
    async with opened(url, demo=True, data_dir=folder) as shop:
        await fill(shop, settings(demo=True, data_dir=folder), ORDERS)
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()
    await migrations.drop_database(ground.server, name)


async def values(sql: asyncpg.Connection, query: str) -> set[object]:
    return {row[0] if len(row) == 1 else tuple(row) for row in await sql.fetch(query)}


async def test_the_catalogue_is_a_whole_shop(seeded: asyncpg.Connection) -> None:
    counted = await seeded.fetchrow(
        "select (select count(*) from merchants), (select count(*) from products), "
        "(select count(*) from product_variants), (select count(distinct category_id) from products), "
        "(select count(*) from customers where email <> 'customer@demo.test')"
    )
    assert tuple(counted) == (3, 64, 207, 12, CUSTOMERS)
    names = await values(seeded, "select name from products")
    assert len(names) == 64
    for row in await seeded.fetch("select slug, name, description, specifications from products"):
        assert re.fullmatch(r"[A-Z0-9].{40,200}\.", row["description"]), row["name"]
        assert len(row["specifications"]) >= 1, row["name"]
        assert shape_of(row["slug"]) != "box", f"{row['name']} has a picture of its own kind"


async def test_a_larger_one_costs_more(seeded: asyncpg.Connection) -> None:
    prices = await seeded.fetch(
        "select v.options->>'Capacity' as size, r.minor from products p join product_variants v on v.product_id = p.id "
        "join prices r on r.variant_id = v.id join price_lists l on l.id = r.price_list_id and l.currency = 'EUR' "
        "where p.slug = 'vault-portable-ssd' order by r.minor"
    )
    assert [tuple(row) for row in prices] == [("1 TB", 11900), ("2 TB", 18900), ("4 TB", 33900)]


async def test_orders_stand_in_every_state_there_is_a_way_to(seeded: asyncpg.Connection) -> None:
    assert await seeded.fetchval("select count(*) from order_groups") == ORDERS
    assert await values(seeded, "select status, payment_status, fulfillment_status from orders") == STATES
    assert await values(seeded, "select status from warehouse_tasks") == {"open", "done", "cancelled"}
    intents = {"captured", "refunded", "failed", "requires_action", "processing"}
    assert await values(seeded, "select status from payment_intents") == intents
    assert await values(seeded, "select kind from payment_intents") == {"card", "gift_card"}
    assert await values(seeded, "select decision from payment_fraud_checks") == {"accept", "review"}
    assert await values(seeded, "select customer_id is null from order_groups") == {True, False}
    assert await values(seeded, "select status from saga_instances") == {"completed", "compensated", "waiting"}


async def test_what_the_seed_sold_is_in_the_books(seeded: asyncpg.Connection) -> None:
    oversold = "select count(*) from inventory_levels where reserved + allocated > on_hand"
    moved = (
        "select count(*) from inventory_levels l where (on_hand, reserved, allocated) <> (select sum(m.on_hand), "
        "sum(m.reserved), sum(m.allocated) from inventory_movements m where m.level_id = l.id)"
    )
    assert (await seeded.fetchval(oversold), await seeded.fetchval(moved)) == (0, 0)
    owed = await seeded.fetchval(
        "select sum(case when c.kind = 'sales' then amount else 0 end) - sum(case when d.kind = 'sales' then amount else 0 end) "
        "from ledger_entries e join ledger_accounts c on c.id = e.credit_id join ledger_accounts d on d.id = e.debit_id"
    )
    assert owed == await seeded.fetchval("select sum(total) from orders where payment_status = 'paid'")
