"""The inbox through the API: what staff and merchants see of a proposal, how they answer, who sets the limits."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.ids import public
from tests.approval.desk import AGENT, WAITS, everything, gesture, policy, prp, ticket
from tests.approval.test_kinds import new_price
from tests.factories.api import Caller, guest, signed_in
from tests.factories.world import World

YES, NO = {"accept": True}, {"accept": False, "note": "No."}


async def answer(caller: Caller, proposal: UUID, body: dict[str, Any], expect: int | None = 200) -> Any:
    return await caller.post(f"/v1/approvals/{prp(proposal)}/decision", body, expect, key=str(uuid4()))


async def test_staff_sees_in_words_what_happens_on_yes(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    support, number = await signed_in(http, "support"), await ticket(shop, world)
    made = await gesture(shop, number)
    seen = await support.get(f"/v1/approvals/{prp(made.proposal)}")
    assert seen["summary"] == f"Give the customer of ticket {number} a gift card of 50.00 EUR, and tell them so there."
    assert (seen["amount"], seen["agent_says"]) == ({"amount": WAITS, "currency": "EUR"}, "It came late.")
    assert (seen["status"], seen["rule"], seen["why"]) == ("waiting", "APPROVAL-7", "A person has to decide.")
    assert (seen["agent"], seen["kind"], seen["proposed_for"]) == ("support", "support.goodwill", "system")
    assert seen["object"].startswith("tkt_")
    (line,) = (await support.get(f"/v1/approvals?status=waiting&agent=support&object={seen['object']}"))["items"]
    assert line == seen
    assert (await support.get("/v1/approvals?status=expired"))["items"] == []
    done = await answer(support, made.proposal, {**YES, "note": "Fair.", "digest": seen["digest"]})
    assert (done["status"], done["result"]) == ("accepted", {"ticket": seen["object"], "gift_card": "50.00 EUR"})
    assert [(d["accept"], d["note"]) for d in done["decisions"]] == [(True, "Fair.")]
    cards = await (await signed_in(http, "ann")).get("/v1/me/payment-methods")
    assert {"amount": WAITS, "currency": "EUR"} in [card["balance"] for card in cards]
    assert await sql.fetchval("select count(*) from audit_log where object = $1", f"proposal:{made.proposal}") == 2


async def test_a_decision_needs_its_key_and_is_told_again(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    support, admin = await signed_in(http, "support"), await signed_in(http, "admin")
    made = await gesture(shop, await ticket(shop, world))
    path = f"/v1/approvals/{prp(made.proposal)}/decision"
    await support.refused("POST", path, 400, "idempotency_key_required", json=YES)
    first = await support.post(path, YES, 200, key="k1")
    assert await support.post(path, YES, 200, key="k1") == first
    assert await support.post(path, YES, 200, key="k2") == first
    before = await everything(sql)
    await support.refused("POST", path, 422, "idempotency_key_reused", json=NO, key="k1")
    await support.refused("POST", path, 409, "decision_contrary", json=NO, key="k3")
    await admin.refused("POST", path, 409, "proposal_decided", json=NO, key="k4")
    await support.refused("POST", path, 409, "proposal_hash_mismatch", json={**YES, "digest": "0" * 64}, key="k5")
    assert await everything(sql) == before


async def test_pages_are_keyset(shop: Commerce, http: httpx.AsyncClient, world: World) -> None:
    support, agent = await signed_in(http, "support"), replace(AGENT, act="pages")
    made = [prp((await gesture(shop, await ticket(shop, world), WAITS, agent)).proposal) for _ in range(3)]
    first = await support.get("/v1/approvals?agent=pages&size=2")
    second = await support.get(f"/v1/approvals?agent=pages&size=2&cursor={first['next']}")
    assert [one["id"] for one in (*first["items"], *second["items"])] == made[::-1]
    assert second["next"] is None


async def test_a_merchant_sees_and_decides_what_is_theirs(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    north, south, support = [await signed_in(http, name) for name in ("north", "south", "support")]
    made = await new_price(shop, "PEN", 250)
    await policy(shop, "pricing.price", "pricing", accept_most=None)
    made = await new_price(shop, "PEN", 270) if made.status == "accepted" else made
    gift = await gesture(shop, await ticket(shop, world))
    assert {one["id"] for one in (await north.get("/v1/approvals"))["items"]} == {
        public("prp", row["id"])
        for row in await sql.fetch("select id from agent_proposals where kind = 'pricing.price'")
    }
    assert (await south.get("/v1/approvals"))["items"] == []
    before = await everything(sql)
    for caller, proposal in ((south, made.proposal), (north, gift.proposal)):
        await caller.refused("GET", f"/v1/approvals/{prp(proposal)}", 404, "proposal_unknown")
        path = f"/v1/approvals/{prp(proposal)}/decision"
        await caller.refused("POST", path, 404, "proposal_unknown", json=YES, key=str(uuid4()))
    path = f"/v1/approvals/{prp(made.proposal)}/decision"
    await support.refused("POST", path, 403, "forbidden", json=YES, key=str(uuid4()))
    assert await everything(sql) == before
    assert (await answer(north, made.proposal, YES))["status"] == "accepted"
    assert await sql.fetchval("select minor from prices where variant_id = $1", world.variants["pen"]) == 270


@pytest.mark.parametrize("name", ["ann", "guest"])
async def test_customers_have_no_inbox(http: httpx.AsyncClient, name: str) -> None:
    caller = guest(http) if name == "guest" else await signed_in(http, name)
    status, code = (401, "unauthenticated") if name == "guest" else (403, "forbidden")
    for method, path in (
        ("GET", "/v1/approvals"),
        ("GET", f"/v1/approvals/prp_{'0' * 32}"),
        ("POST", f"/v1/approvals/prp_{'0' * 32}/decision"),
        ("GET", "/v1/agents/support/policies"),
    ):
        await caller.refused(method, path, status, code, **({"json": YES} if method == "POST" else {}))


async def test_admin_sets_the_limits_and_they_hold_from_the_next_one_on(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    admin, support = await signed_in(http, "admin"), await signed_in(http, "support")
    known = {one["kind"]: one for one in await admin.get("/v1/agents/payment/policies")}
    assert set(known) == {
        *("payment.review_verdict", "support.goodwill", "support.note"),
        *("pricing.price", "inventory.adjust", "inventory.refill"),
        *("returns.verdict", "refund.verdict", "order.note"),
        *("warehouse.replan", "warehouse.variance", "shipping.news", "shipping.gesture", "shipping.resend"),
    }
    assert (known["support.goodwill"]["own"], known["support.goodwill"]["policy"]["accept_most"]) == (False, 1_000)
    path = "/v1/agents/payment/policies/support.goodwill"
    agent = replace(AGENT, act="payment")
    assert (await gesture(shop, await ticket(shop, world, "ben"), 100, agent)).status == "accepted"
    await support.refused("PUT", path, 403, "forbidden", json={"accept_most": 1})
    await admin.refused("PUT", "/v1/agents/nobody/policies/support.goodwill", 404, "agent_unknown", json={})
    await admin.refused("PUT", "/v1/agents/payment/policies/moon", 404, "proposal_kind_unknown", json={})
    await admin.refused("PUT", path, 422, "invalid_request", json={"accept_most": -1})
    set_ = await admin.call("PUT", path, 200, json={"accept_most": 99, "minutes": 5})
    assert (set_["own"], set_["policy"]["accept_most"], set_["policy"]["minutes"]) == (True, 99, 5)
    waits = await gesture(shop, await ticket(shop, world, "ben"), 100, agent)
    assert waits.status == "waiting"
    row = await sql.fetchrow(
        "select expires_at - created_at as time from agent_proposals where id = $1", waits.proposal
    )
    assert row["time"].total_seconds() == 300
    assert await sql.fetchval("select updated_by like 'user:%' from agent_policies where agent = 'payment'")
