"""One purchase from the shelf to the door and back, by everybody who has to do with it, through the API; and the customer's half
of one through the chat."""

from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from commerce.app import Commerce
from commerce.identity import hashed
from kernel.auth import SYSTEM
from kernel.ids import parse
from tests.chat.test_chat_api import confirm, say, text, thread
from tests.factories.api import Caller, signed_in
from tests.factories.books import broken, owed, shelf
from tests.factories.parcels import arrive, send
from tests.factories.world import PASSWORD, World
from tests.returns.world import inspect, receive, wish

BOX = {"weight_g": 900, "length_mm": 300, "width_mm": 200, "height_mm": 100}


async def clerk_of(shop: Commerce, http: httpx.AsyncClient, world: World) -> Caller:
    """Somebody who works in north's hall."""
    async with shop.database.work(SYSTEM) as work:
        user = await shop.identity.create_user(work, "clerk@demo.test", await hashed(PASSWORD), "Clerk")
        await shop.merchant.add_member(work, world.merchants["north"], user)
    return await signed_in(http, "clerk")


async def told(caller: Caller, order: Any) -> list[str]:
    """What somebody's feed says of an order, oldest first."""
    items = (await caller.get("/v1/me/notifications?size=100"))["items"]
    return [line["kind"] for line in reversed(items) if order["number"] in line["title"]]


async def test_from_the_shelf_to_the_door_and_back(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, north, staff = [await signed_in(http, name) for name in ("ann", "north", "support")]
    clerk, before = await clerk_of(shop, http, world), await shelf(sql, world.variants["chair"])
    # the customer buys
    group = await ann.checkout(await ann.cart({world.variants["chair"]: 2}))
    order = group["orders"][0]
    assert (group["payment"]["status"], order["totals"]["total"]["amount"]) == ("captured", 2 * 19900 + 490)
    assert await shelf(sql, world.variants["chair"]) == (before[0], before[1] + 2)
    await settle()
    # the clerk picks and packs
    line = order["lines"][0]["id"]
    tasks = [task for task in await clerk.get("/v1/warehouse/picks") if task["order_id"] == order["id"]]
    assert [[one["quantity"] for one in task["lines"]] for task in tasks] == [[2]]
    await clerk.post(f"/v1/warehouse/picks/{order['id']}/lines/{line}", {"quantity": 2}, 204)
    body = {"lines": [{"order_line_id": line, "quantity": 2}], **BOX}
    package = await clerk.post(f"/v1/warehouse/orders/{order['id']}/packages", body)
    # the merchant labels and dispatches
    label = await north.post(f"/v1/packages/{package['id']}/label", {}, key=str(uuid4()))
    assert label["status"] == "bought"
    sent = {"package_id": package["id"]}
    parcel = await north.post(f"/v1/orders/{order['id']}/shipments", sent, key=str(uuid4()))
    assert parcel["tracking_number"] == label["tracking"]
    assert await shelf(sql, world.variants["chair"]) == (before[0] - 2, before[1])
    # the customer follows it, and has it
    (followed,) = await ann.get(f"/v1/orders/{order['id']}/tracking")
    assert (followed["status"], followed["tracking"]) == ("dispatched", label["tracking"])
    await arrive(north, order)
    assert (await ann.get(f"/v1/orders/{order['id']}"))["status"] == "delivered"
    # one of the two comes back
    request = await ann.post("/v1/returns", wish(order, 1, reason="defective"), key=str(uuid4()))
    assert (request["status"], request["label"]["free"]) == ("in_transit", True)
    await receive(clerk, request, 1)
    await inspect(clerk, request, 1, condition="damaged", disposition="restock")
    await settle()
    # so much money is let go by a person
    waiting = await ann.get(f"/v1/returns/{request['id']}")
    refund = await staff.get(f"/v1/refunds/{waiting['refund_id']}")
    assert (waiting["status"], refund["status"], refund["amount"]["amount"]) == ("inspected", "waiting_approval", 19900)
    await staff.post(f"/v1/refunds/{refund['id']}/decision", {"accept": True}, 200, key=str(uuid4()))
    await settle()
    assert (await ann.get(f"/v1/returns/{request['id']}"))["status"] == "completed"
    # the ledger, the stock, the history and the messages say the same
    assert await owed(sql, parse("grp", group["id"])) == 19900 + 490
    paid = await ann.get(f"/v1/orders/{order['id']}/payments")
    assert [(row["type"], row["amount"]["amount"]) for row in paid] == [("payment", 40290), ("refund", 19900)]
    assert await shelf(sql, world.variants["chair"]) == (before[0] - 1, before[1])
    shown = await ann.get(f"/v1/orders/{order['id']}")
    assert (shown["status"], shown["payment_status"]) == ("delivered", "partially_refunded")
    history = [entry["kind"] for entry in await ann.get(f"/v1/orders/{order['id']}/timeline")]
    steps = ("OrderConfirmed", "PickCreated", "OrderPicked", "OrderShipped", "OrderDelivered", "ReturnRequested",
             "ReturnAuthorized", "ReturnReceived", "RefundRequested", "RefundApproved", "RefundSucceeded", "ReturnCompleted")  # fmt: skip
    assert [kind for kind in history if kind in steps] == list(steps)
    assert await told(ann, order) == [
        *(
            "OrderConfirmed",
            "OrderShipped",
            "ShipmentDelivered",
            "ReturnAuthorized",
            "ReturnReceived",
            "RefundSucceeded",
            "ReturnCompleted",
        ),
    ]
    assert "OrderConfirmed" in await told(north, order)
    assert await broken(sql) == {}


async def test_the_customers_half_in_words(
    http: httpx.AsyncClient, shop: Commerce, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    ann, north = await signed_in(http, "ann"), await signed_in(http, "north")
    order = (await ann.checkout(await ann.cart({world.variants["mug"]: 2})))["orders"][0]
    number, where = order["number"], await thread(ann)
    assert "confirmed" in text(await say(ann, where, f"where is my order {number}?"))
    early = await say(ann, where, f"I want to return order {number} because it is defective")
    assert "a return is possible once it is delivered" in text(early)
    await send(north, order)
    assert "is on its way" in text(await say(ann, where, f"where is my order {number}?"))
    await arrive(north, order)
    asked = await say(ann, where, f"I want to return order {number} because it is defective")
    assert asked["pending_confirmation"]["summary"].startswith(
        f"Send 2 × Mug (mug) of order {number} back for 30.00 EUR, to the way it was paid?"
    )
    done = await confirm(ann, where, asked)
    (request,) = (await ann.get(f"/v1/returns?order_id={order['id']}"))["items"]
    assert (request["status"], request["label"]["tracking"] in text(done)) == ("in_transit", True)
    assert "waiting for your parcel" in text(await say(ann, where, f"how far is my return of order {number}?"))
    await receive(north, request, 2)
    await inspect(north, request, 2)
    await settle()
    assert "completed" in text(await say(ann, where, f"how far is my return of order {number}?"))
    assert "34.90 EUR" in text(await say(ann, where, f"where is my refund for order {number}?"))
    assert await owed(sql, parse("grp", order["group_id"])) == 0
    assert await broken(sql) == {}
