"""What an import promises: each record whole or not at all, once, and a job goes on where it was cut off."""

import copy
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from cli.imports import _csv
from commerce.app import Commerce
from commerce.integration.schemas import Target
from commerce.integration.service import JobMoved
from commerce.inventory.schemas import CreateLocation
from commerce.merchant.schemas import CreateMerchant
from kernel.auth import SYSTEM, Principal
from kernel.errors import Forbidden

ADDRESS = {"name": "Ida Berg", "line1": "Ring 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}
PRODUCT = {
    "type": "product", "id": "p1", "name": "Imported bowl", "category": "Imported bowls",
    "variants": [
        {"id": "v1", "sku": "BOWL-1", "options": {"size": "S"}, "price": 1000, "stock": 5},
        {"id": "v2", "sku": "BOWL-2", "options": {"size": "L"}, "price": 1500},
    ],
}  # fmt: skip
CUSTOMER = {
    "type": "customer", "id": "c1", "email": "Ida@Import.test", "first_name": "Ida", "last_name": "Berg",
    "address": ADDRESS,
    "payment_methods": [
        {"id": "m1", "kind": "card", "brand": "visa", "last4": "4242"},
        {"id": "m2", "kind": "gift_card", "balance": 700},
        {"id": "m3", "kind": "wallet", "brand": "paypal"},
    ],
}  # fmt: skip
ORDER = {
    "type": "order", "id": "o1", "number": "IMP1", "customer": "c1", "status": "open", "address": ADDRESS,
    "lines": [{"sku": "BOWL-2", "price": 1400, "quantity": 2}, {"sku": "BOWL-1", "price": 900, "name": "Old bowl"}],
    "payments": [{"kind": "payment", "amount": 3700, "method": "m2"}],
}  # fmt: skip
COUNTED = (
    *("products", "product_variants", "customers", "customer_addresses", "payment_methods", "orders", "order_lines"),
    *("payment_intents", "payment_transactions", "ledger_entries", "inventory_reservations", "warehouse_tasks"),
    "integration_external_references",
)


@pytest.fixture(scope="module")
async def place(shop: Commerce) -> tuple[Any, Any]:
    async with shop.database.work(SYSTEM) as work:
        command = CreateMerchant(
            slug="imports", name="Imports", legal_name="Imports", description="Imports", support_email="i@import.test"
        )
        merchant = (await shop.merchant.create(work, command)).id
        await shop.merchant.activate(work, merchant)
        location = await shop.inventory.create_location(
            work, CreateLocation(merchant_id=merchant, code="imports", name="Imports", country="DE")
        )
    return merchant, location


async def opened(shop: Commerce, place: tuple[Any, Any], digest: str, source: str = "old") -> tuple[Target, int]:
    async with shop.database.work(SYSTEM) as work:
        return await shop.imports.open(work, source, digest, "web", *place)


async def seen(shop: Commerce, target: Target) -> Any:
    async with shop.database.work(SYSTEM) as work:
        return await shop.imports.view(work, target.job_id)


async def counts(sql: asyncpg.Connection) -> dict[str, int]:
    return {name: await sql.fetchval(f"select count(*) from {name}") for name in COUNTED}


@pytest.fixture(scope="module", autouse=True)
async def publishable(shop: Commerce) -> None:
    """Goods from elsewhere come without pictures."""
    async with shop.database.work(SYSTEM) as work:
        policy = await shop.pricing.policy(work, "web")
        await shop.pricing.set_policy(work, "web", policy.model_copy(update={"publish_needs": ["price"]}))


async def test_everything_comes_in_as_it_was(shop: Commerce, place: Any, sql: asyncpg.Connection) -> None:
    target, position = await opened(shop, place, "first")
    await shop.imports.bring(SYSTEM, target, position, [PRODUCT, CUSTOMER, ORDER])
    view = await seen(shop, target)
    assert (view.status, view.lines, view.taken, view.known, view.refused, view.errors) == ("done", 3, 3, 0, 0, [])
    row = await sql.fetchrow(
        "select o.status, o.payment_status, o.total, c.email, c.first_name, c.last_name from orders o "
        "join customers c on c.id = o.customer_id where o.number = 'IMP1'"
    )
    assert tuple(row) == ("confirmed", "paid", 3700, "ida@import.test", "Ida", "Berg")
    lines = await sql.fetch(
        "select l.sku, l.name, l.quantity, l.unit_minor from order_lines l join orders o on o.id = l.order_id "
        "where o.number = 'IMP1' order by l.id"
    )
    assert [tuple(line) for line in lines] == [("BOWL-2", "Imported bowl", 2, 1400), ("BOWL-1", "Old bowl", 1, 900)]


async def test_units_of_an_open_order_lie_aside_and_movements_add_up(sql: asyncpg.Connection) -> None:
    rows = await sql.fetch(
        "select v.sku, l.on_hand, l.allocated, sum(m.on_hand)::bigint, sum(m.allocated)::bigint from inventory_levels l "
        "join product_variants v on v.id = l.variant_id join inventory_movements m on m.level_id = l.id "
        "where v.sku like 'BOWL-%' group by v.sku, l.id order by v.sku"
    )
    assert [tuple(row) for row in rows] == [("BOWL-1", 6, 1, 6, 1), ("BOWL-2", 2, 2, 2, 2)]


async def test_a_gift_card_has_what_the_ledger_says(sql: asyncpg.Connection) -> None:
    row = await sql.fetchrow(
        "select g.balance, (select sum(case when e.credit_id = a.id then e.amount else -e.amount end)::bigint "
        "from ledger_entries e where a.id in (e.credit_id, e.debit_id)) from payment_gift_cards g "
        "join ledger_accounts a on a.owner_id = g.id join payment_methods m on m.gift_card_id = g.id "
        "join customers c on c.id = m.customer_id where c.email = 'ida@import.test'"
    )
    assert tuple(row) == (700, 700)


async def test_the_same_records_change_nothing(shop: Commerce, place: Any, sql: asyncpg.Connection) -> None:
    before = await counts(sql)
    target, position = await opened(shop, place, "first")
    assert position == 3
    await shop.imports.bring(SYSTEM, target, position, [PRODUCT, CUSTOMER, ORDER])
    again, position = await opened(shop, place, "another file")
    await shop.imports.bring(SYSTEM, again, position, [PRODUCT, CUSTOMER, ORDER])
    view = await seen(shop, again)
    assert (view.taken, view.known, await counts(sql)) == (0, 3, before)


BROKEN = {
    "import_reference_unknown": {**ORDER, "id": "o2", "customer": "nobody"},
    "payment_refund_too_high": {**ORDER, "id": "o3", "payments": [{"kind": "refund", "amount": 1, "method": "m2"}]},
    "customer_known": {**CUSTOMER, "id": "c2", "payment_methods": []},
    "sku_taken": {**PRODUCT, "id": "p2", "name": "Another bowl"},
    "invalid": {**ORDER, "id": "o4", "lines": []},
}


async def test_a_record_that_is_refused_leaves_nothing(shop: Commerce, place: Any, sql: asyncpg.Connection) -> None:
    before = await counts(sql)
    target, position = await opened(shop, place, "broken")
    await shop.imports.bring(SYSTEM, target, position, [copy.deepcopy(one) for one in BROKEN.values()])
    view = await seen(shop, target)
    assert (view.taken, view.refused, await counts(sql)) == (0, 5, before)
    assert [(error.line, error.external_id) for error in view.errors] == [
        (number, one["id"]) for number, one in enumerate(BROKEN.values(), 1)
    ]
    codes = [error.code for error in view.errors]
    assert (codes[0], codes[2], codes[4]) == ("import_reference_unknown", "customer_known", "invalid")


async def test_a_job_goes_on_behind_its_last_batch(shop: Commerce, place: Any, sql: asyncpg.Connection) -> None:
    people = [
        {**CUSTOMER, "id": f"n{n}", "email": f"n{n}@import.test", "payment_methods": [], "address": None}
        for n in range(4)
    ]
    target, position = await opened(shop, place, "cut off")
    async with shop.database.work(SYSTEM) as work:
        await shop.imports.run(work, target, people[:2], 1, False)
    again, position = await opened(shop, place, "cut off")
    assert (again.job_id, position) == (target.job_id, 2)
    with pytest.raises(JobMoved):
        async with shop.database.work(SYSTEM) as work:
            await shop.imports.run(work, target, people[:2], 1, False)
    await shop.imports.bring(SYSTEM, again, position, people)
    assert await sql.fetchval("select count(*) from customers where email like 'n%@import.test'") == 4
    view = await seen(shop, target)
    assert (view.status, view.lines, view.taken) == ("done", 4, 4)


async def test_who_may_not_import_changes_nothing(shop: Commerce, place: Any, sql: asyncpg.Connection) -> None:
    before = await sql.fetchval("select count(*) from integration_import_jobs")
    with pytest.raises(Forbidden):
        async with shop.database.work(Principal(roles=frozenset({"support"}))) as work:
            await shop.imports.open(work, "old", "mine", "web", *place)
    assert await sql.fetchval("select count(*) from integration_import_jobs") == before


def test_a_row_of_a_table_is_a_record(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(
        "type,id,email,first_name,last_name,address.city,payment_methods\n"
        'customer,7,a@b.test,A,B,Rome,"[{""id"": ""m"", ""kind"": ""wallet""}]"\n'
        "customer,8,c@b.test,C,,,\n"
    )
    assert list(_csv(path)) == [
        {
            "type": "customer", "id": "7", "email": "a@b.test", "first_name": "A", "last_name": "B",
            "address": {"city": "Rome"}, "payment_methods": [{"id": "m", "kind": "wallet"}],
        },
        {"type": "customer", "id": "8", "email": "c@b.test", "first_name": "C"},
    ]  # fmt: skip
