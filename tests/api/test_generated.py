"""Generated requests to every operation: never an answer of 5xx, never one that breaks its own description."""

import random
from collections import Counter
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from tests.architecture.test_rules import flat
from tests.factories.api import Caller, guest, signed_in
from tests.factories.requests import Requests
from tests.factories.world import World

STREAMS = {"/v1/order-groups/{group_id}/events"}
LISTS = ("/v1/products", "/v1/orders", "/v1/me/addresses", "/v1/me/payment-methods", "/v1/merchant/stock", "/v1/sagas")


def operations(http: httpx.AsyncClient) -> list[tuple[str, APIRoute]]:
    app = http._transport.app.app  # type: ignore[attr-defined]
    routes = [route for route in flat(app.routes) if isinstance(route, APIRoute) and route.include_in_schema]
    return [(method, route) for route in routes if route.path not in STREAMS for method in sorted(route.methods)]


async def callers(http: httpx.AsyncClient, world: World) -> list[Caller]:
    """A guest with a purchase, people of every role, and somebody whose token is nobody's."""
    buyer = guest(http)
    await buyer.checkout(await buyer.cart({world.variants["mug"]: 1}, email="gil@demo.test"))
    people = [await signed_in(http, name) for name in ("ann", "north", "support", "admin")]
    return [buyer, guest(http), Caller(http, {"Authorization": "Bearer nobody"}), *people]


async def ask(http: httpx.AsyncClient, world: World, seed: int, count: int) -> Counter[int]:
    """Sends `count` requests, checks each answer, and returns how often each status came."""
    spec = http._transport.app.app.openapi()  # type: ignore[attr-defined]
    requests = Requests(spec, random.Random(seed))
    people, known = await callers(http, world), operations(http)
    for person in people:
        for path in LISTS:
            requests.learn((await person.call("GET", path)).text)
    statuses: Counter[int] = Counter()
    for n in range(count):
        method, route = requests.chance.choice(known)
        path, sent = requests.of(method, route.path)
        answer = await requests.chance.choice(people).call(method, path, key=f"{seed}-{n}", **sent)
        check(answer, route, f"{method} {path} {sent}")
        requests.learn(answer.text)
        statuses[answer.status_code] += 1
    return statuses


def check(answer: Any, route: APIRoute, sent: str) -> None:
    assert answer.status_code < 500, (sent, answer.text)
    if answer.status_code >= 400:
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json", sent
        assert (problem["status"], bool(problem["code"]), bool(problem["trace_id"])) == (answer.status_code, True, True)
    elif route.response_model is not None and answer.status_code < 300:
        TypeAdapter(route.response_model).validate_json(answer.content)


async def test_a_thousand_generated_requests(http: httpx.AsyncClient, world: World) -> None:
    statuses = await ask(http, world, 1, 1000)
    assert {200, 201, 401, 403, 404, 422} <= set(statuses)


@pytest.mark.soak
async def test_twenty_thousand_generated_requests(http: httpx.AsyncClient, world: World) -> None:
    assert (await ask(http, world, 2, 20_000)).total() == 20_000
