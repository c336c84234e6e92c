"""The replay on a small world of its own: calls through the chat, the state by SQL, refusals, the world put back."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from evals.retail import compare
from evals.retail.convert import minor
from evals.retail.replay import Stage, stage
from tests.conftest import Ground, settings

Json = dict[str, Any]
HOME = {"address1": "1 Oak Road", "address2": "", "city": "Austin", "country": "USA", "state": "TX", "zip": "78701"}
WORK = {
    "address1": "2 Elm Street",
    "address2": "Suite 4",
    "city": "Reno",
    "country": "USA",
    "state": "NV",
    "zip": "89501",
}
PRICES = {"700001": 20.00, "700002": 25.50, "700003": 20.00, "700004": 90.10, "700005": 30.00}
PAID = {"transaction_type": "payment"}


def line(item: str) -> Json:
    options = {"size": item[-1]}
    return {"name": "Kettle", "product_id": "800001", "item_id": item, "price": PRICES[item], "options": options}


def order(name: str, user: str, status: str, items: list[str], method: str) -> Json:
    total = round(sum(PRICES[item] for item in items), 2)
    parcels = [] if status == "pending" else [{"tracking_id": [f"9{name[2:]}"], "item_ids": items}]
    paid = [{**PAID, "amount": total, "payment_method_id": method}]
    return {
        "order_id": name, "user_id": user, "address": HOME, "items": [line(item) for item in items], "status": status,
        "fulfillments": parcels, "payment_history": paid,
    }  # fmt: skip


def user(name: str, methods: Json, orders: list[str]) -> Json:
    return {
        "user_id": name, "name": {"first_name": name.title(), "last_name": "Reed"}, "address": HOME,
        "email": f"{name}@retail.test", "payment_methods": methods, "orders": orders,
    }  # fmt: skip


CARD = {"source": "credit_card", "id": "credit_card_1", "brand": "visa", "last_four": "1111"}
GIFT = {"source": "gift_card", "id": "gift_card_1", "balance": 30.0}
PAYPAL = {"source": "paypal", "id": "paypal_1"}
ORDERS = {
    "#W1": order("#W1", "tess", "pending", ["700001", "700001", "700002"], "credit_card_1"),
    "#W2": order("#W2", "tess", "delivered", ["700001", "700002"], "paypal_1"),
    "#W3": order("#W3", "tess", "processed", ["700001"], "credit_card_1"),
    "#W4": order("#W4", "omar", "pending", ["700001"], "credit_card_2"),
}
WORLD: Json = {
    "products": {
        "800001": {
            "name": "Kettle", "product_id": "800001",
            "variants": {
                item: {
                    "item_id": item, "options": {"size": item[-1]}, "available": item != "700005", "price": price,
                }
                for item, price in PRICES.items()
            },
        }
    },
    "users": {
        "tess": user("tess", {m["id"]: m for m in (CARD, GIFT, PAYPAL)}, ["#W1", "#W2", "#W3"]),
        "omar": user("omar", {"credit_card_2": {**CARD, "id": "credit_card_2"}}, ["#W4"]),
    },
    "orders": ORDERS,
}  # fmt: skip


@pytest.fixture(scope="module")
async def ready(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("retail")
    (folder / "db.json").write_text(json.dumps(WORLD))
    async with stage(ground.server, settings(), folder) as found:
        assert await compare.whole(found, folder) == []
        yield found


async def play(ready: Stage, *calls: tuple[str, Json]) -> Any:
    return await ready.play(
        {"id": "t", "user_id": "tess", "calls": [{"name": name, "arguments": given} for name, given in calls]}
    )


def codes(done: Any) -> list[str | None]:
    return [call.code for call in done.calls]


async def test_reads_change_nothing_and_know_what_there_is(ready: Stage) -> None:
    done = await play(
        ready,
        ("find_user_id_by_email", {"email": "TESS@retail.test"}),
        ("find_user_id_by_name_zip", {"first_name": "tess", "last_name": "REED", "zip": "78701"}),
        ("find_user_id_by_name_zip", {"first_name": "tess", "last_name": "reed", "zip": "78702"}),
        ("get_user_details", {"user_id": "omar"}),
        ("get_order_details", {"order_id": "#W4"}),
        ("get_product_details", {"product_id": "700001"}),
        ("get_item_details", {"item_id": "700001"}),
        ("get_item_details", {"item_id": "800001"}),
        ("list_all_product_types", {}),
        ("calculate", {"expression": "(1.5 + 2) * 3"}),
        ("calculate", {"expression": "__import__('os')"}),
    )
    assert [call.accepted for call in done.calls] == [
        True, True, False, False, False, False, True, False, True, True, False,
    ]  # fmt: skip
    assert all((call.row is not None) == call.accepted for call in done.calls)
    assert (done.users, done.orders) == ({}, {})


async def test_an_item_changes_once_and_the_gift_card_pays_at_once(ready: Stage) -> None:
    given = {"order_id": "#W1", "item_ids": ["700001"], "new_item_ids": ["700002"], "payment_method_id": "gift_card_1"}
    done = await play(
        ready,
        ("modify_pending_order_items", {**given, "new_item_ids": ["700004"]}),
        ("modify_pending_order_items", {**given, "new_item_ids": ["700001"]}),
        ("modify_pending_order_items", {**given, "new_item_ids": ["700005"]}),
        ("modify_pending_order_items", {**given, "item_ids": ["700001", "700001"]}),
        ("modify_pending_order_items", given),
        ("modify_pending_order_items", given),
        ("cancel_pending_order", {"order_id": "#W1", "reason": "no longer needed"}),
        ("modify_pending_order_address", {"order_id": "#W1", **WORK}),
    )
    assert [call.accepted for call in done.calls] == [False, False, False, False, True, False, False, True]
    found = done.orders["#W1"]
    assert (found["status"], found["address"]) == ("pending (item modified)", WORK)
    assert [item["item_id"] for item in found["items"]] == ["700002", "700001", "700002"]
    assert found["payment_history"][1:] == [{**PAID, "amount": 5.5, "payment_method_id": "gift_card_1"}]
    assert minor(done.users["tess"]["payment_methods"]["gift_card_1"]["balance"]) == 2450


async def test_a_change_for_the_same_price_is_a_refund_of_nothing(ready: Stage) -> None:
    given = {"order_id": "#W1", "item_ids": ["700001"], "new_item_ids": ["700003"], "payment_method_id": "paypal_1"}
    done = await play(ready, ("modify_pending_order_items", given))
    nothing = {"transaction_type": "refund", "amount": 0.0, "payment_method_id": "paypal_1"}
    assert done.orders["#W1"]["payment_history"][1:] == [nothing]


async def test_another_payment_comes_before_the_first_goes_back(ready: Stage) -> None:
    done = await play(
        ready,
        ("modify_pending_order_payment", {"order_id": "#W1", "payment_method_id": "gift_card_1"}),
        ("modify_pending_order_payment", {"order_id": "#W1", "payment_method_id": "credit_card_1"}),
        ("modify_pending_order_payment", {"order_id": "#W1", "payment_method_id": "credit_card_2"}),
        ("modify_pending_order_payment", {"order_id": "#W1", "payment_method_id": "paypal_1"}),
        ("modify_pending_order_payment", {"order_id": "#W1", "payment_method_id": "credit_card_1"}),
    )
    assert [call.accepted for call in done.calls] == [False, False, False, True, False]
    rows = [(row["transaction_type"], row["payment_method_id"]) for row in done.orders["#W1"]["payment_history"]]
    assert rows == [("payment", "credit_card_1"), ("payment", "paypal_1"), ("refund", "credit_card_1")]


async def test_a_cancelled_order_gives_its_payment_back_once(ready: Stage) -> None:
    done = await play(
        ready,
        ("cancel_pending_order", {"order_id": "#W1", "reason": "changed my mind"}),
        ("cancel_pending_order", {"order_id": "#W3", "reason": "no longer needed"}),
        ("cancel_pending_order", {"order_id": "#W4", "reason": "no longer needed"}),
        ("cancel_pending_order", {"order_id": "#W1", "reason": "ordered by mistake"}),
        ("cancel_pending_order", {"order_id": "#W1", "reason": "ordered by mistake"}),
    )
    assert [call.accepted for call in done.calls] == [False, False, False, True, False]
    found = done.orders["#W1"]
    assert (found["status"], found["cancel_reason"], list(done.orders)) == ("cancelled", "ordered by mistake", ["#W1"])
    assert found["payment_history"][1:] == [
        {"transaction_type": "refund", "amount": 65.5, "payment_method_id": "credit_card_1"}
    ]


async def test_a_delivered_order_goes_back_once_and_no_money_moves(ready: Stage) -> None:
    swap = {"order_id": "#W2", "item_ids": ["700002"], "new_item_ids": ["700001"], "payment_method_id": "credit_card_1"}
    given = {"order_id": "#W2", "item_ids": ["700002", "700001"], "payment_method_id": "credit_card_1"}
    done = await play(
        ready,
        ("return_delivered_order_items", given),
        ("return_delivered_order_items", {**given, "order_id": "#W1"}),
        ("return_delivered_order_items", {**given, "payment_method_id": "gift_card_1"}),
        ("exchange_delivered_order_items", swap),
    )
    assert [call.accepted for call in done.calls] == [False, False, True, False]
    found = done.orders["#W2"]
    assert (found["status"], found["return_items"]) == ("return requested", ["700001", "700002"])
    assert (found["return_payment_method_id"], done.users) == ("gift_card_1", {})
    assert found["payment_history"] == ORDERS["#W2"]["payment_history"]


async def test_an_exchange_records_what_it_costs(ready: Stage) -> None:
    given = {
        "order_id": "#W2", "item_ids": ["700002", "700001"], "new_item_ids": ["700003", "700001"],
        "payment_method_id": "credit_card_1",
    }  # fmt: skip
    dear = {"new_item_ids": ["700004", "700004"], "payment_method_id": "gift_card_1"}
    done = await play(
        ready,
        ("exchange_delivered_order_items", {**given, **dear}),
        ("exchange_delivered_order_items", {**given, "new_item_ids": ["700003"]}),
        ("exchange_delivered_order_items", given),
    )
    assert [call.accepted for call in done.calls] == [False, False, True]
    found = done.orders["#W2"]
    assert (found["exchange_items"], found["exchange_new_items"]) == (["700001", "700002"], ["700001", "700003"])
    assert (found["exchange_price_difference"], found["status"]) == (-5.5, "exchange requested")


async def test_a_move_leaves_orders_alone_and_a_person_takes_over(ready: Stage) -> None:
    done = await play(
        ready,
        ("transfer_to_human_agents", {"summary": "-"}),
        ("modify_user_address", {"user_id": "omar", **WORK}),
        ("modify_user_address", {"user_id": "tess", **WORK}),
    )
    assert codes(done) == [None, "customer_unknown", None]
    assert (done.users["tess"]["address"], done.orders) == (WORK, {})


async def test_the_next_task_finds_the_world_as_it_was(ready: Stage) -> None:
    assert (await ready.sql.fetchval("select count(*) from undo.log")) == 0
    users, orders = await ready.remember()
    assert compare.same(WORLD["users"], users)
    assert compare.same(WORLD["orders"], orders)


def test_money_counts_in_cents_and_absent_is_null() -> None:
    assert compare.same({"a": 1.1, "b": None}, {"a": 1.1000000001})
    assert not compare.same({"a": [1, 2]}, {"a": [2, 1]})
    assert not compare.same({"a": 1}, {})
    assert not compare.same("1", 1)
