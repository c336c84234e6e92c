"""A purchase end to end: stock, payment, ledger, pick task, history and notification are right, whoever buys."""

from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from kernel.ids import parse, public
from tests.factories.api import Caller, guest, signed_in
from tests.factories.books import owed
from tests.factories.world import World


async def state(sql: asyncpg.Connection, group: str) -> dict[str, Any]:
    """What a purchase left behind, by every context's own tables."""
    group_id = parse("grp", group)
    row = await sql.fetchrow(
        """
        select (select status from order_groups where id = $1) as group_status,
          (select array_agg(distinct status) from orders where group_id = $1) as orders,
          (select status from payment_intents where reference_id = $1) as payment,
          (select coalesce(sum(amount), 0) from ledger_entries where reference_id = $1) as booked,
          (select array_agg(distinct status) from inventory_reservations where reference_id = $1) as stock,
          (select array_agg(distinct t.status) from warehouse_tasks t where group_id = $1) as picks,
          (select array_agg(kind order by id) from order_timeline_events where group_id = $1) as history,
          (select count(*) from simulator_charges c where description = replace($1::text, '-', '')
             and status = 'authorised') as charges,
          (select status from saga_instances where subject_id = $1 and kind = 'purchase') as saga,
          (select failed_at is not null from checkout_sessions where group_id = $1) as failed,
          (select c.status from carts c join checkout_sessions s on s.cart_id = c.id where s.group_id = $1) as cart
        """,
        group_id,
    )
    return dict(row)


async def test_a_customer_buys_from_two_merchants(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann = await signed_in(http, "ann")
    cart = await ann.cart({world.variants["mug"]: 2, world.variants["plate"]: 1})
    group = await ann.checkout(
        cart,
        shipping_address=None,
        payment_token=None,
        address_id=public("adr", world.addresses["ann"]),
        payment_method_id=public("pm", world.cards["ann"]),
    )
    await settle()
    assert group["status"] == "confirmed"
    assert len(group["orders"]) == 2
    assert group["total"] == {"amount": 2 * 1500 + 2500 + 2 * 490, "currency": "EUR"}
    assert await state(sql, group["id"]) == {
        "group_status": "confirmed",
        "orders": ["confirmed"],
        "payment": "captured",
        "booked": group["total"]["amount"],
        "stock": ["allocated"],
        "picks": ["open"],
        "history": [
            "OrderPlaced",
            "PaymentAuthorized",
            "OrderConfirmed",
            "PaymentCaptured",
            "OrderPaid",
            "PickCreated",
        ],
        "charges": 1,
        "saga": "completed",
        "failed": False,
        "cart": "ordered",
    }
    feed = await ann.get("/v1/me/notifications")
    numbers = ", ".join(order["number"] for order in group["orders"])
    assert [entry["title"] for entry in feed["items"]] == [f"Order {numbers} is confirmed"]
    mail = await sql.fetchrow("select recipient, subject, text from email_messages order by id desc limit 1")
    assert mail["recipient"] == "ann@demo.test"
    assert mail["subject"] == f"Your order {numbers} is confirmed"
    assert "2 x Mug (mug)" in mail["text"]


async def test_a_guest_buys_and_reads_the_order_with_the_token(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    buyer = guest(http)
    cart = await buyer.cart({world.variants["lamp"]: 1}, email="gil@demo.test")
    group = await buyer.checkout(cart)
    await settle()
    assert group["status"] == "confirmed"
    token = {"X-Order-Token": group["order_token"]}
    shown = await Caller(http, token).get(f"/v1/order-groups/{group['id']}")
    assert shown["payment"]["status"] == "captured"
    (order,) = shown["orders"]
    assert (order["payment_status"], order["fulfillment_status"]) == ("paid", "picking")
    assert order["totals"] == {
        "subtotal": {"amount": 6000, "currency": "EUR"},
        "discount": {"amount": 0, "currency": "EUR"},
        "shipping": {"amount": 490, "currency": "EUR"},
        "tax": {"amount": 958 + 78, "currency": "EUR"},
        "total": {"amount": 6490, "currency": "EUR"},
        "tax_included": True,
    }
    await guest(http).refused("GET", f"/v1/order-groups/{group['id']}", 404, "order_not_found")
    assert await sql.fetchval("select recipient from email_messages order by id desc limit 1") == "gil@demo.test"


async def test_a_declined_card_leaves_nothing_but_an_open_cart(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ben = await signed_in(http, "ben")
    before = await levels(sql)
    cart = await ben.cart({world.variants["chair"]: 1})
    await ben.post(f"/v1/carts/{cart}/coupons", {"code": "LAST"})
    group = await ben.checkout(cart, "tok_decline")
    await settle()
    assert (group["status"], group["failure"], group["payment"]["status"]) == (
        "cancelled",
        "payment_declined",
        "failed",
    )
    found = await state(sql, group["id"])
    assert found | {"history": None} == {
        "group_status": "cancelled",
        "orders": ["cancelled"],
        "payment": "failed",
        "booked": 0,
        "stock": ["released"],
        "picks": None,
        "history": None,
        "charges": 0,
        "saga": "compensated",
        "failed": True,
        "cart": "open",
    }
    assert found["history"] == ["OrderPlaced", "PaymentFailed", "OrderCancelled"]
    assert await levels(sql) == before
    assert await sql.fetchval("select used from promotion_coupons where code = 'LAST'") == 0
    again = await ben.checkout(cart)
    assert again["status"] == "confirmed"
    assert await sql.fetchval("select used from promotion_coupons where code = 'LAST'") == 1


async def levels(sql: asyncpg.Connection) -> list[Any]:
    return [
        tuple(r) for r in await sql.fetch("select id, on_hand, reserved, allocated from inventory_levels order by id")
    ]


@pytest.mark.parametrize("approve", [True, False])
async def test_a_challenge_of_the_bank_decides(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any, approve: bool, shop: Any
) -> None:
    buyer = guest(http)
    group = await buyer.checkout(await buyer.cart({world.variants["mug"]: 1}, email="gil@demo.test"), "tok_3ds")
    assert (group["status"], group["payment"]["status"]) == ("pending", "requires_action")
    url = group["payment"]["next_action"]["url"]
    assert "Do you approve" in (await http.get(url)).text
    answered = await http.post(url, data={"answer": "approve" if approve else "decline"})
    assert answered.status_code == 200
    assert "answered already" in (await http.get(url)).text
    await deliver_webhooks(shop, http)
    await settle()
    shown = await buyer.get(f"/v1/order-groups/{group['id']}")
    assert shown["status"] == ("confirmed" if approve else "cancelled")
    assert shown["payment"]["status"] == ("captured" if approve else "failed")


async def deliver_webhooks(shop: Any, http: httpx.AsyncClient) -> None:
    gateway = shop.payment.gateway
    for notice in await gateway.due_webhooks():
        body, headers = gateway.signed(notice, shop.database.clock().timestamp())
        for _ in range(2):  # a provider may say everything twice
            assert (
                await http.post("/v1/webhooks/payments/simulator", content=body, headers=headers)
            ).status_code == 204
        await gateway.webhook_sent(notice["id"])


@pytest.mark.parametrize("token", ["tok_timeout_before", "tok_timeout_after", "tok_slow"])
async def test_an_unknown_outcome_is_asked_again_and_charged_once(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any, token: str
) -> None:
    buyer = guest(http)
    group = await buyer.checkout(await buyer.cart({world.variants["mug"]: 1}, email="gil@demo.test"), token)
    for _ in range(20):
        await settle()
        shown = await buyer.get(f"/v1/order-groups/{group['id']}")
        if shown["status"] != "pending":
            break
        await wait_for_retry(sql, UUID(group["id"][4:]))
    assert (shown["status"], shown["payment"]["status"]) == ("confirmed", "captured")
    found = await state(sql, group["id"])
    assert (found["charges"], found["booked"]) == (1, group["total"]["amount"])


async def wait_for_retry(sql: asyncpg.Connection, group: UUID) -> None:
    """Makes the next attempt due now instead of waiting for its back-off."""
    await sql.execute("update saga_instances set due_at = now() where subject_id = $1", group)


async def test_a_gift_card_pays_and_is_refilled_when_the_order_is_cancelled(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    admin, ann = await signed_in(http, "admin"), await signed_in(http, "ann")
    card = await admin.post("/v1/gift-cards", {"amount": 2000, "currency": "EUR"})
    method = await ann.post("/v1/me/payment-methods", {"gift_card_code": card["code"]})
    assert method["balance"] == {"amount": 2000, "currency": "EUR"}
    cart = await ann.cart({world.variants["mug"]: 1})
    group = await ann.checkout(cart, payment_token=None, payment_method_id=method["id"])
    assert (group["status"], group["payment"]["status"]) == ("confirmed", "captured")
    assert await balance(ann, method["id"]) == 2000 - 1990
    too_much = await ann.cart({world.variants["lamp"]: 1})
    answer = await ann.checkout(too_much, payment_token=None, payment_method_id=method["id"], expect=None)
    assert (answer.status_code, answer.json()["code"]) == (409, "gift_card_insufficient")
    order = group["orders"][0]["id"]
    cancelled = await ann.post(f"/v1/orders/{order}/cancel", {"reason": "changed my mind"}, 200, key="cancel-gift")
    assert (cancelled["status"], cancelled["payment_status"]) == ("cancelled", "refunded")
    assert await balance(ann, method["id"]) == 2000
    await settle()
    assert (await state(sql, group["id"]))["picks"] == ["cancelled"]


async def balance(caller: Caller, method: str) -> int:
    methods = await caller.get("/v1/me/payment-methods")
    return next(m["balance"]["amount"] for m in methods if m["id"] == method)


async def test_a_cancelled_order_gives_money_and_stock_back_once(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    before = await levels(sql)
    ann = await signed_in(http, "ann")
    group = await ann.checkout(await ann.cart({world.variants["rug"]: 3}))
    order = group["orders"][0]["id"]
    refused = {"json": {"reason": "because"}, "key": "bad-reason"}
    await ann.refused("POST", f"/v1/orders/{order}/cancel", 422, "cancel_reason_invalid", **refused)
    done = await ann.post(f"/v1/orders/{order}/cancel", {"reason": "no longer needed"}, 200, key="cancel")
    assert (done["status"], done["payment_status"]) == ("cancelled", "refunded")
    again = await ann.post(f"/v1/orders/{order}/cancel", {"reason": "no longer needed"}, 200, key="cancel")
    assert again == done
    await ann.refused(
        "POST", f"/v1/orders/{order}/cancel", 409, "order_not_cancellable",
        json={"reason": "no longer needed"}, key="another",
    )  # fmt: skip
    await settle()
    assert await levels(sql) == before
    refunds = await sql.fetchval(
        "select count(*) from simulator_operations o join simulator_charges c using (reference) "
        "where o.kind = 'refund' and c.description = $1",
        group["id"][4:],
    )
    assert refunds == 1
    assert await owed(sql, parse("grp", group["id"])) == 0
    assert (await state(sql, group["id"]))["history"][-2:] == ["PaymentRefunded", "OrderCancelled"]


async def test_the_address_of_an_order_can_be_changed_until_it_is_packed(
    http: httpx.AsyncClient, world: World, settle: Any
) -> None:
    ann = await signed_in(http, "ann")
    group = await ann.checkout(await ann.cart({world.variants["mug"]: 1}))
    order = group["orders"][0]["id"]
    new = {"name": "Ann", "line1": "New Street 2", "city": "Hamburg", "postal_code": "20095", "country": "DE"}
    changed = await ann.post(f"/v1/orders/{order}/address", {"address": new}, 200, key="move")
    assert changed["shipping_address"]["line1"] == "New Street 2"
    await settle()
    kinds = [event["kind"] for event in await ann.get(f"/v1/orders/{order}/timeline")]
    assert kinds[-1] == "OrderAddressChanged"
