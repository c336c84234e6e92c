"""Items of a placed order become other variants: money, stock, picks and sums follow, or nothing changes at all."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.ids import parse, public
from tests.factories.api import Caller, guest, signed_in
from tests.factories.books import broken, whole_state
from tests.factories.variants import add_choice
from tests.factories.world import World

PRICES = {"red": 2000, "blue": 2000, "gold": 3500, "grey": 1200}
RULE = {"states": ["confirmed"]}


@pytest.fixture
async def shirt(shop: Commerce, world: World) -> dict[str, UUID]:
    return await add_choice(shop, world, PRICES)


async def bought(buyer: Caller, lines: dict[UUID, int], **more: Any) -> dict[str, Any]:
    group = await buyer.checkout(await buyer.cart(lines), **more)
    assert group["payment"]["status"] == "captured"
    return group["orders"][0]


def wish(order: dict[str, Any], old: UUID, new: UUID, quantity: int = 1, **more: Any) -> dict[str, Any]:
    line = next(line for line in order["lines"] if line["variant_id"] == public("var", old))
    return {"items": [{"sku": line["sku"], "variant_id": public("var", new), "quantity": quantity}], **more}


async def change(buyer: Caller, order: dict[str, Any], body: dict[str, Any], expect: int | None = 200) -> Any:
    return await buyer.post(f"/v1/orders/{order['id']}/lines", body, expect, key=str(uuid4()))


async def gift_card(http: httpx.AsyncClient, owner: Caller, amount: int, currency: str = "EUR") -> str:
    admin = await signed_in(http, "admin")
    card = await admin.post("/v1/gift-cards", {"amount": amount, "currency": currency})
    return str((await owner.post("/v1/me/payment-methods", {"gift_card_code": card["code"]}))["id"])


async def balance(owner: Caller, method: str) -> int:
    methods = await owner.get("/v1/me/payment-methods")
    return next(m["balance"]["amount"] for m in methods if m["id"] == method)


async def allocated(sql: asyncpg.Connection, *variants: UUID) -> list[int]:
    return [
        await sql.fetchval("select allocated from inventory_levels where variant_id = $1", variant)
        for variant in variants
    ]


def paid(change: dict[str, Any]) -> list[tuple[str, int, str]]:
    return [(row["type"], row["amount"]["amount"], row["method"]) for row in change["payments"]]


async def test_a_dearer_variant_is_charged_to_the_named_card(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: dict[str, UUID], settle: Any
) -> None:
    ann = await signed_in(http, "ann")
    card = public("pm", world.cards["ann"])
    order = await bought(ann, {shirt["red"]: 1}, payment_token=None, payment_method_id=card)
    done = await change(ann, order, wish(order, shirt["red"], shirt["gold"], payment_method_id=card))
    assert (done["change"]["status"], done["change"]["kind"]) == ("applied", "items")
    assert done["change"]["difference"] == {"amount": 1500, "currency": "EUR"}
    (line,) = done["order"]["lines"]
    assert (line["variant_id"], line["unit_price"]["amount"]) == (public("var", shirt["gold"]), 3500)
    assert line["id"] == order["lines"][0]["id"]
    assert (done["order"]["status"], done["order"]["items_modified"]) == ("confirmed", True)
    assert done["order"]["totals"]["total"]["amount"] == 3500 + 490
    assert paid(done) == [("payment", 2490, "visa ending in 4242"), ("payment", 1500, "visa ending in 4242")]
    assert await allocated(sql, shirt["red"], shirt["gold"]) == [0, 1]
    await settle()
    kinds = [event["kind"] for event in await ann.get(f"/v1/orders/{order['id']}/timeline")]
    assert "OrderModified" in kinds
    assert await ann.get(f"/v1/orders/{order['id']}/changes") == [done["change"]]
    pick = await sql.fetchrow(
        "select variant_id, quantity from warehouse_picking_lines where order_id = $1", parse("ord", order["id"])
    )
    assert tuple(pick) == (shirt["gold"], 1)
    assert await broken(sql) == {}


async def test_a_cheaper_variant_gives_back_to_a_gift_card_at_once(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID]
) -> None:
    ann = await signed_in(http, "ann")
    card = await gift_card(http, ann, 100)
    order = await bought(ann, {shirt["gold"]: 1})
    done = await change(ann, order, wish(order, shirt["gold"], shirt["grey"], payment_method_id=card))
    assert done["change"]["difference"]["amount"] == 1200 - 3500
    assert paid(done) == [("payment", 3990, "card"), ("refund", 2300, "gift card")]
    assert await balance(ann, card) == 2400
    assert await broken(sql) == {}


@pytest.mark.parametrize("named", [True, False])
async def test_a_cheaper_variant_gives_back_to_a_card_by_the_gateway_once(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: dict[str, UUID], named: bool
) -> None:
    """To the card it was paid with by a refund of that charge; to another one by a credit."""
    ann = await signed_in(http, "ann")
    order = await bought(ann, {shirt["gold"]: 1}, token="tok_success_other")
    more = {"payment_method_id": public("pm", world.cards["ann"])} if named else {}
    done = await change(ann, order, wish(order, shirt["gold"], shirt["red"], **more))
    assert paid(done)[1] == ("refund", 1500, "visa ending in 4242" if named else "card")
    credited = await sql.fetch(
        "select amount, token from simulator_charges where status = 'credited' and description = $1",
        order["group_id"][4:],
    )
    refunds = await sql.fetch(
        "select o.amount from simulator_operations o join simulator_charges c using (reference) "
        "where o.kind = 'refund' and c.description = $1",
        order["group_id"][4:],
    )
    assert [tuple(row) for row in credited] == ([(1500, "tok_success")] if named else [])
    assert [row[0] for row in refunds] == ([] if named else [1500])
    assert await broken(sql) == {}


@pytest.mark.parametrize("paid_by", ["card", "gift card"])
async def test_what_a_card_does_not_take_goes_back_the_way_it_was_paid(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID], paid_by: str
) -> None:
    ann = await signed_in(http, "ann")
    closed = await ann.post("/v1/me/payment-methods", {"token": "tok_decline_closed", "brand": "visa", "last4": "0002"})
    gift = await gift_card(http, ann, 5000)
    how = {"payment_token": None, "payment_method_id": gift} if paid_by == "gift card" else {}
    order = await bought(ann, {shirt["gold"]: 1}, **how)
    done = await change(ann, order, wish(order, shirt["gold"], shirt["red"], payment_method_id=closed["id"]))
    assert paid(done) == [("payment", 3990, paid_by), ("refund", 1500, paid_by)]
    assert await balance(ann, gift) == (5000 - 2490 if paid_by == "gift card" else 5000)
    assert await broken(sql) == {}


async def test_some_units_of_a_line_change_and_the_rest_stays(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID]
) -> None:
    """Multiset: two units of one SKU become two different things, by naming it twice; the third stays what it was."""
    ann = await signed_in(http, "ann")
    order = await bought(ann, {shirt["red"]: 3})
    sku = order["lines"][0]["sku"]
    body = {
        "items": [
            {"sku": sku, "variant_id": public("var", shirt["blue"])},
            {"sku": sku, "variant_id": public("var", shirt["gold"])},
        ],
        "payment_token": "tok_success",
    }
    done = await change(ann, order, body)
    colours = [
        (line["options"]["Colour"], line["quantity"], line["total"]["amount"]) for line in done["order"]["lines"]
    ]
    assert colours == [("red", 1, 2000), ("blue", 1, 2000), ("gold", 1, 3500)]
    assert done["order"]["totals"]["subtotal"]["amount"] == 7500
    assert await allocated(sql, *(shirt[c] for c in ("red", "blue", "gold"))) == [1, 1, 1]
    entries = await sql.fetch(
        "select position, quantity, unit_minor, new_unit_minor, amount from order_modification_lines "
        "where modification_id = $1 order by position",
        parse("mod", done["change"]["id"]),
    )
    assert [tuple(row) for row in entries] == [(1, 1, 2000, 2000, 0), (2, 1, 2000, 3500, 1500)]
    more = {"items": [{"sku": sku, "variant_id": public("var", shirt["blue"]), "quantity": 2}]}
    await ann.refused("POST", f"/v1/orders/{order['id']}/lines", 404, "order_line_unknown", json=more, key=str(uuid4()))
    assert await broken(sql) == {}


async def test_a_discount_and_its_tax_go_with_the_units(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID]
) -> None:
    ann = await signed_in(http, "ann")
    cart = await ann.cart({shirt["red"]: 3})
    await ann.post(f"/v1/carts/{cart}/coupons", {"code": "TEN"})
    order = (await ann.checkout(cart))["orders"][0]
    assert order["totals"]["discount"]["amount"] == 600
    done = await change(ann, order, wish(order, shirt["red"], shirt["gold"], payment_token="tok_success"))
    totals = done["order"]["totals"]
    assert (totals["subtotal"]["amount"], totals["discount"]["amount"]) == (7500, 600)
    assert totals["total"]["amount"] == 7500 - 600 + 490
    rows = await sql.fetch(
        "select quantity, discount, tax from order_lines where order_id = $1 order by id", parse("ord", order["id"])
    )
    assert [tuple(row) for row in rows] == [(2, 400, 575), (1, 200, 527)]  # 3600 and 3300 with 19 % inside
    assert await broken(sql) == {}


async def test_a_declined_card_leaves_the_order_as_it_was(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID]
) -> None:
    ann = await signed_in(http, "ann")
    order = await bought(ann, {shirt["red"]: 1})
    before = (await whole_state(sql, parse("grp", order["group_id"])))[:3]
    for token in ("tok_decline", "tok_3ds"):
        done = await change(ann, order, wish(order, shirt["red"], shirt["gold"], payment_token=token))
        assert (done["change"]["status"], done["change"]["failure"]) == ("failed", "payment_declined")
        assert done["order"]["lines"] == order["lines"]
    assert (await whole_state(sql, parse("grp", order["group_id"])))[:3] == before
    assert await allocated(sql, shirt["red"], shirt["gold"]) == [1, 0]
    held = await sql.fetchval("select reserved from inventory_levels where variant_id = $1", shirt["gold"])
    assert held == 0
    assert await broken(sql) == {}
    again = await change(ann, order, wish(order, shirt["red"], shirt["gold"], payment_token="tok_success"))
    assert again["change"]["status"] == "applied"


async def test_a_lost_answer_of_the_gateway_is_asked_again_and_charged_once(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID], settle: Any
) -> None:
    ann = await signed_in(http, "ann")
    order = await bought(ann, {shirt["red"]: 1})
    path, key = f"/v1/orders/{order['id']}/lines", str(uuid4())
    body = wish(order, shirt["red"], shirt["gold"], payment_token="tok_timeout_after")
    first = await ann.post(path, body, 200, key=key)
    assert first["change"]["status"] == "requested"
    meanwhile = {"json": {"reason": "no longer needed"}, "key": str(uuid4())}
    await ann.refused("POST", f"/v1/orders/{order['id']}/cancel", 409, "order_change_in_progress", **meanwhile)
    other = wish(order, shirt["red"], shirt["blue"])
    await ann.refused("POST", path, 409, "order_change_in_progress", json=other, key=str(uuid4()))
    await sql.execute("update saga_instances set due_at = now() where kind = 'change' and status = 'running'")
    await settle()
    (done,) = await ann.get(f"/v1/orders/{order['id']}/changes")
    assert done["status"] == "applied"
    charged = await sql.fetch(
        "select status from simulator_charges where description = $1", parse("mod", done["id"]).hex
    )
    assert [row["status"] for row in charged] == ["authorised"]
    assert await broken(sql) == {}


async def refused(
    buyer: Caller, sql: asyncpg.Connection, order: dict[str, Any], body: Any, status: int, code: str
) -> None:
    before = await whole_state(sql, parse("grp", order["group_id"]))
    path = f"/v1/orders/{order['id']}/lines"
    await buyer.refused("POST", path, status, code, json=body, key=str(uuid4()))
    assert await whole_state(sql, parse("grp", order["group_id"])) == before


async def test_what_cannot_be_changes_nothing(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shop: Commerce, world: World, shirt: dict[str, UUID]
) -> None:
    ann, ben = await signed_in(http, "ann"), await signed_in(http, "ben")
    order = await bought(ann, {shirt["red"]: 2})
    scarce = await add_choice(shop, world, {"one": 2000, "none": 2000}, units=1)
    low = await gift_card(http, ann, 100)
    dollars = await gift_card(http, ann, 90_000, "USD")
    to = wish(order, shirt["red"], shirt["gold"])
    first = to["items"][0]
    cases: list[tuple[Any, int, str]] = [
        (to, 422, "payment_required"),
        ({**to, "payment_method_id": low}, 409, "gift_card_insufficient"),
        ({**to, "payment_method_id": dollars}, 409, "gift_card_insufficient"),
        ({**to, "payment_method_id": public("pm", world.cards["ben"])}, 404, "payment_method_unknown"),
        ({**to, "payment_token": "4242424242424242"}, 422, "payment_token_invalid"),
        (wish(order, shirt["red"], shirt["red"]), 409, "order_item_same"),
        (wish(order, shirt["red"], world.variants["mug"]), 409, "order_item_other_product"),
        (wish(order, shirt["red"], world.variants["plate"]), 409, "order_item_other_product"),
        (wish(order, shirt["red"], world.variants["dollar"]), 409, "variant_not_for_sale"),
        (wish(order, shirt["red"], uuid4()), 409, "variant_not_for_sale"),
        (wish(order, shirt["red"], shirt["blue"], 3), 404, "order_line_unknown"),
        ({"items": [first | {"sku": "NOTHING"}], "payment_token": "tok_success"}, 404, "order_line_unknown"),
        ({"items": []}, 422, "invalid_request"),
        ({"items": [first, first | {"variant_id": public("var", shirt["red"])}]}, 409, "order_item_same"),
    ]
    for body, status, code in cases:
        await refused(ann, sql, order, body, status, code)
    down = wish(order, shirt["red"], shirt["grey"], payment_method_id=dollars)
    await refused(ann, sql, order, down, 409, "refund_destination_refused")
    other = await bought(ann, {scarce["one"]: 1})
    await sql.execute("update inventory_levels set safety_stock = 1 where variant_id = $1", scarce["none"])
    await refused(ann, sql, other, wish(other, scarce["one"], scarce["none"]), 409, "insufficient_stock")
    blue = wish(order, shirt["red"], shirt["blue"])
    await refused(ben, sql, order, blue, 404, "order_not_found")
    await refused(guest(http), sql, order, blue, 404, "order_not_found")
    assert (await ann.post(f"/v1/orders/{order['id']}/lines", blue, None)).json()["code"] == "idempotency_key_required"
    assert await broken(sql) == {}


async def test_support_changes_an_order_with_its_customers_own_methods_only(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: dict[str, UUID]
) -> None:
    ann, support = await signed_in(http, "ann"), await signed_in(http, "support")
    order = await bought(ann, {shirt["red"]: 1})
    to = wish(order, shirt["red"], shirt["gold"])
    theirs = {"payment_method_id": public("pm", world.cards["ben"])}
    await refused(support, sql, order, to | theirs, 404, "payment_method_unknown")
    done = await change(support, order, to | {"payment_method_id": public("pm", world.cards["ann"])})
    assert done["change"]["status"] == "applied"
    seen = await ann.get(f"/v1/orders/{order['id']}/payments")
    assert [row["amount"]["amount"] for row in seen] == [2490, 1500]
    other = await signed_in(http, "ben")
    await other.refused("GET", f"/v1/orders/{order['id']}/payments", 404, "order_not_found")
    await other.refused("GET", f"/v1/orders/{order['id']}/changes", 404, "order_not_found")


async def test_the_policy_says_once_and_where_money_may_go(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shirt: dict[str, UUID]
) -> None:
    admin, ann = await signed_in(http, "admin"), await signed_in(http, "ann")
    closed = {**RULE, "after_items": False}
    policy = {"items": {**RULE, "most": 1}, "cancel": closed, "difference_to": "original_or_gift_card"}
    await admin.call("PUT", "/v1/channels/web/policy", 200, json=policy)
    order = await bought(ann, {shirt["gold"]: 1}, token="tok_success_other")
    card = {"payment_method_id": public("pm", world.cards["ann"])}
    down = wish(order, shirt["gold"], shirt["grey"])
    await refused(ann, sql, order, down | card, 409, "refund_destination_refused")
    done = await change(ann, order, down | {"payment_method_id": await gift_card(http, ann, 1)})
    assert done["change"]["status"] == "applied"
    up = wish(done["order"], shirt["grey"], shirt["red"], payment_token="tok_success")
    await refused(ann, sql, order, up, 409, "order_change_spent")
    cancel = {"json": {"reason": "no longer needed"}, "key": str(uuid4())}
    await ann.refused("POST", f"/v1/orders/{order['id']}/cancel", 409, "order_change_spent", **cancel)
    await admin.call("PUT", "/v1/channels/web/policy", 200, json={"items": {"states": []}})
    await refused(ann, sql, order, up, 409, "order_not_changeable")
    await admin.call("PUT", "/v1/channels/web/policy", 200, json={"same_product_only": False})
    free = wish(done["order"], shirt["grey"], world.variants["mug"], payment_token="tok_success")
    assert (await change(ann, order, free))["order"]["lines"][0]["name"] == "Mug"
    await admin.call("PUT", "/v1/channels/web/policy", 200, json={})
    assert await broken(sql) == {}


async def test_what_was_picked_stays(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID], settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    order = await bought(ann, {shirt["red"]: 2})
    await settle()
    line = order["lines"][0]["id"]
    await north.post(f"/v1/warehouse/picks/{order['id']}/lines/{line}", {"quantity": 1}, None)
    picked = await sql.fetchval(
        "select picked from warehouse_picking_lines where order_line_id = $1", parse("oln", line)
    )
    assert picked == 1
    await refused(ann, sql, order, wish(order, shirt["red"], shirt["blue"], 2), 409, "order_already_packed")
    dear = wish(order, shirt["red"], shirt["gold"], 2, payment_token="tok_success")
    whole = await change(ann, order, dear)  # its card was asked first, and let go again
    assert (whole["change"]["status"], whole["change"]["failure"]) == ("failed", "already_packed")
    voided = "select count(*) from simulator_operations o join simulator_charges c using (reference) where o.kind = 'void' and c.description = $1"
    assert await sql.fetchval(voided, parse("mod", whole["change"]["id"]).hex) == 1
    half = await change(ann, order, wish(order, shirt["red"], shirt["blue"], 1))
    assert half["change"]["status"] == "applied"
    assert await broken(sql) == {}


async def test_a_line_changes_only_by_a_modification_of_its_order(
    http: httpx.AsyncClient, sql: asyncpg.Connection, shirt: dict[str, UUID]
) -> None:
    """The law in Postgres, tried by a superuser: no row, another order's row, an applied row; then sums that differ."""
    ann = await signed_in(http, "ann")
    order = await bought(ann, {shirt["red"]: 1})
    other = await bought(ann, {shirt["red"]: 1})
    done = await change(ann, other, wish(other, shirt["red"], shirt["blue"]))
    line = parse("oln", order["lines"][0]["id"])
    for modification in (None, parse("mod", done["change"]["id"])):
        with pytest.raises(asyncpg.CheckViolationError) as refused_by:
            await sql.execute(
                "update order_lines set variant_id = $2, modification_id = $3 where id = $1",
                *(line, shirt["gold"], modification),
            )
        assert refused_by.value.constraint_name == "order_lines_snapshot"
    modification = await sql.fetchval(
        "insert into order_modifications select uuidv7(), $1, $2, kind, 'requested', reason, method_id, difference, "
        "currency, actor, failure, created_at, updated_at from order_modifications where id = $3 returning id",
        *(parse("grp", order["group_id"]), parse("ord", order["id"]), parse("mod", done["change"]["id"])),
    )
    with pytest.raises(asyncpg.CheckViolationError) as refused_by:
        await sql.execute(
            "update order_lines set unit_minor = 1, subtotal = 1, modification_id = $2 where id = $1",
            *(line, modification),
        )
    assert refused_by.value.constraint_name == "orders_add_up"
