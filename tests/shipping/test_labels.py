"""Labels: one for a package, whatever is lost on the way; a labelled package leaves once, as it was packed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.ids import parse
from tests.conftest import opened
from tests.factories.api import Caller, signed_in
from tests.factories.books import broken
from tests.factories.world import World
from tests.shipping.carrier import SENDER, SETTINGS, Books, played

BOX = {"weight_g": 900, "length_mm": 300, "width_mm": 200, "height_mm": 100}


@pytest.fixture(scope="module")
async def shop(url: str) -> AsyncIterator[Commerce]:
    async with opened(url, **SETTINGS) as found:
        yield found


@pytest.fixture
async def north(http: httpx.AsyncClient) -> Caller:
    admin = await signed_in(http, "admin")
    await admin.call("PUT", "/v1/carriers/swift", 200, json={"name": "Swift", "adapter": "easypost"})
    await admin.call("PUT", "/v1/carriers/swift/accounts", 204, json={"sender": SENDER})
    return await signed_in(http, "north")


async def packed(http: httpx.AsyncClient, north: Caller, world: World, units: int = 2) -> tuple[Any, Any]:
    """An order of Ann's, picked and packed in one package."""
    ann = await signed_in(http, "ann")
    order = (await ann.checkout(await ann.cart({world.variants["mug"]: units})))["orders"][0]
    line = order["lines"][0]["id"]
    await north.post(f"/v1/warehouse/picks/{order['id']}/lines/{line}", {"quantity": units}, 204)
    body = {"lines": [{"order_line_id": line, "quantity": units}], **BOX}
    return order, await north.post(f"/v1/warehouse/orders/{order['id']}/packages", body)


async def label(north: Caller, package: Any, expect: int | None = 201, **body: Any) -> Any:
    return await north.post(f"/v1/packages/{package['id']}/label", body, expect, key=str(uuid4()))


async def send(north: Caller, order: Any, package: Any, expect: int | None = 201) -> Any:
    body = {"package_id": package["id"]}
    return await north.post(f"/v1/orders/{order['id']}/shipments", body, expect, key=str(uuid4()))


async def test_the_shop_prints_its_own_label(http: httpx.AsyncClient, north: Caller, world: World) -> None:
    order, package = await packed(http, north, world)
    made = await label(north, package)
    assert (made["carrier"], made["service"], made["status"]) == ("standard", "standard", "bought")
    assert made["price"] == {"amount": 490, "currency": "EUR"}
    pdf = await north.call("GET", f"/v1/labels/{made['id']}?format=pdf")
    assert (pdf.headers["content-type"], pdf.content[:5], pdf.content[-6:]) == ("application/pdf", b"%PDF-", b"%%EOF\n")
    zpl = (await north.call("GET", f"/v1/labels/{made['id']}?format=zpl")).text
    assert zpl.startswith("^XA\n")
    assert zpl.endswith("^XZ\n")
    for text in (made["tracking"], order["number"], "Ring 1"):
        assert text in zpl
    sealed = (await north.get(f"/v1/warehouse/orders/{order['id']}/packages"))[0]
    assert sealed["status"] == "sealed"


async def test_an_offer_is_bought_and_its_package_leaves(
    http: httpx.AsyncClient, sql: asyncpg.Connection, north: Caller, world: World
) -> None:
    order, package = await packed(http, north, world)
    books = Books()
    with played(books):
        quotes = await north.post(
            "/v1/shipping/quotes", {"country": "DE", "postal_code": "10969", "weight_g": 900}, 200
        )
        ground = next(quote for quote in quotes["quotes"] if quote["service"] == "Swift.Ground")
        early = await send(north, order, package, None)
        assert (early.status_code, early.json()["code"]) == (409, "package_not_labelled")
        made = await label(north, package, quote_id=ground["id"])
    assert (made["carrier"], made["service"], made["tracking"]) == ("swift", "Swift.Ground", "SW00000001")
    assert made["price"] == {"amount": 710, "currency": "EUR"}
    bought = books.shipments["shp_2"]
    assert (bought["to_address"]["street1"], bought["from_address"]["street1"]) == ("Ring 1", "Dock 1")
    assert bought["parcel"] == {"weight": 32, "length": 12, "width": 8, "height": 4}
    assert (await north.call("GET", f"/v1/labels/{made['id']}?format=pdf")).content == b"%PDF-1.4 of the carrier"
    assert (await north.call("GET", f"/v1/labels/{made['id']}?format=zpl")).text == "^XA^FDof the carrier^XZ"
    parcel = await send(north, order, package)
    assert parcel["id"].removeprefix("shp_") == made["id"].removeprefix("lbl_")
    assert (parcel["carrier"], parcel["tracking_number"]) == ("swift", "SW00000001")
    assert (await north.get(f"/v1/orders/{order['id']}"))["status"] == "shipped"
    assert (await north.get(f"/v1/warehouse/orders/{order['id']}/packages"))[0]["status"] == "sent"
    again = await send(north, order, package, None)
    assert (again.status_code, again.json()["code"]) == (409, "order_not_shippable")
    kinds = await sql.fetch(
        "select type from outbox_events where topic = 'shipping' and key = $1 order by id",
        parse("grp", order["group_id"]),
    )
    assert [row["type"] for row in kinds] == ["ShipmentCreated", "ShipmentDispatched"]
    assert await broken(sql) == {}


async def test_a_label_is_bought_once_for_a_package(
    http: httpx.AsyncClient, sql: asyncpg.Connection, north: Caller, world: World
) -> None:
    _, package = await packed(http, north, world)
    books = Books()
    swift = {"carrier": "swift", "service": "Swift.Air"}
    with played(books):
        answers = await asyncio.gather(*(label(north, package, None, **swift) for _ in range(6)))
        late = await label(north, package, None, **swift)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert (late.status_code, late.json()["code"]) == (409, "label_twice")
    assert books.bought == 1
    assert len(await north.get(f"/v1/packages/{package['id']}/labels")) == 1


@pytest.mark.parametrize("lost", ["/shipments", "/buy", "/label"])
async def test_a_lost_answer_is_asked_for_again(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, north: Caller, world: World, lost: str
) -> None:
    _, package = await packed(http, north, world)
    books = Books(lose_answer_of=lost)
    with played(books):
        first = await label(north, package, carrier="swift", service="Swift.Ground")
        assert first["status"] == "buying"
        twice = await label(north, package, None)
        assert twice.json()["code"] == "label_twice"
        await sql.execute("update saga_instances set due_at = now() where kind = 'label' and status = 'running'")
        while await shop.engine.run_due():
            pass
        made = await north.get(f"/v1/labels/{first['id']}")
    assert (made["status"], made["tracking"]) == ("bought", "SW00000001")
    assert (books.bought, len(books.shipments)) == (1, 1)


async def test_what_a_carrier_refuses_leaves_room_for_another(
    http: httpx.AsyncClient, north: Caller, world: World
) -> None:
    order, package = await packed(http, north, world)
    with played(Books()):
        made = await label(north, package, carrier="swift", service="Swift.Balloon")
        assert (made["status"], made["failure"], made["tracking"]) == ("refused", "service_unavailable", None)
        missing = await north.call("GET", f"/v1/labels/{made['id']}?format=pdf")
        assert (missing.status_code, missing.json()["code"]) == (409, "label_not_there")
        assert (await send(north, order, package, None)).json()["code"] == "package_not_labelled"
    assert (await label(north, package))["status"] == "bought"


async def test_a_label_given_back_makes_room_for_another(http: httpx.AsyncClient, north: Caller, world: World) -> None:
    order, package = await packed(http, north, world)
    books = Books()
    with played(books):
        made = await label(north, package, carrier="swift", service="Swift.Ground")
        void = f"/v1/labels/{made['id']}/void"
        assert (await north.post(void, {}, 200, key=str(uuid4())))["status"] == "voided"
        assert books.refunded == 1
        twice = await north.post(void, {}, None, key=str(uuid4()))
        assert (twice.status_code, twice.json()["code"]) == (409, "label_not_voidable")
        other = await label(north, package)
    await send(north, order, package)
    used = await north.post(f"/v1/labels/{other['id']}/void", {}, None, key=str(uuid4()))
    assert (used.status_code, used.json()["code"]) == (409, "label_not_voidable")
    assert books.refunded == 1


async def test_a_label_is_used_or_given_back_and_never_both(
    http: httpx.AsyncClient, sql: asyncpg.Connection, north: Caller, world: World
) -> None:
    for _ in range(6):
        order, package = await packed(http, north, world, 1)
        made = await label(north, package)
        sent, back = await asyncio.gather(
            send(north, order, package, None),
            north.post(f"/v1/labels/{made['id']}/void", {}, None, key=str(uuid4())),
        )
        assert sorted((sent.status_code < 300, back.status_code < 300)) == [False, True]
        status = await sql.fetchval("select status from shipping_labels where id = $1", parse("lbl", made["id"]))
        left = await sql.fetchval(
            "select count(*) from shipment_packages where label_id = $1", parse("lbl", made["id"])
        )
        assert (status, left) == (("bought", 1) if sent.status_code < 300 else ("voided", 0))


async def test_somebody_elses_package_is_none(
    http: httpx.AsyncClient, sql: asyncpg.Connection, north: Caller, world: World
) -> None:
    order, package = await packed(http, north, world)
    made = await label(north, package)
    south, ann = await signed_in(http, "south"), await signed_in(http, "ann")
    for method, path, code in (
        ("POST", f"/v1/packages/{package['id']}/label", "package_unknown"),
        ("GET", f"/v1/packages/{package['id']}/labels", "package_unknown"),
        ("GET", f"/v1/labels/{made['id']}?format=pdf", "label_unknown"),
        ("POST", f"/v1/labels/{made['id']}/void", "label_unknown"),
    ):
        body = {"json": {}, "key": str(uuid4())} if method == "POST" else {}
        await south.refused(method, path, 404, code, **body)
        await ann.refused(method, path, 403, "forbidden", **({**body, "key": str(uuid4())} if body else {}))
    other, _ = await packed(http, north, world)
    wrong = await send(north, other, package, None)
    assert (wrong.status_code, wrong.json()["code"]) == (404, "package_unknown")
    both = {"package_id": package["id"], "lines": [{"line_id": order["lines"][0]["id"], "quantity": 1}]}
    answer = await north.post(f"/v1/orders/{order['id']}/shipments", both, None, key=str(uuid4()))
    assert answer.status_code == 422
    assert await sql.fetchval("select status from shipping_labels where id = $1", parse("lbl", made["id"])) == "bought"
    assert await sql.fetchval("select count(*) from shipments where order_id = $1", parse("ord", order["id"])) == 0


async def test_a_day_is_handed_over_once(
    http: httpx.AsyncClient, sql: asyncpg.Connection, north: Caller, world: World
) -> None:
    await sql.execute("delete from shipping_manifests; update shipments set manifest_id = null, carrier = 'gone'")
    place = {"carrier": "standard", "location_id": f"loc_{world.locations['north'].hex}"}
    south = await signed_in(http, "south")
    await north.refused("POST", "/v1/manifests", 409, "manifest_empty", json=place)
    for _ in range(2):
        order, package = await packed(http, north, world, 1)
        made = await label(north, package)
        await send(north, order, package)
    await south.refused("POST", "/v1/manifests", 409, "manifest_empty", json=place)
    closed = await north.post("/v1/manifests", place)
    assert (closed["carrier"], closed["parcels"]) == ("standard", 2)
    pdf = await north.call("GET", f"/v1/manifests/{closed['id']}?format=pdf")
    assert (pdf.status_code, pdf.content[:5]) == (200, b"%PDF-")
    await south.refused("GET", f"/v1/manifests/{closed['id']}?format=pdf", 404, "manifest_unknown")
    await north.refused("POST", "/v1/manifests", 409, "manifest_empty", json=place)
    order, package = await packed(http, north, world, 1)
    await label(north, package)
    await send(north, order, package)
    await north.refused("POST", "/v1/manifests", 409, "manifest_closed", json=place)
    assert (await north.get("/v1/manifests"))["items"] == [closed]
    on_it = await sql.fetchval("select count(*) from shipments where manifest_id is not null")
    assert (on_it, made["status"]) == (2, "bought")
