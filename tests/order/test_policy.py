"""A strict shop, by its policy alone: one change of items, nothing but the address after it, money only where it came from."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.ids import parse
from tests.factories.api import Caller, signed_in
from tests.factories.books import broken, whole_state
from tests.factories.variants import add_choice
from tests.factories.world import ADDRESS, World
from tests.order.test_items import bought, change, gift_card, wish

STRICT = {
    "cancel_reasons": ["no longer needed", "ordered by mistake"],
    "cancel": {"states": ["confirmed"], "after_items": False},
    "cancel_lines": {"states": []},
    "items": {"states": ["confirmed"], "most": 1},
    "payment": {"states": ["confirmed"], "after_items": False},
    "address": {"states": ["confirmed"], "most": 2},
    "difference_to": "original",
}


@pytest.fixture
async def strict(http: httpx.AsyncClient) -> Any:
    admin = await signed_in(http, "admin")
    await admin.call("PUT", "/v1/channels/web/policy", 200, json=STRICT)
    yield
    await admin.call("PUT", "/v1/channels/web/policy", 200, json={})


async def test_after_the_one_change_of_items_only_the_address_may_change(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shop: Commerce, world: World, strict: None
) -> None:
    ann = await signed_in(http, "ann")
    shirt = await add_choice(shop, world, {"red": 2000, "blue": 2000, "grey": 1200})
    order = await bought(ann, {shirt["red"]: 1})
    path = f"/v1/orders/{order['id']}"

    async def refused(where: str, body: Any, code: str) -> None:
        before = await whole_state(sql, parse("grp", order["group_id"]))
        await ann.refused("POST", f"{path}/{where}", 409, code, json=body, key=str(uuid4()))
        assert await whole_state(sql, parse("grp", order["group_id"])) == before

    line = {"line_id": order["lines"][0]["id"]}
    await refused("lines/cancel", {"items": [line], "reason": "ordered by mistake"}, "order_not_changeable")
    elsewhere = wish(order, shirt["red"], shirt["grey"], payment_method_id=await gift_card(http, ann, 1))
    await refused("lines", elsewhere, "refund_destination_refused")
    even = await change(ann, order, wish(order, shirt["red"], shirt["blue"]))
    assert (even["change"]["status"], even["change"]["difference"]["amount"]) == ("applied", 0)
    assert even["order"]["items_modified"] is True
    await refused("lines", wish(even["order"], shirt["blue"], shirt["red"]), "order_change_spent")
    await refused("payment-method", {"payment_token": "tok_success_other"}, "order_change_spent")
    await refused("cancel", {"reason": "ordered by mistake"}, "order_change_spent")
    await moved(ann, path)
    await moved(ann, path)
    await refused("address", {"address": ADDRESS}, "order_change_spent")
    kinds = [found["kind"] for found in await ann.get(f"{path}/changes")]
    assert kinds == ["items", "address", "address"]
    assert await broken(sql) == {}


async def moved(buyer: Caller, path: str) -> None:
    await buyer.post(f"{path}/address", {"address": ADDRESS}, 200, key=str(uuid4()))


async def test_money_goes_back_only_to_what_paid(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shop: Commerce, world: World, strict: None
) -> None:
    ann = await signed_in(http, "ann")
    shirt: dict[str, UUID] = await add_choice(shop, world, {"red": 2000, "grey": 1200})
    order = await bought(ann, {shirt["red"]: 1})
    done = await change(ann, order, wish(order, shirt["red"], shirt["grey"]))
    rows = [(row["type"], row["amount"]["amount"], row["method"]) for row in done["payments"]]
    assert rows == [("payment", 2490, "card"), ("refund", 800, "card")]
    assert await broken(sql) == {}
