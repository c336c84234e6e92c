"""Events after the sale set agents to work: a return in the grey zone, one that is not as it was said, a refund that waits
or failed, a payment that failed. Once each, by the rule or by a model, as far as policy lets them."""

from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from agents.models import Models, Reply
from commerce.app import Commerce
from graphs.automation import Automation
from graphs.supervisor import Supervisor
from kernel.auth import SYSTEM
from kernel.ids import parse
from tests.agents.test_limits import never
from tests.agents.test_wakes import CALLS, cause, work_off
from tests.factories.api import Caller, signed_in
from tests.factories.world import World
from tests.fakes.models import Line, Ranked, message
from tests.refund.test_refunds import ask, bought
from tests.returns.world import asked, delivered, inspect, receive, wish


@pytest.fixture(autouse=True)
async def rules(http: httpx.AsyncClient, sql: asyncpg.Connection) -> None:
    """No abuse score stands in the way, and everything is in the grey zone above 30.00."""
    await sql.execute("delete from return_policies")
    admin = await signed_in(http, "admin")
    body = {"one_per_order": False, "abuse_from": 101, "review_minor": 3000}
    await admin.call("PUT", "/v1/return-policies", 204, json=body)


async def made(sql: asyncpg.Connection, kind: str) -> list[tuple[Any, ...]]:
    rows = await sql.fetch(f"{CALLS} order by c.id", await cause(sql, kind))
    return [tuple(row) for row in rows]


async def again(sql: asyncpg.Connection, settle: Any) -> None:
    """The broker delivers everything once more, to a consumer that forgot what it had."""
    await sql.execute("update transport_cursors set position = 0")
    await sql.execute("delete from inbox_events where consumer = 'orchestration.wake'")
    await settle()


async def decide(caller: Caller, proposal: Any, accept: bool = True, expect: int | None = 200) -> Any:
    path = f"/v1/approvals/{proposal['id']}/decision"
    return await caller.post(path, {"accept": accept}, expect, key=str(uuid4()))


async def waiting(caller: Caller, kind: str) -> Any:
    (found,) = [one for one in (await caller.get("/v1/approvals?status=waiting"))["items"] if one["kind"] == kind]
    return found


async def test_a_return_in_the_grey_zone_is_proposed_once_and_a_person_lets_it_come(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, staff = await signed_in(http, "ann"), await signed_in(http, "support")
    order = await delivered(http, {world.variants["lamp"]: 1})
    request = await asked(ann, wish(order, 1))
    await settle()
    await again(sql, settle)
    await work_off(shop)
    await work_off(shop)
    assert await made(sql, "ReturnRequested") == [
        ("returns", "return_case", "done"),
        ("returns", "propose_return_verdict", "done"),
    ]
    proposal = await waiting(staff, "returns.verdict")
    assert (proposal["object"], proposal["amount"]["amount"]) == (request["id"], 6000)
    assert proposal["summary"] == (
        f"Return {request['id']} of order {order['number']} over 60.00 EUR waits for a decision (abuse 0 of 100). A person of "
        "the shop looks at the return of Lamp (lamp) first. Accept it: the parcel may come, and 60.00 EUR of goods go back "
        "once it passed."
    )
    await decide(staff, proposal)
    await settle()
    assert (await ann.get(f"/v1/returns/{request['id']}"))["status"] == "in_transit"
    assert await sql.fetchval("select count(*) from agent_runs where agent = 'returns'") == 1


async def test_a_return_that_the_policy_allows_wakes_nobody(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann = await signed_in(http, "ann")
    order = await delivered(http, {world.variants["mug"]: 1})
    before = await sql.fetchval("select count(*) from agent_runs")
    await asked(ann, wish(order, 1))
    await settle()
    assert await sql.fetchval("select count(*) from agent_runs") == before


async def test_a_verdict_that_comes_too_late_fails_and_changes_nothing(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, staff = await signed_in(http, "ann"), await signed_in(http, "support")
    order = await delivered(http, {world.variants["lamp"]: 1})
    request = await asked(ann, wish(order, 1))
    await settle()
    await work_off(shop)
    await staff.post(f"/v1/returns/{request['id']}/decision", {"accept": False}, 200, key=str(uuid4()))
    late = await decide(staff, await waiting(staff, "returns.verdict"))
    assert (late["status"], late["code"]) == ("failed", "return_state")
    assert (await ann.get(f"/v1/returns/{request['id']}"))["status"] == "rejected"


async def test_what_is_not_as_it_was_said_is_noted_for_the_house(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    order = await delivered(http, {world.variants["mug"]: 2})
    request = await asked(ann, wish(order, 2))
    await receive(north, request, 2)
    await inspect(north, request, 1, condition="opened")
    body = {"condition": "used", "passed": False, "disposition": "send_back", "other_item": True}
    await inspect(north, request, 1, **body)
    await settle()
    await work_off(shop)
    assert await made(sql, "InspectionMismatch") == [
        ("returns", "return_case", "done"),
        ("returns", "propose_order_note", "done"),
    ]
    notes = [note["text"] for note in await north.get(f"/v1/orders/{order['id']}/notes")]
    assert notes[-1] == (
        "The return is not as it was said to be: 1 × Mug was said to be unopened and is opened, it passed all the same; "
        "1 × Mug was said to be unopened and is another item, it did not pass. With these, 1 units of 180 days did not pass."
    )
    assert await ann.get(f"/v1/orders/{order['id']}/notes") == []
    both = await inspect(north, request, 1, other_item=True, expect=None)
    assert (both.status_code, both.json()["code"]) == (422, "invalid_request")


async def test_a_refund_that_waits_is_proposed_and_approved_in_the_name_of_who_agrees(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, staff = await signed_in(http, "ann"), await signed_in(http, "support")
    order = await bought(http, {world.variants["mug"]: 1})
    refund = await ask(ann, order, {0: 1})
    await settle()
    await work_off(shop)
    assert await made(sql, "RefundRequested") == [
        ("refund", "refund_case", "done"),
        ("refund", "propose_refund_verdict", "done"),
    ]
    proposal = await waiting(staff, "refund.verdict")
    assert proposal["summary"] == (
        f"Refund {refund['id']} of 15.00 EUR for order {order['number']}, because of “broken”, waits for a decision. Let it "
        "go: the money is sent."
    )
    done = await decide(staff, proposal)
    assert done["status"] == "accepted"
    await settle()
    assert (await ann.get(f"/v1/refunds/{refund['id']}"))["status"] == "succeeded"
    said = await sql.fetch(
        "select subject, accept from refund_approvals where refund_id = $1", parse("ref", refund["id"])
    )
    support = await sql.fetchval("select id from users where email = 'support@demo.test'")
    assert [tuple(row) for row in said] == [(f"user:{support}", True)]


async def test_who_asked_for_a_refund_does_not_agree_to_it_through_a_proposal(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    staff = await signed_in(http, "support")
    order = await bought(http, {world.variants["chair"]: 1})
    refund = await ask(staff, order, {0: 1})
    await settle()
    await work_off(shop)
    done = await decide(staff, await waiting(staff, "refund.verdict"))
    assert (done["status"], done["code"]) == ("failed", "refund_own_request")
    assert (await staff.get(f"/v1/refunds/{refund['id']}"))["status"] == "waiting_approval"
    assert (
        await sql.fetchval("select count(*) from refund_approvals where refund_id = $1", parse("ref", refund["id"]))
        == 0
    )


async def test_a_refund_that_the_bank_refused_goes_to_store_credit_once_a_person_agrees(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, staff, admin = [await signed_in(http, name) for name in ("ann", "support", "admin")]
    order = await bought(http, {world.variants["mug"]: 1}, "tok_refund_decline")
    refund = await ask(staff, order, {0: 1})
    await settle()
    await again(sql, settle)
    await work_off(shop)
    assert await made(sql, "RefundFailed") == [
        ("refund", "refund_case", "done"),
        ("refund", "propose_refund_verdict", "done"),
    ]
    await decide(admin, await waiting(admin, "refund.verdict"))
    await settle()
    shown = await ann.get(f"/v1/refunds/{refund['id']}")
    assert (shown["status"], shown["destination"]) == ("succeeded", "store_credit")
    credit = [m["balance"]["amount"] for m in await ann.get("/v1/me/payment-methods") if m["brand"] == "store credit"]
    assert credit == [1500]


async def test_a_payment_that_failed_is_noted_on_its_order(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    group = await ann.checkout(await ann.cart({world.variants["mug"]: 1}), "tok_decline")
    await settle()
    await work_off(shop)
    assert await made(sql, "PaymentFailed") == [("order", "get_order", "done"), ("order", "propose_order_note", "done")]
    (note,) = await north.get(f"/v1/orders/{group['orders'][0]['id']}/notes")
    assert note["text"] == "A payment failed (card declined). Its cart is open again."


class Model(Models):
    """A language model that answers: its turns are written down."""

    def __init__(self, *lines: Line) -> None:
        self._lines = list(lines)

    async def answer(self, *_: Any, **__: Any) -> Reply:
        return Reply(message(self._lines.pop(0), len(self._lines)), "scripted")


async def test_what_a_model_proposes_about_a_small_return_waits_for_a_person(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    """The rule would take it at once; a model that had read others' words does not decide alone."""
    admin, ann = await signed_in(http, "admin"), await signed_in(http, "ann")
    body = {"one_per_order": False, "abuse_from": 101, "review_minor": 100}
    await admin.call("PUT", "/v1/return-policies", 204, json=body)
    order = await delivered(http, {world.variants["mug"]: 2})
    for by_model, status in ((True, "requested"), (False, "in_transit")):
        request = await asked(ann, wish(order, 1))
        await settle()
        if by_model:
            about = {"order": request["id"]}
            verdict = {"tool": "propose_return_verdict", **about, "decision": "accept", "reason": "kind"}
            model = Model({"tool": "return_case", **about}, verdict, "Proposed.")
            async with shop.database.work(SYSTEM) as work:
                errands = await shop.errands.claim(work, 20)
            await Automation(shop, Supervisor(shop, model, never, Ranked, None)).carry_out(errands)
            proposal = await waiting(admin, "returns.verdict")
            assert (proposal["rule"], proposal["agent_says"]) == ("APPROVAL-11", "kind")
        else:
            await work_off(shop)
        await settle()
        assert (await ann.get(f"/v1/returns/{request['id']}"))["status"] == status
