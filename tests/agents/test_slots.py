"""Arguments are read from a sentence or not at all."""

import pytest

from agents import slots
from agents.postal import address_of, country_of
from agents.wording import product_words


@pytest.mark.parametrize(
    "text, last, order",
    [
        ("where is A100123?", None, "A100123"),
        ("cancel a100123 please", None, "A100123"),
        ("status of #100123", None, "A100123"),
        ("#W1234567 please", None, "W1234567"),
        ("cancel my last order", None, "latest"),
        ("the latest one", "A100001", "latest"),
        ("what did I buy last week", None, None),
        ("cancel it", "A100123", "A100123"),
        ("cancel it", None, None),
        ("send it to 10115 Berlin", None, None),
    ],
)
def test_an_order_is_its_number_the_latest_or_the_one_shown_last(
    text: str, last: str | None, order: str | None
) -> None:
    assert slots.order_of(text, last) == order


@pytest.mark.parametrize(
    "text, quantity",
    [
        ("add 2 of the walnut desk lamp to my cart", 2),
        ("two mugs please", 2),
        ("a pair of socks", 2),
        ("change the quantity of the mug to 3", 3),
        ("change 2 lamps to 1", 1),
        ("I want 3 instead of one", 3),
        ("hiking boots size 42", None),
        ("the 40 cm lamp", None),
        ("add a mug", None),
        ("cancel A100123", None),
        ("pay 20 euro", None),
    ],
)
def test_a_quantity_is_not_a_size_an_amount_or_an_order(text: str, quantity: int | None) -> None:
    assert slots.quantity_of(text) == quantity


@pytest.mark.parametrize(
    "text, words",
    [
        ("do you have blue mugs in stock", "blue mugs"),
        ("add 2 of the walnut desk lamp to my cart", "walnut desk lamp"),
        ("is the walnut desk lamp in stock?", "walnut desk lamp"),
        ("what does a chess set cost", "chess set"),
        ("buy the blue blanket with my saved card", "blue blanket"),
        ("remove the mug from my cart", "mug"),
        ("change the quantity of the mug to 3", "mug"),
        ("I'm looking for a rain jacket", "rain jacket"),
        ("black t-shirt size L", "black t-shirt size L"),
        ('tell me about "The Long Table"', "The Long Table"),
        ("add it to my cart", None),
        ("I'll take it", None),
    ],
)
def test_product_words_are_the_sentence_without_its_wish(text: str, words: str | None) -> None:
    assert product_words(text) == words


def test_codes_cards_and_shipping_are_read_as_they_are_written() -> None:
    assert slots.coupon_of("use code SUMMER10 please") == "SUMMER10"
    assert slots.coupon_of("TEN") == "TEN"
    assert slots.coupon_of("my code is welcome5") == "welcome5"
    assert slots.coupon_of("I have a coupon") is None
    assert slots.gift_card_of("save the gift card GIFT-2026-ABCD") == "GIFT-2026-ABCD"
    assert slots.gift_card_of("save my gift card") is None
    assert slots.card_of("pay with the card ending in 4242") == "4242"
    assert slots.card_of("charge my Visa") == "visa"
    assert slots.card_of("pay by gift card") == "gift card"
    assert slots.card_of("buy my cart") is None
    assert slots.shipping_of("buy it with Express shipping") == "express"
    assert slots.shipping_of("buy it") is None
    assert slots.place_of("send it to my office address") == "office"
    assert slots.place_of("buy it and ship it to Berlin") == "Berlin"


def test_spans_and_thresholds_are_numbers() -> None:
    assert [
        slots.days_of(text) for text in ("sales this week", "last 7 days", "past two months", "today", "my sales")
    ] == [
        7,
        7,
        60,
        1,
        None,
    ]
    assert slots.below_of("what has below 5 units") == 5
    assert slots.below_of("fewer than three left") == 3
    assert slots.below_of("what runs low") is None


ALLOWED = ["no longer needed", "ordered by mistake", "changed my mind", "found it cheaper", "other"]


@pytest.mark.parametrize(
    "text, reason, mapped",
    [
        ("cancel my order because I found it cheaper elsewhere", "I found it cheaper elsewhere", "found it cheaper"),
        ("cancel A100123, I ordered by mistake", "I ordered by mistake", "ordered by mistake"),
        ("I changed my mind, please cancel", "I changed my mind", "changed my mind"),
        ("cancel my order because my dog ate it", "my dog ate it", None),
        ("cancel my order", None, None),
    ],
)
def test_a_reason_is_their_words_and_maps_only_to_what_shares_them(
    text: str, reason: str | None, mapped: str | None
) -> None:
    assert slots.reason_of(text) == reason
    assert slots.matching(reason or "", ALLOWED) == mapped


JANE = {"name": "Jane Doe", "line1": "Ring 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}


@pytest.mark.parametrize(
    "text",
    [
        "Jane Doe, Ring 1, 10115 Berlin, Germany",
        "Jane Doe\nRing 1\n10115 Berlin\nDE",
        "please send order A100123 to Jane Doe, Ring 1, Berlin 10115, Germany instead",
        "Jane Doe, Ring 1, Berlin, 10115, Deutschland",
        "my new address is Jane Doe, Ring 1, 10115, Berlin, DE.",
    ],
)
def test_an_address_is_read_in_both_orders_of_city_and_code(text: str) -> None:
    found = address_of(text)
    assert found is not None
    assert (found.fields, found.missing) == (JANE, [])


def test_what_an_address_does_not_say_is_missing_not_guessed() -> None:
    found = address_of("ship it to Ring 1, 10115 Berlin")
    assert found is not None
    assert found.fields == {"line1": "Ring 1", "city": "Berlin", "postal_code": "10115"}
    assert found.missing == ["name", "country"]
    assert address_of("send it to Berlin, please") is None
    assert country_of("France") == "FR"
    assert country_of("somewhere") is None


def test_states_and_codes_of_other_countries_are_understood() -> None:
    found = address_of("Sam Poe, 12 Oak Street, Apt 4, Austin, TX 78701, USA")
    assert found is not None
    assert found.fields == {
        "name": "Sam Poe",
        "line1": "12 Oak Street",
        "line2": "Apt 4",
        "city": "Austin",
        "region": "TX",
        "postal_code": "78701",
        "country": "US",
    }


def test_what_differs_between_people_is_masked() -> None:
    assert slots.masked("Hello, where is my order A100123?") == "where is my order <order>?"
    assert slots.masked("my mail is ann@demo.test") == "my mail is <email>"
    assert slots.masked("why 19.99 EUR") == "why <amount>"
    assert slots.masked("use code SUMMER10") == "use code <code>"
    assert slots.masked("the card 4242") == "the card <digits>"
    assert slots.masked("ship A100123 to Jane Doe, Ring 1, 10115 Berlin, Germany") == "ship <order> to <address>"
