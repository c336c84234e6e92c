"""A purchase is paid another way: the new payment first, the old one back, every row kept; or nothing changes."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.ids import parse, public
from tests.factories.api import Caller, signed_in
from tests.factories.books import broken, whole_state
from tests.factories.variants import add_choice
from tests.factories.world import World
from tests.order.test_items import balance, bought, gift_card, paid


@pytest.fixture
async def shirt(shop: Commerce, world: World) -> dict[str, UUID]:
    return await add_choice(shop, world, {"red": 2000, "gold": 3500})


async def pay(buyer: Caller, order: dict[str, Any], body: dict[str, Any]) -> Any:
    return await buyer.post(f"/v1/orders/{order['id']}/payment-method", body, 200, key=str(uuid4()))


async def refused(buyer: Caller, sql: asyncpg.Connection, order: Any, body: Any, status: int, code: str) -> None:
    before = await whole_state(sql, parse("grp", order["group_id"]))
    path = f"/v1/orders/{order['id']}/payment-method"
    await buyer.refused("POST", path, status, code, json=body, key=str(uuid4()))
    assert await whole_state(sql, parse("grp", order["group_id"])) == before


async def test_a_gift_card_takes_over_from_a_card_and_a_card_from_a_gift_card(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: dict[str, UUID], settle: Any
) -> None:
    ann, card = await signed_in(http, "ann"), public("pm", world.cards["ann"])
    gift = await gift_card(http, ann, 3000)
    order = await bought(ann, {shirt["red"]: 1}, payment_token=None, payment_method_id=card)
    done = await pay(ann, order, {"payment_method_id": gift})
    assert done["change"]["status"] == "applied"
    assert paid(done) == [
        ("payment", 2490, "visa ending in 4242"),
        ("payment", 2490, "gift card"),
        ("refund", 2490, "visa ending in 4242"),
    ]
    assert await balance(ann, gift) == 510
    assert (done["order"]["status"], done["order"]["payment_status"]) == ("confirmed", "paid")
    group = await ann.get(f"/v1/order-groups/{order['group_id']}")
    assert group["payment"]["status"] == "captured"
    other = await bought(ann, {shirt["red"]: 1}, payment_token="tok_success_other")
    back = await pay(ann, other, {"payment_token": "tok_success_third"})
    assert paid(back) == [("payment", 2490, "card"), ("payment", 2490, "card"), ("refund", 2490, "card")]
    await settle()
    assert await broken(sql) == {}


async def test_a_gift_card_is_credited_at_once_when_a_card_takes_over(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: dict[str, UUID]
) -> None:
    ann, card = await signed_in(http, "ann"), public("pm", world.cards["ann"])
    gift = await gift_card(http, ann, 3000)
    order = await bought(ann, {shirt["red"]: 1}, payment_token=None, payment_method_id=gift)
    assert await balance(ann, gift) == 510
    declined = await pay(ann, order, {"payment_token": "tok_decline"})
    assert (declined["change"]["status"], declined["change"]["failure"]) == ("failed", "payment_declined")
    assert paid(declined) == [("payment", 2490, "gift card")]
    done = await pay(ann, order, {"payment_method_id": card})
    assert paid(done)[1:] == [("payment", 2490, "visa ending in 4242"), ("refund", 2490, "gift card")]
    assert await balance(ann, gift) == 3000
    assert await broken(sql) == {}


async def test_a_purchase_of_two_merchants_is_paid_as_a_whole(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: dict[str, UUID]
) -> None:
    ann = await signed_in(http, "ann")
    order = await bought(ann, {shirt["red"]: 1, world.variants["plate"]: 1})
    done = await pay(ann, order, {"payment_token": "tok_success_other"})
    assert paid(done) == [("payment", 5480, "card"), ("payment", 5480, "card"), ("refund", 5480, "card")]
    owed = await sql.fetch(
        "select a.owner_id, sum(case when e.credit_id = a.id then e.amount else -e.amount end) as owed "
        "from ledger_entries e join ledger_accounts a on a.id in (e.credit_id, e.debit_id) and a.kind = 'sales' "
        "where e.reference_id = $1 group by a.owner_id",
        parse("grp", order["group_id"]),
    )
    assert {row["owner_id"]: row["owed"] for row in owed} == {
        world.merchants["north"]: 2490,
        world.merchants["south"]: 2990,
    }
    assert await broken(sql) == {}


async def test_what_cannot_be_changes_nothing(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: dict[str, UUID]
) -> None:
    ann, ben, card = await signed_in(http, "ann"), await signed_in(http, "ben"), public("pm", world.cards["ann"])
    order = await bought(ann, {shirt["red"]: 1}, payment_token=None, payment_method_id=card)
    low = await gift_card(http, ann, 2489)
    cases: list[tuple[Any, int, str]] = [
        ({}, 422, "payment_required"),
        ({"payment_method_id": card}, 409, "payment_method_same"),
        ({"payment_method_id": low}, 409, "gift_card_insufficient"),
        ({"payment_method_id": public("pm", world.cards["ben"])}, 404, "payment_method_unknown"),
        ({"payment_token": "4242424242424242"}, 422, "payment_token_invalid"),
    ]
    for body, status, code in cases:
        await refused(ann, sql, order, body, status, code)
    await refused(ben, sql, order, {"payment_token": "tok_success_b"}, 404, "order_not_found")
    await pay(ann, order, {"payment_token": "tok_success_other"})
    await refused(ann, sql, order, {"payment_method_id": card}, 409, "payment_not_single")
    changed = await bought(ann, {shirt["red"]: 1})
    items = [{"line_id": changed["lines"][0]["id"], "variant_id": public("var", shirt["gold"])}]
    body = {"items": items, "payment_method_id": card}
    await ann.post(f"/v1/orders/{changed['id']}/lines", body, 200, key=str(uuid4()))
    await refused(ann, sql, changed, {"payment_token": "tok_success_b"}, 409, "payment_not_single")
    cancelled = await bought(ann, {shirt["red"]: 1})
    reason = {"reason": "no longer needed"}
    await ann.post(f"/v1/orders/{cancelled['id']}/cancel", reason, 200, key=str(uuid4()))
    await refused(ann, sql, cancelled, {"payment_token": "tok_success_b"}, 409, "order_not_changeable")
    assert await broken(sql) == {}
