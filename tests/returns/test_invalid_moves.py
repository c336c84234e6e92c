"""What cannot be after the sale: a conflict with its stable code, and not a row of any table is another than before."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.ids import public
from tests.factories.api import Caller, signed_in
from tests.factories.parcels import send
from tests.factories.world import World
from tests.refund.test_refunds import ask
from tests.returns.world import Shirts, asked, delivered, inspect, receive, shirts, wish
from tests.safety.rows import JOURNAL, changed, digests

BOX = {"weight_g": 900, "length_mm": 300, "width_mm": 200, "height_mm": 100}
WRITTEN_ANYWAY = JOURNAL | {"gateway_idempotency_keys"}
"""What notes that somebody called at all."""


@dataclass
class Scene:
    """Everybody at the API, the shop's settling, and what is sold."""

    http: httpx.AsyncClient
    world: World
    shirt: Shirts
    settle: Any
    people: dict[str, Caller]

    def __getattr__(self, name: str) -> Caller:
        return self.people[name]

    async def bought(self, **more: Any) -> Any:
        group = await self.ann.checkout(await self.ann.cart({self.shirt.sizes["S"]: 2, **more}))
        return group["orders"][0]

    async def arrived(self) -> Any:
        return await delivered(self.http, {self.shirt.sizes["S"]: 2})

    async def post(self, who: str, path: str, body: Any = None) -> httpx.Response:
        return await self.people[who].post(path, body, None, key=str(uuid4()))


@pytest.fixture(scope="module")
async def scene(http: httpx.AsyncClient, shop: Commerce, world: World, settle: Any) -> Scene:
    people = {name: await signed_in(http, name) for name in ("ann", "ben", "north", "south", "support", "admin")}
    rules = {"one_per_order": False, "abuse_from": 101}
    await people["admin"].call("PUT", "/v1/return-policies", 204, json=rules)
    return Scene(http, world, await shirts(shop, world), settle, people)


Move = Callable[[], Awaitable[httpx.Response]]


async def a_return_of_what_has_not_arrived(s: Scene) -> Move:
    order = await s.bought()
    await send(s.north, order)
    return lambda: asked(s.ann, wish(order, 1), None)


async def a_return_of_more_than_arrived(s: Scene) -> Move:
    order = await s.arrived()
    await asked(s.ann, wish(order, 1))
    return lambda: asked(s.ann, wish(order, 2), None)


async def a_second_exchange_where_one_is_allowed(s: Scene) -> Move:
    rules = {"one_per_order": True, "abuse_from": 101}
    await s.admin.call("PUT", "/v1/return-policies", 204, json=rules)
    order = await s.arrived()
    body = wish(order, 1, wanted={0: public("var", s.shirt.sizes["M"])}, resolution="exchange")
    await asked(s.ann, body)
    return lambda: asked(s.ann, body, None)


async def an_exchange_of_what_was_exchanged(s: Scene) -> Move:
    await s.admin.call("PUT", "/v1/return-policies", 204, json={"one_per_order": False, "abuse_from": 101})
    order = await s.arrived()
    body = wish(order, 2, wanted={0: public("var", s.shirt.sizes["M"])}, resolution="exchange")
    request = await asked(s.ann, body)
    await receive(s.north, request, 2)
    await inspect(s.north, request, 2)
    await s.settle()
    return lambda: asked(s.ann, body, None)


async def a_refund_of_what_was_exchanged(s: Scene) -> Move:
    order = await s.arrived()
    body = wish(order, 2, wanted={0: public("var", s.shirt.sizes["M"])}, resolution="exchange")
    request = await asked(s.ann, body)
    await receive(s.north, request, 2)
    await inspect(s.north, request, 2)
    await s.settle()
    return lambda: ask(s.support, order, {0: 2}, None)


async def a_refund_above_what_was_paid(s: Scene) -> Move:
    order = await s.arrived()
    return lambda: ask(s.support, order, None, None, amount=4491)


async def a_refund_sent_again_before_anybody_agreed(s: Scene) -> Move:
    order = await delivered(s.http, {s.world.variants["chair"]: 1})
    refund = await ask(s.support, order, {0: 1})
    assert refund["status"] == "waiting_approval"
    return lambda: s.post("support", f"/v1/refunds/{refund['id']}/retry", {"destination": "original"})


async def a_second_yes_of_the_same_person(s: Scene) -> Move:
    order = await delivered(s.http, {s.world.variants["chair"]: 3})
    refund = await ask(s.support, order, {0: 3})
    path = f"/v1/refunds/{refund['id']}/decision"
    assert (await s.post("admin", path, {"accept": True})).status_code == 200
    return lambda: s.post("admin", path, {"accept": True})


async def a_cancellation_after_dispatch(s: Scene) -> Move:
    order = await s.bought()
    await send(s.north, order)
    return lambda: s.post("ann", f"/v1/orders/{order['id']}/cancel", {"reason": "no longer needed"})


async def a_cancellation_of_what_was_picked(s: Scene) -> Move:
    order = await s.bought()
    path = f"/v1/warehouse/picks/{order['id']}/lines/{order['lines'][0]['id']}"
    await s.north.post(path, {"quantity": 2}, 204)
    return lambda: s.post("ann", f"/v1/orders/{order['id']}/cancel", {"reason": "no longer needed"})


async def units_cancelled_after_dispatch(s: Scene) -> Move:
    order = await s.bought()
    await send(s.north, order)
    body = {"items": [{"line_id": order["lines"][0]["id"], "quantity": 1}], "reason": "no longer needed"}
    return lambda: s.post("ann", f"/v1/orders/{order['id']}/lines/cancel", body)


async def a_change_after_dispatch(s: Scene) -> Move:
    order = await s.bought()
    await send(s.north, order)
    item = {"line_id": order["lines"][0]["id"], "variant_id": public("var", s.shirt.sizes["M"])}
    return lambda: s.post("ann", f"/v1/orders/{order['id']}/lines", {"items": [item]})


async def a_second_label_for_a_package(s: Scene) -> Move:
    order = await s.bought()
    line = order["lines"][0]["id"]
    await s.north.post(f"/v1/warehouse/picks/{order['id']}/lines/{line}", {"quantity": 2}, 204)
    body = {"lines": [{"order_line_id": line, "quantity": 2}], **BOX}
    package = await s.north.post(f"/v1/warehouse/orders/{order['id']}/packages", body)
    assert (await s.post("north", f"/v1/packages/{package['id']}/label", {})).status_code == 201
    return lambda: s.post("north", f"/v1/packages/{package['id']}/label", {})


async def more_units_sent_than_ordered(s: Scene) -> Move:
    order = await s.bought()
    await send(s.north, order)
    line = {"line_id": order["lines"][0]["id"], "quantity": 1}
    return lambda: s.post("north", f"/v1/orders/{order['id']}/shipments", {"lines": [line]})


async def more_received_than_announced(s: Scene) -> Move:
    request = await asked(s.ann, wish(await s.arrived(), 1))
    return lambda: receive(s.north, request, 2, expect=None)


async def an_inspection_of_what_has_not_come(s: Scene) -> Move:
    request = await asked(s.ann, wish(await s.arrived(), 1))
    return lambda: inspect(s.north, request, 1, expect=None)


async def a_return_taken_back_once_it_came(s: Scene) -> Move:
    request = await asked(s.ann, wish(await s.arrived(), 2))
    await receive(s.north, request, 1)
    return lambda: s.post("ann", f"/v1/returns/{request['id']}/cancel")


async def a_claim_decided_twice(s: Scene) -> Move:
    order = await s.arrived()
    body = {
        "order_id": order["id"],
        "order_line_id": order["lines"][0]["id"],
        "kind": "missing",
        "text": "one is missing",
    }
    claim = await s.ann.post("/v1/claims", body, key=str(uuid4()))
    path = f"/v1/claims/{claim['id']}/decision"
    assert (await s.post("support", path, {"accept": False})).status_code == 200
    return lambda: s.post("support", path, {"accept": True})


async def a_change_of_what_was_partly_refunded(s: Scene) -> Move:
    order = await s.bought()
    await ask(s.support, order, {0: 1})
    body = {"items": [{"line_id": order["lines"][0]["id"], "quantity": 1}], "reason": "no longer needed"}
    return lambda: s.post("ann", f"/v1/orders/{order['id']}/lines/cancel", body)


INVALID: list[tuple[Callable[[Scene], Awaitable[Move]], str]] = [
    (a_return_of_what_has_not_arrived, "order_not_delivered"),
    (a_return_of_more_than_arrived, "return_more_than_delivered"),
    (a_second_exchange_where_one_is_allowed, "return_one_per_order"),
    (an_exchange_of_what_was_exchanged, "return_more_than_delivered"),
    (a_refund_of_what_was_exchanged, "refund_more_than_paid"),
    (a_refund_above_what_was_paid, "refund_more_than_paid"),
    (a_refund_sent_again_before_anybody_agreed, "refund_not_failed"),
    (a_second_yes_of_the_same_person, "refund_decided_already"),
    (a_cancellation_after_dispatch, "order_not_cancellable"),
    (a_cancellation_of_what_was_picked, "order_not_cancellable"),
    (units_cancelled_after_dispatch, "order_not_changeable"),
    (a_change_after_dispatch, "order_not_changeable"),
    (a_second_label_for_a_package, "label_twice"),
    (more_units_sent_than_ordered, "order_not_shippable"),
    (more_received_than_announced, "return_received_too_many"),
    (an_inspection_of_what_has_not_come, "return_state"),
    (a_return_taken_back_once_it_came, "return_state"),
    (a_claim_decided_twice, "claim_decided"),
    (a_change_of_what_was_partly_refunded, "order_partly_refunded"),
]


@pytest.mark.parametrize(("scenery", "code"), INVALID, ids=[what.__name__ for what, _ in INVALID])
async def test_an_invalid_move_is_a_conflict_and_changes_nothing(
    scene: Scene, sql: asyncpg.Connection, scenery: Callable[[Scene], Awaitable[Move]], code: str
) -> None:
    move = await scenery(scene)
    await scene.settle()
    before = await digests(sql, but=WRITTEN_ANYWAY)
    answer = await move()
    assert (answer.status_code, answer.json()["code"]) == (409, code), answer.text
    assert changed(before, await digests(sql, but=WRITTEN_ANYWAY)) == []
