"""What agents did is found by order, customer and agent, and told moment by moment, without anything personal."""

from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from kernel.ids import public
from tests.chat.test_chat_api import confirm, say, thread
from tests.factories.api import Caller, signed_in
from tests.factories.world import World


@pytest.fixture(scope="module")
async def order(http: httpx.AsyncClient, world: World, settle: Any) -> dict[str, Any]:
    """An order of Ann's, asked about and cancelled in a chat; Ben asks about his own things."""
    ann, ben = await signed_in(http, "ann"), await signed_in(http, "ben")
    group = await ann.checkout(await ann.cart({world.variants["mug"]: 1}))
    await settle()
    made: dict[str, Any] = group["orders"][0]
    where = await thread(ann)
    await say(ann, where, f"where is order {made['number']}?")
    await say(ann, where, "show me my saved addresses")
    asked = await say(ann, where, f"cancel order {made['number']}, I changed my mind")
    await confirm(ann, where, asked)
    await say(ben, await thread(ben), "what can I pay with?")
    return made


async def runs(caller: Caller, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await caller.get("/v1/runs", params=query))["items"]
    return found


async def test_runs_are_found_by_order_customer_and_agent(
    http: httpx.AsyncClient, world: World, order: dict[str, Any]
) -> None:
    support = await signed_in(http, "support")
    about = await runs(support, order=order["id"])
    assert [[call["tool"] for call in run["calls"]] for run in about] == [
        ["cancel_order"], ["cancel_order", "cancel_order"], ["get_order"],
    ]  # fmt: skip
    of_ann = await runs(support, customer=public("cus", world.customers["ann"]))
    assert [run["agent"] for run in of_ann] == ["order", "order", "customer", "order"]
    of_ben = await runs(support, customer=public("cus", world.customers["ben"]))
    assert [run["agent"] for run in of_ben] == ["payment"]
    assert await runs(support, agent="payment") == of_ben
    assert await runs(support, agent="payment", order=order["id"]) == []
    first = await support.get("/v1/runs", params={"size": 2})
    then = await support.get("/v1/runs", params={"size": 100, "cursor": first["next"]})
    assert [*first["items"], *then["items"]] == await runs(support)
    assert len(await runs(support)) == 5


async def test_a_run_is_told_moment_by_moment(
    http: httpx.AsyncClient, order: dict[str, Any], sql: asyncpg.Connection
) -> None:
    support = await signed_in(http, "support")
    done, asked, _ = await runs(support, order=order["id"])
    story = await support.get(f"/v1/runs/{asked['id']}/timeline")
    assert story["run"] == asked
    kinds = [
        (moment["kind"], moment["facts"].get("tool"), moment["facts"].get("status")) for moment in story["moments"]
    ]
    assert kinds == [
        ("begun", None, None), ("model", None, None), ("tool", "cancel_order", "failed"), ("model", None, None),
        ("tool", "cancel_order", "confirmation"), ("question", "cancel_order", "used"), ("decision", None, "done"),
    ]  # fmt: skip
    model = next(moment["facts"] for moment in story["moments"] if moment["kind"] == "model")
    assert (model["model"], model["tokens_in"], model["cost_micro"], model["wants"]) == (
        "offline",
        0,
        0,
        ["cancel_order"],
    )
    story = await support.get(f"/v1/runs/{done['id']}/timeline")
    assert [moment["kind"] for moment in story["moments"]] == ["begun", "approval", "tool", "model", "decision"]
    assert story["moments"][-1]["facts"] == {"status": "done", "outcome": "answered"}


async def test_nothing_personal_is_told(http: httpx.AsyncClient, world: World, order: dict[str, Any]) -> None:
    ben, support = await signed_in(http, "ben"), await signed_in(http, "support")
    where = await thread(ben)
    asked = await say(ben, where, "save this address: Zoe Zander, Quellweg 7, 04109 Leipzig, Germany")
    assert asked["pending_confirmation"]
    newest = (await runs(support))[0]
    answer = await support.call("GET", f"/v1/runs/{newest['id']}/timeline")
    assert "add_address" in answer.text
    assert [word for word in ("Zander", "Quellweg", "04109") if word in answer.text] == []


async def test_runs_are_the_houses_alone(http: httpx.AsyncClient, order: dict[str, Any]) -> None:
    ann, north, admin = await signed_in(http, "ann"), await signed_in(http, "north"), await signed_in(http, "admin")
    run = (await runs(admin))[0]["id"]
    for caller in (ann, north):
        await caller.refused("GET", "/v1/runs", 403, "forbidden")
        await caller.refused("GET", f"/v1/runs/{run}/timeline", 403, "forbidden")
    await admin.refused("GET", f"/v1/runs/{public('run', uuid4())}/timeline", 404, "agent_run_unknown")
    await admin.refused("GET", "/v1/runs?agent=nobody", 404, "agent_unknown")
    await admin.refused("GET", f"/v1/runs?order={public('ord', uuid4())}", 404, "order_not_found")
