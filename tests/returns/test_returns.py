"""A return end to end over REST: bought, delivered, asked for, received, inspected, refunded; and what is refused."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.ids import parse, public
from tests.factories.api import signed_in
from tests.factories.books import shelf
from tests.factories.world import World
from tests.returns.world import asked, books, delivered, inspect, receive, wish

RULES = {"one_per_order": False, "abuse_from": 101}
"""The tests' one customer sends a lot back; what that says about her has a test of its own."""


@pytest.fixture(autouse=True)
async def many_per_order(http: httpx.AsyncClient, sql: asyncpg.Connection) -> None:
    """The store allows several returns of one order, but where a test says otherwise."""
    await sql.execute("delete from return_policies")
    admin = await signed_in(http, "admin")
    await admin.call("PUT", "/v1/return-policies", 204, json=RULES)


async def test_from_purchase_to_money_back(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    order = await delivered(http, {world.variants["mug"]: 3})
    before = await shelf(sql, world.variants["mug"])
    quote = await ann.post("/v1/returns/quote", wish(order, 2), 200)
    assert (quote["outcome"], quote["refund"]["amount"]) == ("authorised", 3000)
    request = await asked(ann, wish(order, 2))
    assert (request["status"], request["label"]["free"]) == ("in_transit", False)
    assert request["explanation"] == quote["explanation"]
    assert (await receive(north, request, 1))["status"] == "partly_received"
    await receive(north, request, 1)
    assert await books(sql, order) == {"refunded": 0, "sales": 4990, "returned": [2]}
    await inspect(north, request, 2)
    await settle()
    done = await ann.get(f"/v1/returns/{request['id']}")
    assert (done["status"], done["lines"][0]["refunded"]) == ("completed", 2)
    refund = await ann.get(f"/v1/refunds/{done['refund_id']}")
    assert (refund["status"], refund["amount"]["amount"]) == ("succeeded", 3000)
    assert await books(sql, order) == {"refunded": 3000, "sales": 1990, "returned": [2]}
    assert await shelf(sql, world.variants["mug"]) == (before[0] + 2, before[1])
    assert (await ann.get(f"/v1/orders/{order['id']}"))["payment_status"] == "partially_refunded"
    history = [entry["kind"] for entry in await ann.get(f"/v1/orders/{order['id']}/timeline")]
    assert [kind for kind in history if kind.startswith("Return")] == [
        *("ReturnRequested", "ReturnAuthorized", "ReturnReceived", "ReturnReceived", "ReturnCompleted"),
    ]


async def test_the_whole_order_back_for_the_shops_fault_brings_delivery_back_too(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    order = await delivered(http, {world.variants["mug"]: 1, world.variants["pen"]: 1})
    request = await asked(ann, wish(order, 1, 1, reason="defective"))
    assert request["label"]["free"] is True
    await receive(north, request, 1, 1)
    await inspect(north, request, 1, 1, condition="damaged", disposition="write_off")
    await settle()
    assert await books(sql, order) == {"refunded": 2289, "sales": 0, "returned": [1, 1]}
    kinds = await sql.fetch(
        "select d.kind from return_dispositions d join return_lines l on l.id = d.return_line_id where l.return_id = $1",
        parse("ret", request["id"]),
    )
    assert [row["kind"] for row in kinds] == ["write_off", "write_off"]


async def test_what_did_not_pass_brings_nothing_back(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    order = await delivered(http, {world.variants["mug"]: 2})
    before = await shelf(sql, world.variants["mug"])
    request = await asked(ann, wish(order, 2))
    await receive(north, request, 2)
    await inspect(north, request, 1)
    await inspect(north, request, 1, passed=False, condition="used")
    await settle()
    done = await ann.get(f"/v1/returns/{request['id']}")
    assert (done["status"], done["lines"][0]["passed"], done["lines"][0]["refunded"]) == ("completed", 1, 1)
    assert (await books(sql, order))["refunded"] == 1500
    assert await shelf(sql, world.variants["mug"]) == (before[0] + 1, before[1])


async def test_a_large_return_waits_for_a_person_before_its_money(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, north, staff = [await signed_in(http, name) for name in ("ann", "north", "support")]
    order = await delivered(http, {world.variants["chair"]: 1})
    request = await asked(ann, wish(order, 1))
    await receive(north, request, 1)
    await inspect(north, request, 1)
    await settle()
    waiting = await ann.get(f"/v1/returns/{request['id']}")
    assert waiting["status"] == "inspected"
    assert (await books(sql, order))["refunded"] == 0
    await staff.post(f"/v1/refunds/{waiting['refund_id']}/decision", {"accept": True}, 200, key=str(uuid4()))
    await settle()
    assert (await ann.get(f"/v1/returns/{request['id']}"))["status"] == "completed"
    assert (await books(sql, order))["refunded"] == 19900


async def test_to_store_credit_and_to_a_gift_card(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, north, admin = [await signed_in(http, name) for name in ("ann", "north", "admin")]
    code = (await admin.post("/v1/gift-cards", {"amount": 100, "currency": "EUR"}))["code"]
    card = await ann.post("/v1/me/payment-methods", {"gift_card_code": code})
    order = await delivered(http, {world.variants["mug"]: 2})
    to_card = wish(order, 1, destination="gift_card", payment_method_id=card["id"])
    for body in (to_card, wish(order, 1, destination="store_credit")):
        request = await asked(ann, body)
        await receive(north, request, 1)
        await inspect(north, request, 1)
        await settle()
    methods = {m["id"]: m for m in await ann.get("/v1/me/payment-methods")}
    assert methods[card["id"]]["balance"]["amount"] == 1600
    assert [m["balance"]["amount"] for m in methods.values() if m["brand"] == "store credit"] == [1500]
    assert await books(sql, order) == {"refunded": 3000, "sales": 490, "returned": [2]}


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("more than was delivered", {"units": (3,)}, 409, "return_more_than_delivered"),
    ("an unknown reason", {"units": (1,), "reason": "because"}, 422, "return_reason_unknown"),
    ("a replacement for a refund", {"units": (1,), "wanted": {0: "var"}}, 422, "exchange_replacement"),
    ("an exchange for nothing", {"units": (1,), "resolution": "exchange"}, 422, "exchange_replacement"),
    ("a gift card that is none", {"units": (1,), "destination": "gift_card"}, 409, "refund_destination"),
]


@pytest.mark.parametrize(("what", "body", "status", "code"), REFUSED, ids=[case[0] for case in REFUSED])
async def test_what_is_refused_leaves_nothing(
    http: httpx.AsyncClient,
    sql: asyncpg.Connection,
    world: World,
    what: str,
    body: dict[str, Any],
    status: int,
    code: str,
) -> None:
    ann = await signed_in(http, "ann")
    order = await delivered(http, {world.variants["mug"]: 2})
    more = dict(body)
    if "wanted" in more:
        more["wanted"] = {0: public("var", world.variants["mug"])}
    refused = await asked(ann, wish(order, *more.pop("units"), **more), None)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    await nothing(sql, order)


async def nothing(sql: asyncpg.Connection, order: Any) -> None:
    order_id = parse("ord", order["id"])
    assert await sql.fetchval("select count(*) from return_requests where order_id = $1", order_id) == 0


async def test_only_what_was_delivered_and_in_time(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, staff = await signed_in(http, "ann"), await signed_in(http, "support")
    bought = (await ann.checkout(await ann.cart({world.variants["mug"]: 1})))["orders"][0]
    early = await asked(ann, wish(bought, 1), None)
    assert (early.status_code, early.json()["code"]) == (409, "order_not_delivered")
    order = await delivered(http, {world.variants["mug"]: 1})
    await age(sql, order, 60)
    late = await asked(ann, wish(order, 1), None)
    assert (late.status_code, late.json()["code"]) == (409, "return_refused")
    assert "could be sent back for 30 days" in late.json()["detail"]
    await nothing(sql, order)
    await age(sql, order, -25)
    grey = await asked(ann, wish(order, 1))
    assert (grey["status"], grey["label"]) == ("requested", None)
    said = await staff.post(f"/v1/returns/{grey['id']}/decision", {"accept": False, "note": "late"}, 200, key="k2")
    assert said["status"] == "rejected"
    await settle()
    assert await saga_of(sql, grey) == "compensated"
    again = await asked(ann, wish(order, 1))
    await staff.post(f"/v1/returns/{again['id']}/decision", {"accept": True}, 200, key="k3")
    await settle()
    assert (await ann.get(f"/v1/returns/{again['id']}"))["status"] == "in_transit"


async def age(sql: asyncpg.Connection, order: Any, days: int) -> None:
    """Moves the delivery of an order back in time."""
    await sql.execute(
        "update order_delivery_tracking set shipped_at = shipped_at - $2::interval, delivered_at = delivered_at - $2::interval "
        "where order_id = $1",
        *(parse("ord", order["id"]), timedelta(days=days)),
    )


async def saga_of(sql: asyncpg.Connection, request: Any) -> str:
    return await sql.fetchval(
        "select status from saga_instances where subject_id = $1 and kind = 'return'", parse("ret", request["id"])
    )


async def test_one_per_order_where_the_store_says_so(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    admin, ann = await signed_in(http, "admin"), await signed_in(http, "ann")
    await admin.call("PUT", "/v1/return-policies", 204, json={**RULES, "one_per_order": True})
    order = await delivered(http, {world.variants["mug"]: 2})
    first = await asked(ann, wish(order, 1))
    second = await asked(ann, wish(order, 1), None)
    assert (second.status_code, second.json()["code"]) == (409, "return_one_per_order")
    await ann.post(f"/v1/returns/{first['id']}/cancel", None, 200, key=str(uuid4()))
    await settle()
    assert await saga_of(sql, first) == "compensated"
    assert (await asked(ann, wish(order, 1)))["status"] == "in_transit"


async def test_rules_of_a_category_count_before_those_of_all(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    admin, ann = await signed_in(http, "admin"), await signed_in(http, "ann")
    order = await delivered(http, {world.variants["mug"]: 1})
    final = {**RULES, "category": "things", "final_sale": True}
    await admin.call("PUT", "/v1/return-policies", 204, json=final)
    refused = await asked(ann, wish(order, 1), None)
    assert (refused.status_code, refused.json()["code"]) == (409, "return_refused")
    assert "final sale" in refused.json()["detail"]
    assert (await ann.post("/v1/returns/quote", wish(order, 1), 200))["outcome"] == "rejected"
    assert (await asked(ann, wish(order, 1, reason="defective")))["status"] == "in_transit"


async def test_illegal_moves_are_refused_and_change_nothing(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, north, south, staff = [await signed_in(http, name) for name in ("ann", "north", "south", "support")]
    order = await delivered(http, {world.variants["mug"]: 2})
    request = await asked(ann, wish(order, 1))

    async def state() -> Any:
        return await ann.get(f"/v1/returns/{request['id']}"), await books(sql, order)

    async def refused(answer: Any, status: int, code: str) -> None:
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert await state() == before

    before = await state()
    await refused(await receive(south, request, 1, expect=None), 404, "return_not_found")
    await refused(await receive(ann, request, 1, expect=None), 403, "forbidden")
    await refused(await receive(north, request, 2, expect=None), 409, "return_received_too_many")
    await refused(await receive(north, request, expect=None), 409, "return_state")
    await refused(await inspect(north, request, 1, expect=None), 409, "return_state")
    foreign = {**request, "lines": [{"id": f"rln_{'0' * 32}"}]}
    await refused(await receive(north, foreign, 1, expect=None), 422, "return_line_unknown")
    path = f"/v1/returns/{request['id']}"
    await refused(await staff.post(f"{path}/decision", {"accept": True}, None, key=str(uuid4())), 409, "return_state")
    await receive(north, request, 1)
    before = await state()
    await refused(await inspect(north, request, 2, expect=None), 409, "return_received_too_many")
    await refused(await receive(north, request, 1, expect=None), 409, "return_state")
    await refused(await ann.post(f"{path}/cancel", None, None, key=str(uuid4())), 409, "return_state")
    await inspect(north, request, 1)
    await settle()
    before = await state()
    assert before[0]["status"] == "completed"
    await refused(await inspect(north, request, 1, expect=None), 409, "return_state")
    await refused(await asked(ann, wish(order, 2), None), 409, "return_more_than_delivered")
    ben = await signed_in(http, "ben")
    await ben.refused("GET", path, 404, "return_not_found")


async def test_a_parcel_that_never_comes_ends_the_return(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shop: Commerce, world: World, settle: Any
) -> None:
    ann = await signed_in(http, "ann")
    order = await delivered(http, {world.variants["mug"]: 1})
    request = await asked(ann, wish(order, 1))
    await sql.execute(
        "update saga_instances set due_at = now(), data = jsonb_set(data, '{send_until}', to_jsonb(now() - interval '1 s')) "
        "where subject_id = $1",
        parse("ret", request["id"]),
    )
    await settle()
    assert (await ann.get(f"/v1/returns/{request['id']}"))["status"] == "cancelled"
    assert await books(sql, order) == {"refunded": 0, "sales": 1990, "returned": [0]}


async def test_who_sends_much_back_waits_for_a_person(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    admin, ben = await signed_in(http, "admin"), await signed_in(http, "ben")
    await admin.call("PUT", "/v1/return-policies", 204, json={**RULES, "abuse_from": 8})
    order = await delivered(http, {world.variants["mug"]: 5}, "ben")
    for _ in range(4):
        assert (await asked(ben, wish(order, 1)))["status"] == "in_transit"
    last = await asked(ben, wish(order, 1))
    assert (last["status"], last["label"]) == ("requested", None)
    scores = await sql.fetch(
        "select score from return_requests where order_id = $1 order by id", parse("ord", order["id"])
    )
    assert [row["score"] for row in scores] == [0, 0, 0, 0, 8]


async def test_claims_bring_money_back_without_a_parcel(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, staff = await signed_in(http, "ann"), await signed_in(http, "support")
    order = await delivered(http, {world.variants["mug"]: 2})
    body = {
        "order_id": order["id"],
        "order_line_id": order["lines"][0]["id"],
        "kind": "missing",
        "text": "only one came",
    }
    claim = await ann.post("/v1/claims", body, key=str(uuid4()))
    for quantity, code in ((2, "return_more_than_delivered"),):
        refused = await ann.post("/v1/claims", {**body, "quantity": quantity}, None, key=str(uuid4()))
        assert (refused.status_code, refused.json()["code"]) == (409, code)
    beyond = await asked(ann, wish(order, 2), None)
    assert (beyond.status_code, beyond.json()["code"]) == (409, "return_more_than_delivered")
    decided = await staff.post(f"/v1/claims/{claim['id']}/decision", {"accept": True}, 200, key=str(uuid4()))
    await settle()
    assert (await ann.get(f"/v1/refunds/{decided['refund_id']}"))["status"] == "succeeded"
    assert await books(sql, order) == {"refunded": 1500, "sales": 1990, "returned": [0]}
    twice = await staff.post(f"/v1/claims/{claim['id']}/decision", {"accept": False}, None, key=str(uuid4()))
    assert (twice.status_code, twice.json()["code"]) == (409, "claim_decided")
    listed = await ann.get(f"/v1/claims?order_id={order['id']}")
    assert [(c["id"], c["status"]) for c in listed["items"]] == [(claim["id"], "accepted")]


async def test_reasons_are_data(http: httpx.AsyncClient, world: World) -> None:
    admin, ann = await signed_in(http, "admin"), await signed_in(http, "ann")
    await admin.call("PUT", "/v1/return-reasons/colour", 204, json={"text": "Not my colour", "fault": False})
    order = await delivered(http, {world.variants["mug"]: 1})
    assert {"code": "colour", "text": "Not my colour", "fault": False} in await ann.get("/v1/return-reasons")
    assert (await asked(ann, wish(order, 1, reason="colour")))["status"] == "in_transit"
    gone = {"text": "Not my colour", "fault": False, "active": False}
    await admin.call("PUT", "/v1/return-reasons/colour", 204, json=gone)
    assert "colour" not in [reason["code"] for reason in await ann.get("/v1/return-reasons")]


async def test_the_laws_stand_in_postgres(http: httpx.AsyncClient, sql: asyncpg.Connection, world: World) -> None:
    """What the service would never write, written by a superuser's hand."""
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    order = await delivered(http, {world.variants["mug"]: 2})
    request = await asked(ann, wish(order, 2))
    await receive(north, request, 2)
    made = parse("ret", request["id"])
    for statement, law in (
        ("update return_lines set quantity = 3 where return_id = $1", "returns_within_delivered"),
        ("update return_lines set received = 3 where return_id = $1", "ck_return_lines_received"),
        ("update return_lines set refunded = 1 where return_id = $1", "ck_return_lines_once"),
        (
            "update return_lines set inspected = 2, passed = 2, refunded = 1, exchanged = 2 where return_id = $1",
            "ck_return_lines_once",
        ),
        (
            "insert into return_claims (id, order_id, order_line_id, group_id, merchant_id, kind, quantity, text, status, "
            "created_at, updated_at) select uuidv7(), r.order_id, l.order_line_id, r.group_id, r.merchant_id, 'missing', 1, "
            "'', 'open', now(), now() from return_requests r join return_lines l on l.return_id = r.id where r.id = $1",
            "returns_within_delivered",
        ),
        (
            "update order_lines set returned = shipped + 1 where id = (select order_line_id from return_lines "
            "where return_id = $1)",
            "ck_order_lines_quantities",
        ),
    ):
        with pytest.raises(asyncpg.CheckViolationError) as broken:
            await sql.execute(statement, made)
        assert broken.value.constraint_name == law, statement
