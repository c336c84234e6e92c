"""The planner changes orders: it looks up what an item is and what it may become, asks for the rest, and tells what came."""

from typing import Any

import pytest

from agents.replies import told
from agents.wording import swapped
from commerce.order.schemas import OrderLineView
from kernel.schemas import money
from tests.agents.said import EUR, ID, Chat, a_change, a_product, an_order, calls, rendered


def a_line(sku: str, name: str, colour: str, **changes: Any) -> OrderLineView:
    price = money(1000, EUR)
    known = {"id": ID, "variant_id": ID, "sku": sku, "name": name, "options": {"Colour": colour}, "quantity": 1}
    return OrderLineView(**{**known, "unit_price": price, "total": price, **changes})


TWO = {
    "order": rendered(an_order(lines=[a_line("SH-R", "Shirt", "Red"), a_line("MUG-G", "Mug", "Green")])),
    "history": [],
}
SHIRTS = rendered(
    a_product(
        "Shirt",
        ("SH-R", {"Colour": "Red"}, 3),
        ("SH-B", {"Colour": "Blue"}, 3),
        ("SH-G", {"Colour": "Gold"}, 3),
        ("SH-X", {"Colour": "Black"}, 0),
    )
)


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("swap the red shirt in my order A100123 for the blue one", "red shirt", "blue"),
        ("change the lamp in my last order to the 60 cm one", "lamp", "60 cm"),
        ("I'd like the beige rug instead of the grey rug in order A100123", "grey rug", "beige rug"),
        ("cancel the mug in order A100123 because I have one", "mug", None),
    ],
)
def test_a_sentence_names_what_an_item_is_and_what_it_becomes(text: str, old: str, new: str | None) -> None:
    assert swapped(text) == (old, new)


def test_an_item_is_changed_after_its_order_and_its_product_were_looked_up() -> None:
    chat = Chat()
    made = chat.say("swap the red shirt in my order A100123 for the blue one")
    assert calls(made) == [("get_order", {"order": "A100123"})]
    assert calls(chat.result(TWO)) == [("get_product", {"product": "SH-R"})]
    wish = {"order": "A100123", "sku": "SH-R", "new_sku": "SH-B", "quantity": 1}
    assert calls(chat.result(SHIRTS)) == [("modify_order_items", wish)]


def test_what_is_not_said_is_asked_with_choices_that_can_be_had() -> None:
    chat = Chat()
    assert chat.say("Change an item in my order").content.startswith("Which order do you mean?")
    assert calls(chat.say("A100123")) == [("get_order", {"order": "A100123"})]
    asked = chat.result(TWO)
    assert asked.additional_kwargs["options"] == ["Shirt, Red", "Mug, Green"]
    assert calls(chat.say("Shirt, Red")) == [("get_product", {"product": "SH-R"})]
    offered = chat.result(SHIRTS)
    assert offered.additional_kwargs["options"] == ["Shirt, Blue", "Shirt, Gold"]
    assert calls(chat.say("Shirt, Gold")) == [
        ("modify_order_items", {"order": "A100123", "sku": "SH-R", "new_sku": "SH-G"})
    ]


def test_an_item_is_cancelled_with_its_reason() -> None:
    chat = Chat()
    made = chat.say("cancel the mug in order A100123")
    assert calls(made) == [("get_order", {"order": "A100123"})]
    assert chat.result(TWO).content == "Why would you like to cancel it?"
    assert calls(chat.say("ordered by mistake")) == [
        ("cancel_order_lines", {"order": "A100123", "sku": "MUG-G", "reason": "ordered by mistake"})
    ]


def test_another_payment_asks_which_and_then_calls() -> None:
    chat = Chat()
    made = chat.say("pay my order A100123 with my gift card instead")
    assert calls(made) == [("change_order_payment", {"order": "A100123", "payment_method": "gift card"})]
    chat = Chat()
    asked = chat.say("change the payment method of my order A100123")
    assert asked.additional_kwargs["pending"]["missing"] == "payment_method"
    assert calls(chat.say("the one ending in 4242")) == [
        ("change_order_payment", {"order": "A100123", "payment_method": "4242"})
    ]


@pytest.mark.parametrize(
    ("tool", "view", "text"),
    [
        (
            "modify_order_items",
            a_change("items", 500),
            "Order A100123 is changed. It now holds 2 × Mug (Blue). 5.00 EUR more was charged.",
        ),
        (
            "modify_order_items",
            a_change("items", -500),
            "Order A100123 is changed. It now holds 2 × Mug (Blue). 5.00 EUR goes back to you.",
        ),
        (
            "modify_order_items",
            a_change("items", 0),
            "Order A100123 is changed. It now holds 2 × Mug (Blue). The price stays the same.",
        ),
        (
            "modify_order_items",
            a_change("items", 500, "failed", "payment_declined"),
            "Order A100123 stays as it was: the payment was declined.",
        ),
        (
            "change_order_payment",
            a_change("payment", 0, "requested"),
            "The change of order A100123 waits for the payment.",
        ),
        (
            "change_order_payment",
            a_change("payment", 0),
            "Order A100123 is changed. It is paid with another method now: payment of 19.99 EUR (gift card), refund of "
            "19.99 EUR (visa ending in 4242).",
        ),
        (
            "cancel_order_lines",
            a_change("cancel_lines", -1000),
            "Order A100123 is changed. 10.00 EUR goes back the way it was paid.",
        ),
    ],
)
def test_what_came_of_it_is_told_as_it_is(tool: str, view: Any, text: str) -> None:
    assert told(tool, rendered(view)) == text
