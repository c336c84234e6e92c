"""Units of an order are cancelled, or all of it: every captured payment goes back once, to its own method, and no further."""

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
from tests.order.test_items import allocated, balance, bought, change, gift_card, paid, wish

REASON = "no longer needed"


@pytest.fixture
async def shirt(shop: Commerce, world: World) -> dict[str, UUID]:
    return await add_choice(shop, world, {"red": 2000, "gold": 3500})


async def cancel_lines(buyer: Caller, order: Any, *items: dict[str, Any], reason: str = REASON) -> Any:
    body = {"items": list(items), "reason": reason}
    return await buyer.post(f"/v1/orders/{order['id']}/lines/cancel", body, 200, key=str(uuid4()))


async def cancel(buyer: Caller, order: Any) -> Any:
    return await buyer.post(f"/v1/orders/{order['id']}/cancel", {"reason": REASON}, 200, key=str(uuid4()))


async def test_units_are_cancelled_until_nothing_is_left(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID], settle: Any
) -> None:
    """Three units of 2000 with 10 % off: 1800 each; with the last one goes the delivery, and the order is cancelled."""
    ann = await signed_in(http, "ann")
    cart = await ann.cart({shirt["red"]: 3})
    await ann.post(f"/v1/carts/{cart}/coupons", {"code": "TEN"})
    order = (await ann.checkout(cart))["orders"][0]
    sku = order["lines"][0]["sku"]
    one = await cancel_lines(ann, order, {"sku": sku, "quantity": 1})
    assert one["change"]["difference"]["amount"] == -1800
    assert (one["order"]["status"], one["order"]["payment_status"]) == ("confirmed", "partially_refunded")
    assert one["order"]["lines"][0]["cancelled"] == 1
    assert await allocated(sql, shirt["red"]) == [2]
    pick = "select t.status, p.quantity from warehouse_tasks t join warehouse_picking_lines p using (order_id) where order_id = $1"
    assert tuple(await sql.fetchrow(pick, parse("ord", order["id"]))) == ("open", 2)
    rest = await cancel_lines(ann, order, {"line_id": order["lines"][0]["id"]})
    assert rest["change"]["difference"]["amount"] == -(3600 + 490)
    assert (rest["order"]["status"], rest["order"]["payment_status"]) == ("cancelled", "refunded")
    assert paid(rest) == [("payment", 5890, "card"), ("refund", 1800, "card"), ("refund", 4090, "card")]
    assert tuple(await sql.fetchrow(pick, parse("ord", order["id"]))) == ("cancelled", 0)
    assert await allocated(sql, shirt["red"]) == [0]
    group = await ann.get(f"/v1/order-groups/{order['group_id']}")
    assert (group["status"], group["payment"]["status"]) == ("cancelled", "refunded")
    await settle()
    kinds = [event["kind"] for event in await ann.get(f"/v1/orders/{order['id']}/timeline")]
    assert kinds.count("OrderModified") == 2
    assert "OrderCancelled" in kinds
    assert await broken(sql) == {}


async def test_one_merchants_order_is_cancelled_and_the_rest_of_the_purchase_later(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: dict[str, UUID]
) -> None:
    ann = await signed_in(http, "ann")
    group = await ann.checkout(await ann.cart({shirt["red"]: 1, world.variants["plate"]: 2}))
    by_merchant = {order["merchant_id"]: order for order in group["orders"]}
    first = by_merchant[public("mer", world.merchants["south"])]
    second = by_merchant[public("mer", world.merchants["north"])]
    done = await cancel_lines(ann, first, {"sku": "PLATE"})
    assert (done["order"]["status"], done["change"]["difference"]["amount"]) == ("cancelled", -5490)
    assert (await ann.get(f"/v1/order-groups/{group['id']}"))["status"] == "confirmed"
    after = await cancel(ann, second)
    assert after["status"] == "cancelled"
    rows = await ann.get(f"/v1/orders/{second['id']}/payments")
    assert [(row["type"], row["amount"]["amount"]) for row in rows] == [
        ("payment", 7980),
        ("refund", 5490),
        ("refund", 2490),
    ]
    assert await broken(sql) == {}


async def test_a_whole_cancellation_gives_every_payment_back_to_its_own_method(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: dict[str, UUID], settle: Any
) -> None:
    """Paid by card, an item changed on a gift card, the difference of another item given back: then all of it."""
    ann = await signed_in(http, "ann")
    gift = await gift_card(http, ann, 5000)
    order = await bought(ann, {shirt["red"]: 2})
    up = await change(ann, order, wish(order, shirt["red"], shirt["gold"], payment_method_id=gift))
    assert await balance(ann, gift) == 3500
    down = await change(ann, order, wish(up["order"], shirt["gold"], shirt["red"]))
    assert down["change"]["difference"]["amount"] == -1500
    assert await balance(ann, gift) == 3500
    cancelled = await cancel(ann, order)
    assert (cancelled["status"], cancelled["payment_status"]) == ("cancelled", "refunded")
    rows = await ann.get(f"/v1/orders/{order['id']}/payments")
    assert [(row["type"], row["amount"]["amount"], row["method"]) for row in rows] == [
        ("payment", 4490, "card"),
        ("payment", 1500, "gift card"),
        ("refund", 1500, "card"),
        ("refund", 1500, "gift card"),
        ("refund", 2990, "card"),
    ]
    assert await balance(ann, gift) == 5000
    asked = await sql.fetch(
        "select o.kind, o.amount from simulator_operations o join simulator_charges c using (reference) "
        "where c.description = $1 order by o.at, o.amount",
        order["group_id"][4:],
    )
    assert [tuple(row) for row in asked] == [("capture", 4490), ("refund", 1500), ("refund", 2990)]
    assert await allocated(sql, shirt["red"], shirt["gold"]) == [0, 0]
    assert await broken(sql) == {}


async def test_what_cannot_be_changes_nothing(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: dict[str, UUID], settle: Any
) -> None:
    ann, ben, north = [await signed_in(http, name) for name in ("ann", "ben", "north")]
    order = await bought(ann, {shirt["red"]: 2})
    await settle()
    sku = order["lines"][0]["sku"]
    path = f"/v1/orders/{order['id']}/lines/cancel"

    async def refused(buyer: Caller, items: Any, status: int, code: str, reason: str = REASON) -> None:
        before = await whole_state(sql, parse("grp", order["group_id"]))
        body = {"items": items, "reason": reason}
        await buyer.refused("POST", path, status, code, json=body, key=str(uuid4()))
        assert await whole_state(sql, parse("grp", order["group_id"])) == before

    await refused(ann, [{"sku": sku}], 422, "cancel_reason_invalid", "because")
    await refused(ann, [{"sku": sku, "quantity": 3}], 404, "order_line_unknown")
    await refused(ann, [{"sku": sku, "quantity": 2}, {"sku": sku, "quantity": 1}], 404, "order_line_unknown")
    await refused(ann, [{"sku": "MUG"}], 404, "order_line_unknown")
    await refused(ann, [{}], 404, "order_line_unknown")
    await refused(ben, [{"sku": sku}], 404, "order_not_found")
    await refused(north, [{"sku": sku}], 403, "forbidden")
    line = order["lines"][0]["id"]
    await north.post(f"/v1/warehouse/picks/{order['id']}/lines/{line}", {"quantity": 1}, None)
    await refused(ann, [{"sku": sku}], 409, "order_already_packed")
    half = await cancel_lines(ann, order, {"sku": sku, "quantity": 1})
    assert half["change"]["status"] == "applied"
    task = await sql.fetchval("select status from warehouse_tasks where order_id = $1", parse("ord", order["id"]))
    assert task == "done"
    up = wish(order, shirt["red"], shirt["gold"], payment_token="tok_success")
    changed = {"json": up, "key": str(uuid4())}
    await ann.refused("POST", f"/v1/orders/{order['id']}/lines", 404, "order_line_unknown", **changed)
    assert await broken(sql) == {}


async def test_more_than_was_paid_cannot_be_promised(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID]
) -> None:
    """The wall in Postgres: what is promised and what went back never exceed what was captured."""
    ann = await signed_in(http, "ann")
    order = await bought(ann, {shirt["red"]: 1})
    await sql.execute(
        "update payment_intents set refunding = 1000 where reference_id = $1", parse("grp", order["group_id"])
    )
    body = {"items": [{"line_id": order["lines"][0]["id"]}], "reason": REASON}
    await ann.refused(
        "POST", f"/v1/orders/{order['id']}/lines/cancel", 409, "refund_too_high", json=body, key=str(uuid4())
    )
    with pytest.raises(asyncpg.CheckViolationError):
        await sql.execute(
            "update payment_intents set refunding = 2491 where reference_id = $1", parse("grp", order["group_id"])
        )
    await sql.execute(
        "update payment_intents set refunding = 0 where reference_id = $1", parse("grp", order["group_id"])
    )


async def test_what_was_picked_is_not_cancelled_and_nobody_is_asked_for_a_yes(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID]
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    order = await bought(ann, {shirt["red"]: 2})
    path = f"/v1/warehouse/picks/{order['id']}/lines/{order['lines'][0]['id']}"
    await north.post(path, {"quantity": 2}, 204)
    before = await whole_state(sql, parse("grp", order["group_id"]))
    refused = await ann.post(f"/v1/orders/{order['id']}/cancel", {"reason": REASON}, None, key=str(uuid4()))
    assert (refused.status_code, refused.json()["code"]) == (409, "order_not_cancellable")
    assert await whole_state(sql, parse("grp", order["group_id"])) == before
