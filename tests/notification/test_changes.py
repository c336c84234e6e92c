"""Who changed an order, or has it on its way, is told so: what it holds now and what went where."""

from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from commerce.app import Commerce
from tests.factories.api import signed_in
from tests.factories.variants import add_choice
from tests.factories.world import World
from tests.order.test_items import bought, change, wish


async def test_a_change_and_a_parcel_are_told(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shop: Commerce, world: World, settle: Any
) -> None:
    shirt = await add_choice(shop, world, {"red": 2000, "gold": 3500})
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    order = await bought(ann, {shirt["red"]: 2})
    done = await change(ann, order, wish(order, shirt["red"], shirt["gold"], payment_token="tok_success"))
    await settle()
    mail = await sql.fetchrow("select recipient, subject, text from email_messages order by id desc limit 1")
    assert (mail["recipient"], mail["subject"]) == ("ann@demo.test", f"Your order {order['number']} was changed")
    lines = [line.strip() for line in mail["text"].splitlines() if line.strip()]
    assert lines[2:5] == ["1 x Shirt (red)", "1 x Shirt (gold)", "15.00 EUR more was charged."]
    for line in done["order"]["lines"]:
        pick = f"/v1/warehouse/picks/{order['id']}/lines/{line['id']}"
        assert (await north.post(pick, {"quantity": 1}, None)).status_code == 204
    parcel = {"lines": [{"line_id": done["order"]["lines"][0]["id"], "quantity": 1}]}
    await north.post(f"/v1/orders/{order['id']}/shipments", parcel, key=str(uuid4()))
    await settle()
    mail = await sql.fetchrow("select subject, text from email_messages order by id desc limit 1")
    assert mail["subject"] == f"A parcel of your order {order['number']} is on its way"
    assert "the rest follows" in mail["text"]
    feed = await ann.get("/v1/me/notifications")
    assert [entry["kind"] for entry in feed["items"]] == ["OrderShipped", "OrderModified", "OrderConfirmed"]
    declined = await bought(ann, {shirt["red"]: 1})
    await change(ann, declined, wish(declined, shirt["red"], shirt["gold"], payment_token="tok_decline"))
    await settle()
    last = await sql.fetchval("select subject from email_messages order by id desc limit 1")
    assert last == f"Your order {declined['number']} is confirmed"
