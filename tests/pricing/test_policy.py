"""A channel's policy is data: an administrator sets it, every policy it ever had stays on record, orders follow it."""

import json
from typing import Any

import asyncpg
import httpx

from commerce.pricing.policy import DEFAULT_POLICY, StorePolicy
from tests.factories.api import signed_in
from tests.factories.world import World

STRICT = {
    "cancel_reasons": ["no longer needed", "ordered by mistake"],
    "cancel": {"states": ["confirmed"], "after_items": False},
    "cancel_lines": {"states": [], "most": 0},
    "items": {"states": ["confirmed"], "most": 1},
    "payment": {"states": ["confirmed"], "after_items": False},
    "refund_to": "original_or_gift_card",
    "after_delivery_most": 1,
    "lookup_by_email": True,
    "lookup_by_name_and_postal_code": True,
}
PATH = "/v1/channels/us/policy"


async def history(sql: asyncpg.Connection, code: str) -> list[Any]:
    rows = await sql.fetch(
        "select p.policy, p.actor from channel_policies p join channels c on c.id = p.channel_id "
        "where c.code = $1 order by p.id",
        code,
    )
    return [tuple(row) for row in rows]


async def test_a_policy_is_set_whole_and_every_one_stays_on_record(
    http: httpx.AsyncClient, sql: asyncpg.Connection
) -> None:
    admin = await signed_in(http, "admin")
    assert await admin.get(PATH) == DEFAULT_POLICY.model_dump()
    expected = StorePolicy(**STRICT).model_dump()
    assert await admin.call("PUT", PATH, 200, json=STRICT) == expected
    assert await admin.get(PATH) == expected
    assert await admin.get("/v1/channels/web/policy") == DEFAULT_POLICY.model_dump()
    assert await admin.call("PUT", PATH, 200, json={}) == DEFAULT_POLICY.model_dump()
    kept = await history(sql, "us")
    assert [len(json.loads(policy)) for policy, _ in kept] == [0, len(STRICT), 0]
    assert kept[0][1] == "system"
    assert kept[1][1].startswith("user:")


async def test_a_policy_that_is_none_changes_nothing(http: httpx.AsyncClient, sql: asyncpg.Connection) -> None:
    admin, ann = await signed_in(http, "admin"), await signed_in(http, "ann")
    before = await history(sql, "web")
    for bad in (
        {"discounts_for_friends": True},
        {"items": {"states": ["shipped"]}},
        {"items": {"states": ["confirmed"], "most": -1}},
        {"cancel_reasons": []},
        {"refund_to": "wherever"},
    ):
        answer = await admin.call("PUT", "/v1/channels/web/policy", json=bad)
        assert answer.status_code == 422, bad
    await ann.refused("PUT", "/v1/channels/web/policy", 403, "forbidden", json={})
    await ann.refused("GET", "/v1/channels/web/policy", 403, "forbidden")
    await admin.refused("PUT", "/v1/channels/nowhere/policy", 404, "channel_unknown", json={})
    assert await history(sql, "web") == before


async def test_an_order_follows_the_policy_its_channel_has_now(http: httpx.AsyncClient, world: World) -> None:
    admin, ann = await signed_in(http, "admin"), await signed_in(http, "ann")
    group = await ann.checkout(await ann.cart({world.variants["mug"]: 1}))
    path = f"/v1/orders/{group['orders'][0]['id']}"
    address = {"name": "Ann", "line1": "New 2", "city": "Hamburg", "postal_code": "20095", "country": "DE"}
    closed = {"address": {"states": []}, "cancel_reasons": ["ordered by mistake"]}
    await admin.call("PUT", "/v1/channels/web/policy", 200, json=closed)
    no_reason = {"json": {"reason": "no longer needed"}, "key": "p1"}
    await ann.refused("POST", f"{path}/cancel", 422, "cancel_reason_invalid", **no_reason)
    await ann.refused("POST", f"{path}/address", 409, "order_address_fixed", json={"address": address}, key="p2")
    await admin.call("PUT", "/v1/channels/web/policy", 200, json={})
    changed = await ann.post(f"{path}/address", {"address": address}, 200, key="p3")
    assert changed["shipping_address"]["city"] == "Hamburg"
    done = await ann.post(f"{path}/cancel", {"reason": "no longer needed"}, 200, key="p4")
    assert done["status"] == "cancelled"
