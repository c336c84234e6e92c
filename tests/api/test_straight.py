"""The straight way of a request is shorter and answers the same."""

from typing import Any

import httpx
import pytest

from api.middleware import Edge
from api.straight import way
from kernel.ids import new_id, public
from tests.architecture.test_rules import routes
from tests.factories.api import guest
from tests.factories.world import World

JSON = {"content-type": "application/json"}
UNKNOWN = f"/v1/carts/{public('crt', new_id())}"
ASKED: list[tuple[str, str, dict[str, str], bytes]] = [
    ("POST", "/v1/carts", JSON, b'{"email": "not an address"}'),
    ("POST", "/v1/carts", JSON, b"{not json"),
    ("POST", "/v1/carts", JSON, b""),
    ("POST", "/v1/carts", JSON, b'{"channel": "moon"}'),
    ("POST", "/v1/carts", JSON, b'{"channel": "web\\ud800"}'),
    ("POST", "/v1/carts", {"content-type": "text/plain"}, b'{"channel": "web"}'),
    ("POST", "/v1/carts", {"content-type": "application/merge-patch+json"}, b'{"channel": "moon"}'),
    ("POST", "/v1/carts", {**JSON, "authorization": "Bearer forged"}, b"{}"),
    ("POST", "/v1/carts", {**JSON, "authorization": "Bearer forged"}, b"{not json"),
    ("POST", "/v1/carts", JSON, b'{"email": "' + b"x" * 300_000 + b'"}'),
    ("GET", UNKNOWN, {}, b""),
    ("GET", "/v1/carts/crt_short", {}, b""),
    ("DELETE", UNKNOWN, {}, b""),
    ("POST", f"{UNKNOWN}/checkout", JSON, b"{}"),
    ("GET", f"/v1/orders/{public('ord', new_id())}", {}, b""),
    ("GET", "/v1/nowhere", {}, b""),
    ("PUT", "/v1/carts", JSON, b"{}"),
]


@pytest.fixture
def long_way(http: httpx.AsyncClient) -> httpx.AsyncClient:
    """The same application, every request through FastAPI."""
    app = http._transport.app.app  # type: ignore[attr-defined]
    transport = httpx.ASGITransport(Edge(app, app, 256 * 1024), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://shop.test")


async def test_both_ways_refuse_alike(http: httpx.AsyncClient, long_way: httpx.AsyncClient) -> None:
    for method, path, headers, content in ASKED:
        answers = [await client.request(method, path, headers=headers, content=content) for client in (http, long_way)]
        straight, whole = ((a.status_code, shown(a), a.headers.get("www-authenticate")) for a in answers)
        assert straight == whole, (method, path, content[:40])
        assert straight[0] >= 400, path


def shown(answer: httpx.Response) -> Any:
    return {name: value for name, value in answer.json().items() if name != "trace_id"}


async def test_both_ways_show_the_same_cart(http: httpx.AsyncClient, long_way: httpx.AsyncClient, world: World) -> None:
    buyer = guest(http)
    cart = await buyer.cart({world.variants["mug"]: 2}, email="gil@demo.test")
    there = await http.get(f"/v1/carts/{cart}", headers=buyer.headers)
    assert there.status_code == 200
    assert there.json() == (await long_way.get(f"/v1/carts/{cart}", headers=buyer.headers)).json()


def test_the_purchase_goes_straight(http: httpx.AsyncClient) -> None:
    straight = {(method, route.path) for route in routes(http) if way(route) for method in route.methods or ()}
    assert {
        ("POST", "/v1/carts"),
        ("POST", "/v1/carts/{cart_id}/lines"),
        ("POST", "/v1/carts/{cart_id}/checkout"),
        ("GET", "/v1/order-groups/{group_id}"),
        ("GET", "/v1/orders/{order_id}"),
    } <= straight
    assert ("GET", "/v1/orders") not in straight, "its query belongs to FastAPI"
