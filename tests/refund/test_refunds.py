"""Refunds over REST on real Postgres: to the cent, once per cause, never above what was captured, never unapproved."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.auth import SYSTEM
from kernel.ids import parse, public
from tests.factories.api import Caller, guest, signed_in
from tests.factories.books import broken, owed
from tests.factories.variants import add_choice
from tests.factories.world import World


async def bought(http: httpx.AsyncClient, lines: dict[UUID, int], token: str = "tok_success", name: str = "ann") -> Any:
    """An order of `name`, paid; the first of the group."""
    buyer = await signed_in(http, name)
    group = await buyer.checkout(await buyer.cart(lines), token)
    assert group["payment"]["status"] == "captured", group
    return group["orders"][0]


async def ask(
    caller: Caller, order: Any, units: dict[int, int] | None = None, expect: int | None = 201, **more: Any
) -> Any:
    """Units by position of the line."""
    lines = [{"order_line_id": order["lines"][i]["id"], "quantity": n} for i, n in (units or {}).items()]
    body = {"order_id": order["id"], "lines": lines, "reason": "broken", **more}
    return await caller.post("/v1/refunds", body, expect, key=str(uuid4()))


async def decide(caller: Caller, refund: Any, accept: bool = True, expect: int | None = 200) -> Any:
    return await caller.post(f"/v1/refunds/{refund['id']}/decision", {"accept": accept}, expect, key=str(uuid4()))


async def money(sql: asyncpg.Connection, order: Any) -> dict[str, Any]:
    """Where an order's money is, by everybody's books. `sales` is what its merchants are owed."""
    group = parse("grp", order["group_id"])
    row = await sql.fetchrow(
        """
        select (select refunded from payment_intents where reference_id = $1) as refunded,
          (select coalesce(sum(o.amount), 0) from simulator_operations o join simulator_charges c using (reference)
             where o.kind = 'refund' and c.description = replace($1::text, '-', ''))::bigint as gateway,
          (select count(*) from refunds where order_id = $2) as refunds
        """,
        *(group, parse("ord", order["id"])),
    )
    return {**dict(row), "sales": await owed(sql, group)}


async def test_a_refund_of_units_brings_back_their_share_of_everything(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    buyer, staff = await signed_in(http, "ann"), await signed_in(http, "support")
    cart = await buyer.cart({world.variants["pen"]: 3})
    await buyer.post(f"/v1/carts/{cart}/coupons", {"code": "TEN"})
    order = (await buyer.checkout(cart))["orders"][0]
    total = order["totals"]["total"]["amount"]
    assert total == 897 - 89 + 490
    first = await ask(staff, order, {0: 1})
    assert (first["status"], first["amount"]) == ("succeeded", {"amount": 269, "currency": "EUR"})
    assert first["lines"][0] | {"order_line_id": ""} == {
        "order_line_id": "",
        "quantity": 1,
        "goods": {"amount": 299, "currency": "EUR"},
        "discount": {"amount": 30, "currency": "EUR"},
        "tax": {"amount": 43, "currency": "EUR"},
        "amount": {"amount": 269, "currency": "EUR"},
    }
    await settle()
    assert (await buyer.get(f"/v1/orders/{order['id']}"))["payment_status"] == "partially_refunded"
    rest = await ask(staff, order, {0: 2}, shipping=True)
    await settle()
    assert first["amount"]["amount"] + rest["amount"]["amount"] == total
    assert sum(x["tax"]["amount"] for r in (first, rest) for x in r["lines"]) == order["totals"]["tax"]["amount"]
    assert await money(sql, order) == {"refunded": total, "sales": 0, "gateway": total, "refunds": 2}
    assert (await buyer.get(f"/v1/orders/{order['id']}"))["payment_status"] == "refunded"
    history = [entry["kind"] for entry in await buyer.get(f"/v1/orders/{order['id']}/timeline")]
    assert history[-6:] == [
        *("RefundRequested", "PaymentRefunded", "RefundSucceeded"),
        *("RefundRequested", "PaymentRefunded", "RefundSucceeded"),
    ]


async def test_no_more_than_was_paid_per_line_and_per_order(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    staff = await signed_in(http, "support")
    order = await bought(http, {world.variants["pen"]: 2, world.variants["mug"]: 1})
    await ask(staff, order, {0: 1})
    before = await money(sql, order)
    for units, more in (({0: 2}, {}), ({1: 3}, {}), ({}, {"amount": before["sales"] + 1})):
        refused = await ask(staff, order, units, None, **more)
        assert (refused.status_code, refused.json()["code"]) == (409, "refund_more_than_paid")
    for body, code in (
        ({"units": {0: 1}, "amount": 5}, "refund_units_or_amount"),
        ({}, "refund_units_or_amount"),
    ):
        refused = await ask(staff, order, body.pop("units", {}), None, **body)  # type: ignore[arg-type]
        assert (refused.status_code, refused.json()["code"]) == (422, code)
    other = await bought(http, {world.variants["lamp"]: 1})
    refused = await ask(staff, {**order, "lines": other["lines"]}, {0: 1}, None)
    assert (refused.status_code, refused.json()["code"]) == (422, "refund_line_unknown")
    assert await money(sql, order) == before


async def test_the_laws_stand_in_postgres(http: httpx.AsyncClient, sql: asyncpg.Connection, world: World) -> None:
    """What the service would never write, written by a superuser's hand."""
    staff = await signed_in(http, "support")
    order = await bought(http, {world.variants["chair"]: 1})
    refund = await ask(staff, order, {0: 1})
    assert refund["status"] == "waiting_approval"
    made = parse("ref", refund["id"])
    for statement, law in (
        ("update refunds set status = 'approved' where id = $1", "refunds_approved"),
        ("update refunds set status = 'succeeded' where id = $1", "refunds_approved"),
        ("update refunds set amount = amount + 1 where id = $1", "refunds_add_up"),
        (
            "insert into refund_lines select uuidv7(), refund_id, null, 1, 490, 0, 0, 490 from refund_lines "
            "where refund_id = $1",
            "refunds_add_up",
        ),
        (
            "with twice as (insert into refunds select uuidv7(), order_id, group_id, merchant_id, customer_id, guest_key, "
            "intent_id, 'another', reason, 'failed', destination, gift_card_id, currency, amount, goods, discount, tax, "
            "needed, requested_by, failure, created_at, updated_at from refunds where id = $1 returning id) "
            "insert into refund_lines select uuidv7(), twice.id, order_line_id, quantity, goods, discount, tax, amount "
            "from refund_lines, twice where refund_id = $1",
            None,
        ),
        (
            "update refunds set status = 'waiting_approval' where cause = 'another' and $1 <> id",
            "refunds_within_captured",
        ),
    ):
        if law is None:
            await sql.execute(statement, made)
            continue
        with pytest.raises(asyncpg.CheckViolationError) as broken:
            await sql.execute(statement, made)
        assert broken.value.constraint_name == law, statement


async def test_a_customers_wish_waits_for_a_person(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, staff = await signed_in(http, "ann"), await signed_in(http, "support")
    order = await bought(http, {world.variants["mug"]: 1})
    refund = await ask(ann, order, {0: 1})
    await settle()
    assert (refund["status"], refund["approvals_needed"]) == ("waiting_approval", 1)
    assert (await money(sql, order))["gateway"] == 0
    await ann.refused(
        "POST", f"/v1/refunds/{refund['id']}/decision", 403, "forbidden", json={"accept": True}, key=str(uuid4())
    )
    assert (await decide(staff, refund))["status"] == "approved"
    await settle()
    shown = await ann.get(f"/v1/refunds/{refund['id']}")
    assert (shown["status"], shown["approvals"]) == ("succeeded", 1)
    assert await money(sql, order) == {"refunded": 1500, "sales": 490, "gateway": 1500, "refunds": 1}
    again = await decide(staff, refund, expect=None)
    assert (again.status_code, again.json()["code"]) == (409, "refund_not_waiting")


async def test_a_large_refund_needs_two_others(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    asker, second = await signed_in(http, "support"), await signed_in(http, "admin")
    order = await bought(http, {world.variants["chair"]: 3})
    refund = await ask(asker, order, {0: 3})
    assert (refund["status"], refund["approvals_needed"]) == ("waiting_approval", 2)
    own = await decide(asker, refund, expect=None)
    assert (own.status_code, own.json()["code"]) == (403, "refund_own_request")
    assert (await decide(second, refund))["status"] == "waiting_approval"
    twice = await decide(second, refund, expect=None)
    assert (twice.status_code, twice.json()["code"]) == (409, "refund_decided_already")
    await settle()
    assert (await money(sql, order))["gateway"] == 0
    third = await another_support(http, sql)
    assert (await decide(third, refund))["status"] == "approved"
    await settle()
    assert await money(sql, order) == {"refunded": 59700, "sales": 490, "gateway": 59700, "refunds": 1}


async def another_support(http: httpx.AsyncClient, sql: asyncpg.Connection) -> Caller:
    """Another person than those who asked and agreed."""
    await sql.execute(
        "insert into user_roles (id, user_id, role) select uuidv7(), u.id, 'support' from users u "
        "where u.email = 'south@demo.test' on conflict do nothing"
    )
    return await signed_in(http, "south")


async def test_a_no_ends_it_and_nothing_moved(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, staff = await signed_in(http, "ann"), await signed_in(http, "support")
    order = await bought(http, {world.variants["mug"]: 1})
    refund = await ask(ann, order, {0: 1})
    assert (await decide(staff, refund, accept=False))["status"] == "rejected"
    await settle()
    assert (await money(sql, order))["gateway"] == 0
    assert await saga_status(sql, refund) == "compensated"
    assert (await ask(staff, order, {0: 1}))["status"] == "succeeded"


async def saga_status(sql: asyncpg.Connection, refund: Any) -> str:
    return await sql.fetchval(
        "select status from saga_instances where subject_id = $1 and kind = 'refund' order by created_at desc limit 1",
        parse("ref", refund["id"]),
    )


async def test_one_refund_per_cause_also_at_once(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    staff = await signed_in(http, "support")
    order = await bought(http, {world.variants["pen"]: 9})
    answers = await asyncio.gather(*(ask(staff, order, {0: 1}, None, cause="ticket-7") for _ in range(4)))
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409]
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"refund_cause_twice"}
    assert await money(sql, order) | {"sales": 0} == {"refunded": 299, "sales": 0, "gateway": 299, "refunds": 1}


async def test_two_refunds_at_once_never_exceed_the_order(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    staff = await signed_in(http, "support")
    order = await bought(http, {world.variants["mug"]: 3})
    answers = await asyncio.gather(*(ask(staff, order, {0: 2}, None) for _ in range(3)))
    assert sorted(a.status_code for a in answers) == [201, 409, 409]
    assert (await money(sql, order))["gateway"] == 3000


async def test_a_pending_refund_is_asked_for_again(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shop: Commerce, world: World, settle: Any
) -> None:
    staff = await signed_in(http, "support")
    order = await bought(http, {world.variants["mug"]: 1}, "tok_refund_pending")
    refund = await ask(staff, order, {0: 1})
    assert refund["status"] == "pending"
    assert (await money(sql, order))["refunded"] == 0
    await asyncio.sleep(1.1)
    (notice,) = await shop.payment.gateway.due_webhooks()  # type: ignore[attr-defined]
    body, headers = shop.payment.gateway.signed(notice, shop.database.clock().timestamp())  # type: ignore[attr-defined]
    for _ in range(2):
        await guest(http).call("POST", "/v1/webhooks/payments/simulator", 204, content=body, headers=headers)
    await settle()
    assert (await staff.get(f"/v1/refunds/{refund['id']}"))["status"] == "succeeded"
    assert await money(sql, order) == {"refunded": 1500, "sales": 490, "gateway": 1500, "refunds": 1}


async def test_a_refused_refund_fails_and_can_go_elsewhere(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, staff = await signed_in(http, "ann"), await signed_in(http, "support")
    order = await bought(http, {world.variants["mug"]: 1}, "tok_refund_decline")
    refund = await ask(staff, order, {0: 1})
    assert (refund["status"], refund["failure"]) == ("failed", "refund_not_possible")
    assert await money(sql, order) == {"refunded": 0, "sales": 1990, "gateway": 0, "refunds": 1}
    retried = await staff.post(
        f"/v1/refunds/{refund['id']}/retry", {"destination": "store_credit"}, 200, key=str(uuid4())
    )
    assert (retried["status"], retried["destination"]) == ("succeeded", "store_credit")
    credit = [m for m in await ann.get("/v1/me/payment-methods") if m["brand"] == "store credit"]
    assert [m["balance"] for m in credit] == [{"amount": 1500, "currency": "EUR"}]
    assert await money(sql, order) == {"refunded": 1500, "sales": 490, "gateway": 0, "refunds": 1}
    refused = await staff.call(
        "POST", f"/v1/refunds/{refund['id']}/retry", json={"destination": "original"}, key=str(uuid4())
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "refund_not_failed")


async def test_a_gift_card_purchase_goes_back_onto_the_card(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    ann, staff, admin = [await signed_in(http, name) for name in ("ann", "support", "admin")]
    code = (await admin.post("/v1/gift-cards", {"amount": 5000, "currency": "EUR"}))["code"]
    method = await ann.post("/v1/me/payment-methods", {"gift_card_code": code})
    cart = await ann.cart({world.variants["mug"]: 2})
    group = await ann.checkout(cart, payment_token=None, payment_method_id=method["id"])
    order = group["orders"][0]
    refund = await ask(staff, order, {0: 1})
    assert refund["status"] == "succeeded"
    balance = await sql.fetchval(
        "select balance from payment_gift_cards c join payment_methods m on m.gift_card_id = c.id where m.id = $1",
        parse("pm", method["id"]),
    )
    assert balance == 5000 - 3490 + 1500
    assert await money(sql, order) == {"refunded": 1500, "sales": 1990, "gateway": 0, "refunds": 1}


async def test_where_money_may_go_is_the_stores_policy(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    staff, admin = await signed_in(http, "support"), await signed_in(http, "admin")
    order = await bought(http, {world.variants["mug"]: 1})
    channel = public("chn", await sql.fetchval("select id from channels where code = 'web'"))
    policy = {"auto_minor": 10_000, "customer_auto_minor": 0, "second_minor": 50_000, "approval_hours": 168}
    await admin.call("PUT", f"/v1/refund-policies/{channel}", 204, json={**policy, "destinations": ["original"]})
    refused = await ask(staff, order, {0: 1}, None, destination="store_credit")
    assert (refused.status_code, refused.json()["code"]) == (409, "refund_destination")
    reversed_limits = {**policy, "second_minor": 1, "destinations": ["original"]}
    answer = await admin.call("PUT", f"/v1/refund-policies/{channel}", json=reversed_limits)
    assert (answer.status_code, answer.json()["code"]) == (422, "refund_limits_reversed")
    everywhere = ["original", "gift_card", "store_credit"]
    await admin.call("PUT", f"/v1/refund-policies/{channel}", 204, json={**policy, "destinations": everywhere})
    assert (await ask(staff, order, {0: 1}, destination="store_credit"))["status"] == "succeeded"


async def test_others_see_no_refund(http: httpx.AsyncClient, world: World) -> None:
    ann, ben = [await signed_in(http, name) for name in ("ann", "ben")]
    order = await bought(http, {world.variants["mug"]: 1})
    refund = await ask(ann, order, {0: 1})
    north = await signed_in(http, "north")
    assert (await north.get(f"/v1/refunds/{refund['id']}"))["id"] == refund["id"]
    await ben.refused("GET", f"/v1/refunds/{refund['id']}", 404, "refund_not_found")
    await guest(http).refused("GET", f"/v1/refunds/{refund['id']}", 404, "refund_not_found")
    foreign = await ask(guest(http), order, {0: 1}, None)
    assert (foreign.status_code, foreign.json()["code"]) == (404, "order_not_found")
    assert (await ben.get(f"/v1/refunds?order_id={order['id']}"))["items"] == []


async def test_an_unpaid_order_has_nothing_to_give_back(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World
) -> None:
    staff = await signed_in(http, "support")
    buyer = await signed_in(http, "ann")
    group = await buyer.checkout(await buyer.cart({world.variants["mug"]: 1}), "tok_decline")
    refused = await ask(staff, group["orders"][0], {0: 1}, None)
    assert (refused.status_code, refused.json()["code"]) == (409, "refund_nothing_paid")
    async with shop.database.work(SYSTEM) as work:
        assert (await shop.refund.page(work, parse("ord", group["orders"][0]["id"]))).items == []


async def test_a_refund_and_a_cancellation_never_give_the_same_money_back(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, staff = await signed_in(http, "ann"), await signed_in(http, "support")
    order = await bought(http, {world.variants["mug"]: 1})
    await ask(staff, order, {0: 1})
    path, body = f"/v1/orders/{order['id']}/cancel", {"reason": "no longer needed"}
    refused = await ann.post(path, body, None, key=str(uuid4()))
    assert (refused.status_code, refused.json()["code"]) == (409, "order_partly_refunded")
    assert (await ann.get(f"/v1/orders/{order['id']}"))["status"] == "confirmed"
    other = await bought(http, {world.variants["mug"]: 1})
    await sql.execute("update orders set status = 'cancelling' where id = $1", parse("ord", other["id"]))
    late = await ask(staff, other, {0: 1}, None)
    assert (late.status_code, late.json()["code"]) == (409, "refund_order_cancelling")
    assert (await money(sql, other))["refunds"] == 0


async def drop(caller: Caller, order: Any, place: int, expect: int | None = 200) -> Any:
    """Cancels the units of a line."""
    body = {"items": [{"line_id": order["lines"][place]["id"]}], "reason": "no longer needed"}
    return await caller.post(f"/v1/orders/{order['id']}/lines/cancel", body, expect, key=str(uuid4()))


async def test_what_was_cancelled_is_not_refunded_again(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, staff = await signed_in(http, "ann"), await signed_in(http, "support")
    order = await bought(http, {world.variants["mug"]: 1, world.variants["lamp"]: 1})
    await drop(ann, order, 0)
    await settle()
    refused = await ask(staff, order, {0: 1}, None)
    assert (refused.status_code, refused.json()["code"]) == (409, "refund_more_than_paid")
    refused = await ask(staff, order, None, None, amount=6491)
    assert (refused.status_code, refused.json()["code"]) == (409, "refund_more_than_paid")
    assert (await money(sql, order))["refunds"] == 0
    assert (await ask(staff, order, None, amount=6490))["status"] == "succeeded"
    assert await money(sql, order) == {"refunded": 7990, "sales": 0, "gateway": 7990, "refunds": 1}


async def test_the_delivery_of_a_cancelled_order_is_not_refunded_again(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, staff = await signed_in(http, "ann"), await signed_in(http, "support")
    group = await ann.checkout(await ann.cart({world.variants["mug"]: 1, world.variants["plate"]: 1}))
    first = group["orders"][0]
    await drop(ann, first, 0)
    await settle()
    before = await money(sql, first)
    refused = await ask(staff, first, None, None, shipping=True)
    assert (refused.status_code, refused.json()["code"]) == (409, "refund_order_cancelling")
    assert await money(sql, first) == before


async def test_an_order_that_was_partly_refunded_is_not_changed(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    ann, staff = await signed_in(http, "ann"), await signed_in(http, "support")
    order = await bought(http, {world.variants["mug"]: 1, world.variants["lamp"]: 1})
    await ask(staff, order, {0: 1})
    before = await money(sql, order)
    refused = await drop(ann, order, 0, None)
    assert (refused.status_code, refused.json()["code"]) == (409, "order_partly_refunded")
    again = {"payment_token": "tok_success_other"}
    refused = await ann.post(f"/v1/orders/{order['id']}/payment-method", again, None, key=str(uuid4()))
    assert (refused.status_code, refused.json()["code"]) == (409, "order_partly_refunded")
    assert await money(sql, order) == before
    with pytest.raises(asyncpg.CheckViolationError) as broken:
        await sql.execute(
            "update order_lines set cancelled = 1, refunded = 1500 where id = $1", parse("oln", order["lines"][0]["id"])
        )
    assert broken.value.constraint_name == "refunds_within_captured"


async def test_an_order_that_is_being_changed_is_not_refunded(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    staff = await signed_in(http, "support")
    order = await bought(http, {world.variants["mug"]: 2})
    await sql.execute(
        "insert into order_modifications (id, group_id, order_id, kind, status, difference, currency, actor, created_at, "
        "updated_at) values (uuidv7(), $1, $2, 'cancel_lines', 'requested', -1500, 'EUR', 'x', now(), now())",
        *(parse("grp", order["group_id"]), parse("ord", order["id"])),
    )
    refused = await ask(staff, order, {0: 1}, None)
    assert (refused.status_code, refused.json()["code"]) == (409, "refund_order_changing")
    assert (await money(sql, order))["refunds"] == 0


async def test_a_purchase_paid_more_than_one_way_goes_back_all_those_ways(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    """20.00 by one card, 15.00 more by another for a dearer variant: no single payment holds what the line costs now."""
    ann, staff = await signed_in(http, "ann"), await signed_in(http, "support")
    shirt = await add_choice(shop, world, {"red": 2000, "gold": 3500})
    order = await bought(http, {shirt["red"]: 1})
    item = {"line_id": order["lines"][0]["id"], "variant_id": public("var", shirt["gold"])}
    body = {"items": [item], "payment_token": "tok_success_other"}
    await ann.post(f"/v1/orders/{order['id']}/lines", body, 200, key=str(uuid4()))
    order = await ann.get(f"/v1/orders/{order['id']}")
    refund = await ask(staff, order, {0: 1})
    await settle()
    assert (refund["status"], refund["amount"]["amount"]) == ("succeeded", 3500)
    rows = await ann.get(f"/v1/orders/{order['id']}/payments")
    assert [(row["type"], row["amount"]["amount"]) for row in rows] == [
        *(("payment", 2490), ("payment", 1500), ("refund", 2490), ("refund", 1010)),
    ]
    assert await owed(sql, parse("grp", order["group_id"])) == 490
    assert await broken(sql) == {}


async def test_after_a_change_of_payment_money_goes_back_the_new_way(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, staff = await signed_in(http, "ann"), await signed_in(http, "support")
    order = await bought(http, {world.variants["mug"]: 1})
    new = {"payment_token": "tok_success_other"}
    await ann.post(f"/v1/orders/{order['id']}/payment-method", new, 200, key=str(uuid4()))
    assert (await ask(staff, order, {0: 1}))["status"] == "succeeded"
    intents = "select captured, refunded, refunding from payment_intents where reference_id = $1 order by id"
    found = await sql.fetch(intents, parse("grp", order["group_id"]))
    assert [tuple(row) for row in found] == [(1990, 1990, 0), (1990, 1500, 0)]
    assert await broken(sql) == {}


async def test_staff_cancel_for_a_customer_what_a_gift_card_paid(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    ann, staff, admin = [await signed_in(http, name) for name in ("ann", "support", "admin")]
    code = (await admin.post("/v1/gift-cards", {"amount": 5000, "currency": "EUR"}))["code"]
    method = await ann.post("/v1/me/payment-methods", {"gift_card_code": code})
    cart = await ann.cart({world.variants["mug"]: 1, world.variants["pen"]: 1})
    order = (await ann.checkout(cart, payment_token=None, payment_method_id=method["id"]))["orders"][0]
    done = await drop(staff, order, 0)
    assert (done["change"]["status"], done["change"]["difference"]["amount"]) == ("applied", -1500)
    methods = {m["id"]: m for m in await ann.get("/v1/me/payment-methods")}
    assert methods[method["id"]]["balance"]["amount"] == 5000 - 2289 + 1500
