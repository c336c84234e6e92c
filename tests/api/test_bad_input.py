"""Bad input gets a clear, coded problem, and changes nothing."""

from typing import Any

import asyncpg
import httpx
import pytest

from kernel.ids import new_id, public
from tests.conftest import opened, served
from tests.factories.api import Caller, guest, signed_in
from tests.factories.world import ADDRESS, World

WATCHED = (
    "carts",
    "cart_lines",
    "cart_adjustments",
    "order_groups",
    "orders",
    "payment_intents",
    "inventory_movements",
)


@pytest.fixture
async def counts(sql: asyncpg.Connection) -> Any:
    """Asserts, when called, that no watched table changed since the last look."""

    async def count() -> dict[str, int]:
        return {table: await sql.fetchval(f"select count(*) from {table}") for table in WATCHED}

    return count


@pytest.fixture
async def buyer(http: httpx.AsyncClient, world: World) -> tuple[Caller, str]:
    caller = guest(http)
    return caller, await caller.cart({world.variants["mug"]: 1}, email="gil@demo.test")


def lines(world: World) -> list[tuple[str, dict[str, Any], int, str]]:
    mug = public("var", world.variants["mug"])
    return [
        ("unknown field", {"variant_id": mug, "quantity": 1, "price": 1}, 422, "invalid_request"),
        ("wrong type", {"variant_id": mug, "quantity": "many"}, 422, "invalid_request"),
        ("text for a number", {"variant_id": mug, "quantity": "2"}, 422, "invalid_request"),
        ("negative", {"variant_id": mug, "quantity": -1}, 422, "invalid_request"),
        ("zero", {"variant_id": mug, "quantity": 0}, 422, "invalid_request"),
        ("ten thousand", {"variant_id": mug, "quantity": 10_000}, 422, "invalid_request"),
        ("another kind of id", {"variant_id": public("ord", new_id()), "quantity": 1}, 422, "invalid_request"),
        ("unknown variant", {"variant_id": public("var", new_id()), "quantity": 1}, 409, "variant_not_for_sale"),
        (
            "another currency",
            {"variant_id": public("var", world.variants["dollar"]), "quantity": 1},
            409,
            "variant_not_for_sale",
        ),
        ("no body", None, 422, "invalid_request"),
    ]


async def test_bad_lines(buyer: tuple[Caller, str], counts: Any, world: World) -> None:
    caller, cart = buyer
    before = await counts()
    for name, body, status, code in lines(world):
        found = await caller.refused("POST", f"/v1/carts/{cart}/lines", status, code, json=body)
        assert found["detail"], name
        assert found["trace_id"], name
    assert await counts() == before


async def test_bad_carts(http: httpx.AsyncClient, counts: Any) -> None:
    before, caller = await counts(), guest(http)
    await caller.refused("POST", "/v1/carts", 422, "currency_unknown", json={"currency": "XYZ"})
    await caller.refused("POST", "/v1/carts", 422, "currency_unknown", json={"channel": "web", "currency": "USD"})
    await caller.refused("POST", "/v1/carts", 404, "channel_unknown", json={"channel": "moon"})
    await caller.refused("POST", "/v1/carts", 422, "invalid_request", json={"email": "not an address"})
    await caller.refused("POST", "/v1/carts", 422, "invalid_request", content=b"{not json")
    assert await counts() == before


async def test_bad_checkouts(http: httpx.AsyncClient, buyer: tuple[Caller, str], counts: Any, world: World) -> None:
    caller, cart = buyer
    ann = await signed_in(http, "ann")
    mine = await ann.cart({world.variants["mug"]: 1})
    nobody = guest(http)
    nameless = await nobody.cart({world.variants["mug"]: 1})
    empty = await ann.cart({})
    before = await counts()
    good = {"shipping_address": ADDRESS, "payment_token": "tok_success"}
    foreign = {"payment_token": "tok_success", "address_id": public("adr", world.addresses["ben"])}
    foreign_card = {"shipping_address": ADDRESS, "payment_method_id": public("pm", world.cards["ben"])}
    number = {"shipping_address": ADDRESS, "payment_token": "4242424242424242"}
    cases = [
        (caller, cart, good, 400, "idempotency_key_required", {}),
        (caller, cart, {"payment_token": "tok_success"}, 422, "address_required", {"key": "a"}),
        (caller, cart, {"shipping_address": ADDRESS}, 422, "payment_required", {"key": "b"}),
        (caller, cart, number, 422, "payment_token_invalid", {"key": "c"}),
        (caller, cart, {**good, "shipping_method": "drone"}, 422, "shipping_method_unavailable", {"key": "d"}),
        (
            caller,
            cart,
            {**good, "shipping_address": {**ADDRESS, "country": "Germany"}},
            422,
            "invalid_request",
            {"key": "e"},
        ),
        (caller, cart, {**good, "total": 1}, 422, "invalid_request", {"key": "f"}),
        (ann, mine, foreign, 404, "address_unknown", {"key": "g"}),
        (ann, mine, foreign_card, 404, "payment_method_unknown", {"key": "h"}),
        (nobody, nameless, good, 422, "email_required", {"key": "i"}),
        (ann, empty, good, 409, "cart_empty", {"key": "j"}),
        (ann, cart, good, 404, "cart_unknown", {"key": "k"}),
    ]
    for who, which, body, status, code, more in cases:
        await who.refused("POST", f"/v1/carts/{which}/checkout", status, code, json=body, **more)
    assert await counts() == before
    assert (await caller.checkout(cart, key="a"))["status"] == "confirmed", "a refused request does not use its key up"


async def test_expired_and_unknown_coupons(buyer: tuple[Caller, str], counts: Any) -> None:
    caller, cart = buyer
    before = await counts()
    await caller.refused("POST", f"/v1/carts/{cart}/coupons", 409, "coupon_expired", json={"code": "OLD"})
    await caller.refused("POST", f"/v1/carts/{cart}/coupons", 404, "coupon_unknown", json={"code": "NOPE"})
    assert await counts() == before


async def test_coupon_guessing_is_limited(buyer: tuple[Caller, str]) -> None:
    caller, cart = buyer
    answers = [await caller.call("POST", f"/v1/carts/{cart}/coupons", json={"code": f"GUESS{n}"}) for n in range(30)]
    assert [a.status_code for a in answers].count(404) == 20
    assert answers[-1].json()["code"] == "too_many_requests"
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_a_huge_body_is_refused(http: httpx.AsyncClient, buyer: tuple[Caller, str], counts: Any) -> None:
    caller, cart = buyer
    before = await counts()
    huge = b'{"email": "' + b"x" * 300_000 + b'"}'
    await caller.refused("PATCH", f"/v1/carts/{cart}", 413, "body_too_large", content=huge)

    async def drip() -> Any:
        for _ in range(100):
            yield b" " * 10_000

    await caller.refused("PATCH", f"/v1/carts/{cart}", 413, "body_too_large", content=drip())
    assert await counts() == before


async def test_a_cart_holds_a_bounded_number_of_lines(sql: asyncpg.Connection, url: str, world: World) -> None:
    policy = "update channels set policy = $1::text::jsonb where code = 'web'"
    await sql.execute(policy, '{"cart_lines_most": 3}')
    async with opened(url) as shop, served(shop) as fresh:  # an application that has not read the channel yet
        caller = guest(fresh)
        cart = await caller.cart({world.variants[name]: 1 for name in ("mug", "lamp", "chair")})
        body = {"variant_id": public("var", world.variants["plate"]), "quantity": 1}
        await caller.refused("POST", f"/v1/carts/{cart}/lines", 409, "cart_full", json=body)
        assert len((await caller.get(f"/v1/carts/{cart}"))["lines"]) == 3
    await sql.execute(policy, "{}")


async def test_a_line_holds_a_bounded_number_of_units(
    buyer: tuple[Caller, str], sql: asyncpg.Connection, world: World
) -> None:
    caller, cart = buyer
    variant = world.variants["mug"]
    await sql.execute("update inventory_levels set on_hand = on_hand + 20000 where variant_id = $1", variant)
    body = {"variant_id": public("var", variant), "quantity": 9999}
    answer = await caller.refused("POST", f"/v1/carts/{cart}/lines", 409, "insufficient_stock", json=body)
    assert answer["detail"] == "Only 9999 of this item can be bought right now."
    assert [line["quantity"] for line in (await caller.get(f"/v1/carts/{cart}"))["lines"]] == [1]
    await sql.execute("update inventory_levels set on_hand = on_hand - 20000 where variant_id = $1", variant)


async def test_unknown_routes_and_methods_are_problems_too(http: httpx.AsyncClient) -> None:
    caller = guest(http)
    await caller.refused("GET", "/v1/nothing", 404, "route_unknown")
    await caller.refused("DELETE", "/v1/products", 405, "method_not_allowed")
    await caller.refused("GET", "/v1/products?cursor=%00", 422, "bad_cursor")
    await caller.refused("GET", "/v1/products?size=5000", 422, "invalid_request")


async def test_more_than_is_there_cannot_be_added(
    buyer: tuple[Caller, str], sql: asyncpg.Connection, world: World
) -> None:
    caller, cart = buyer
    await sql.execute(
        "update inventory_levels set safety_stock = on_hand - 3 where variant_id = $1", world.variants["pen"]
    )
    body = {"variant_id": public("var", world.variants["pen"]), "quantity": 4}
    found = await caller.refused("POST", f"/v1/carts/{cart}/lines", 409, "insufficient_stock", json=body)
    assert found["detail"] == "Only 3 of PEN can be bought right now."


CURSORS = ("zz", "%00", "%C3%A9", "a" * 64, "r", "r%C2%B2", "r12345678", "-1", "null", "AZrQ-_")
LISTS = (
    ("", "/v1/products"),
    ("", "/v1/products?q=mug"),
    ("ann", "/v1/orders"),
    ("ann", "/v1/me/notifications"),
    ("north", "/v1/merchant/orders"),
    ("north", "/v1/merchant/stock"),
    ("admin", "/v1/merchants"),
    ("admin", "/v1/sagas"),
    ("admin", "/v1/dead-letters"),
)


async def test_a_cursor_of_no_list_is_refused_by_every_list(http: httpx.AsyncClient) -> None:
    for who, path in LISTS:
        caller = await signed_in(http, who) if who else guest(http)
        for cursor in CURSORS:
            joined = f"{path}{'&' if '?' in path else '?'}cursor={cursor}"
            await caller.refused("GET", joined, 422, "bad_cursor")


async def test_stock_is_paged_without_gap_or_repetition(http: httpx.AsyncClient) -> None:
    north = await signed_in(http, "north")
    whole = [level["id"] for level in (await north.get("/v1/merchant/stock"))["items"]]
    seen, cursor = [], ""
    while cursor is not None:
        page = await north.get(f"/v1/merchant/stock?size=2{cursor and '&cursor=' + cursor}")
        seen += [level["id"] for level in page["items"]]
        cursor = page["next"]
    assert seen == whole
    assert len(whole) == 5


async def test_a_nul_character_is_refused_wherever_text_goes(
    http: httpx.AsyncClient, buyer: tuple[Caller, str], counts: Any
) -> None:
    caller, cart = buyer
    ann = await signed_in(http, "ann")
    before = await counts()
    for path in ("products?q=", "products?category=", "products?channel=", "shipping-rates?country=DE&channel="):
        await caller.refused("GET", f"/v1/{path}a%00b", 422, "invalid_request")
    await caller.refused("GET", "/simulator/3ds/%00", 422, "invalid_request")
    await caller.refused("POST", f"/v1/carts/{cart}/coupons", 422, "invalid_request", json={"code": "A\0B"})
    await caller.refused("DELETE", f"/v1/carts/{cart}/coupons/%00", 422, "invalid_request")
    for field in ("name", "line1", "city", "region", "postal_code"):
        address = {**ADDRESS, field: "a\0b"}
        await ann.refused("POST", "/v1/me/addresses", 422, "invalid_request", json=address)
        body = {"shipping_address": address, "payment_token": "tok_success"}
        await caller.refused("POST", f"/v1/carts/{cart}/checkout", 422, "invalid_request", json=body, key=field)
    assert await counts() == before
