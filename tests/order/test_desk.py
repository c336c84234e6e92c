"""Holds, notes, tags, buying again, files: what stands beside an order is seen by those it is for."""

import csv
import io
import json
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from commerce.order.export import exported
from commerce.order.schemas import OrderView
from kernel.ids import parse, public
from tests.factories.api import signed_in
from tests.factories.variants import add_choice
from tests.factories.world import World
from tests.order.test_items import bought


@pytest.fixture
async def shirt(shop: Commerce, world: World) -> dict[str, UUID]:
    return await add_choice(shop, world, {"red": 2000, "gold": 3500})


async def test_a_held_order_is_not_picked_until_it_is_released(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID], settle: Any
) -> None:
    ann, north, south = [await signed_in(http, name) for name in ("ann", "north", "south")]
    order = await bought(ann, {shirt["red"]: 1})
    path, line = f"/v1/orders/{order['id']}", order["lines"][0]["id"]
    (hold,) = await north.post(f"{path}/hold", {"reason": "address looks wrong"}, 200, key=str(uuid4()))
    assert (hold["reason"], hold["released_at"]) == ("address looks wrong", None)
    pick = f"/v1/warehouse/picks/{order['id']}/lines/{line}"
    assert (await north.post(pick, {"quantity": 1}, None)).status_code == 409
    again = {"json": {"reason": "twice"}, "key": str(uuid4())}
    await north.refused("POST", f"{path}/hold", 409, "order_on_hold", **again)
    for who, status, code in ((ann, 403, "forbidden"), (south, 404, "order_not_found")):
        await who.refused("POST", f"{path}/hold", status, code, json={"reason": "no"}, key=str(uuid4()))
        await who.refused("POST", f"{path}/release", status, code, json={}, key=str(uuid4()))
        await who.refused("GET", f"{path}/holds", status, code)
    await north.post(f"{path}/release", {}, 200, key=str(uuid4()))
    await north.refused("POST", f"{path}/release", 409, "order_not_on_hold", json={}, key=str(uuid4()))
    assert (await north.post(pick, {"quantity": 1}, None)).status_code == 204
    rows = await sql.fetch(
        "select reason, released_at is null from order_holds where order_id = $1", parse("ord", order["id"])
    )
    assert [tuple(row) for row in rows] == [("address looks wrong", False)]
    reason = {"reason": "no longer needed"}
    other = await bought(ann, {shirt["red"]: 1})
    await ann.post(f"/v1/orders/{other['id']}/cancel", reason, 200, key=str(uuid4()))
    await north.refused(
        "POST", f"/v1/orders/{other['id']}/hold", 409, "order_not_holdable", json=reason, key=str(uuid4())
    )
    await settle()
    events = await sql.fetch("select payload from outbox_events where type = 'OrderHeld'")
    assert len(events) == 1
    assert "address looks wrong" not in events[0]["payload"]


async def test_a_note_is_read_by_those_it_is_for(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID]
) -> None:
    ann, ben, north, south, support = [
        await signed_in(http, name) for name in ("ann", "ben", "north", "south", "support")
    ]
    order = await bought(ann, {shirt["red"]: 1})
    path = f"/v1/orders/{order['id']}/notes"
    await north.post(path, {"text": "fragile buyer"})
    await support.post(path, {"text": "We pack it twice.", "for_customer": True})
    assert [note["text"] for note in await ann.get(path)] == ["We pack it twice."]
    for who in (north, support):
        assert [note["text"] for note in await who.get(path)] == ["fragile buyer", "We pack it twice."]
    await ben.refused("GET", path, 404, "order_not_found")
    await south.refused("GET", path, 404, "order_not_found")
    await south.refused("POST", path, 404, "order_not_found", json={"text": "mine"})
    await ann.refused("POST", path, 403, "forbidden", json={"text": "mine"})
    assert await sql.fetchval("select count(*) from order_notes where order_id = $1", parse("ord", order["id"])) == 2


async def test_orders_are_found_by_their_tags(http: httpx.AsyncClient, shirt: dict[str, UUID]) -> None:
    ann, north, south = [await signed_in(http, name) for name in ("ann", "north", "south")]
    order = await bought(ann, {shirt["red"]: 1})
    path = f"/v1/orders/{order['id']}/tags"
    for _ in range(2):
        tags = await north.call("PUT", f"{path}/gift-wrap", 200)
        assert [tag["tag"] for tag in tags] == ["gift-wrap"]
    assert [found["id"] for found in (await north.get("/v1/orders?tag=gift-wrap"))["items"]] == [order["id"]]
    assert (await north.get("/v1/orders?tag=other"))["items"] == []
    assert (await ann.get("/v1/orders?tag=gift-wrap"))["items"] == []
    await south.refused("PUT", f"{path}/mine", 404, "order_not_found")
    await ann.refused("GET", path, 403, "forbidden")
    assert await north.call("DELETE", f"{path}/gift-wrap", 200) == []
    assert (await north.get("/v1/orders?tag=gift-wrap"))["items"] == []


async def test_an_order_is_bought_again_as_far_as_it_can_be(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: dict[str, UUID]
) -> None:
    ann, ben = await signed_in(http, "ann"), await signed_in(http, "ben")
    order = await bought(ann, {shirt["red"]: 2, shirt["gold"]: 1})
    await sql.execute("update inventory_levels set safety_stock = 100 where variant_id = $1", shirt["gold"])
    await ben.refused("POST", f"/v1/orders/{order['id']}/reorder", 404, "order_not_found")
    again = await ann.post(f"/v1/orders/{order['id']}/reorder")
    sku = {line["variant_id"]: line["sku"] for line in order["lines"]}
    assert again["left_out"] == [sku[public("var", shirt["gold"])]]
    assert [(line["variant_id"], line["quantity"]) for line in again["cart"]["lines"]] == [
        (public("var", shirt["red"]), 2)
    ]
    bought_again = await ann.checkout(again["cart"]["id"])
    assert bought_again["status"] == "confirmed"


async def test_orders_leave_as_a_file_page_by_page(
    http: httpx.AsyncClient, shirt: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small pages, so that a file has several; everybody gets their own orders only."""
    from api.routes import order as route

    monkeypatch.setattr(route, "EXPORTED", 2)
    ben, south = await signed_in(http, "ben"), await signed_in(http, "south")
    orders = [await bought(ben, {shirt["red"]: n, shirt["gold"]: 1}) for n in (1, 2, 3, 1, 2)]
    answer = await ben.get("/v1/orders/export?format=jsonl", None)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    listed = [json.loads(line) for line in answer.text.splitlines()]
    assert [found["id"] for found in listed] == [order["id"] for order in reversed(orders)]
    answer = await ben.get("/v1/orders/export", None)
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 10
    assert {row["order"] for row in rows} == {order["number"] for order in orders}
    assert [(row["quantity"], row["unit_price"], row["line_total"]) for row in rows[:2]] == [
        ("2", "20.00", "40.00"),
        ("1", "35.00", "35.00"),
    ]
    assert (await south.get("/v1/orders/export?format=jsonl", None)).text == ""
    answer = await ben.get("/v1/orders/export?format=exe", None)
    assert answer.status_code == 422


def test_no_cell_is_a_formula() -> None:
    money = {"amount": 100, "currency": "EUR"}
    order = OrderView.model_validate(
        {
            "id": uuid4(),
            "group_id": uuid4(),
            "merchant_id": uuid4(),
            "number": "A1",
            "status": "confirmed",
            "payment_status": "paid",
            "fulfillment_status": "picking",
            "shipping_address": None,
            "lines": [
                {
                    "id": uuid4(),
                    "variant_id": uuid4(),
                    "sku": "=1+1",
                    "name": "@SUM(A1)",
                    "options": {"a": "b"},
                    "quantity": 1,
                    "unit_price": money,
                    "total": money,
                }
            ],
            "totals": dict.fromkeys(("subtotal", "discount", "shipping", "tax", "total"), money)
            | {"tax_included": True},
            "placed_at": "2026-11-25T12:00:00Z",
        }
    )
    (row,) = csv.reader(io.StringIO(exported("csv", [order]).decode()))
    assert (row[5], row[6]) == ("'=1+1", "'@SUM(A1)")
