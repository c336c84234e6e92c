"""What staff and merchants say to have something proposed, without a model."""

from typing import Any

import pytest

from agents import slots
from tests.agents.said import PROPOSED, Chat, calls
from tools.spec import TOOLS, Effect

NAMES = [tool.name for tool in TOOLS.values() if tool.effect is Effect.PROPOSE]


@pytest.mark.parametrize(
    ("said", "tool", "args"),
    [
        (
            "give the customer of ticket T-1001 a gift card of 15.00 EUR because the mug came broken",
            "propose_goodwill",
            {"ticket": "T-1001", "amount": 1500, "reason": "the mug came broken"},
        ),
        (
            "stop the risky purchase A100123 because the card looks stolen",
            "propose_review_verdict",
            {"purchase": "A100123", "verdict": "stop", "reason": "the card looks stolen"},
        ),
        (
            "lower the price of LAMP-40 from 60.00 EUR to 54,50 EUR because it sells slowly",
            "propose_price",
            {"sku": "LAMP-40", "price": 5450, "reason": "it sells slowly"},
        ),
        (
            "take 2 units of MUG-B out of stock because they are broken",
            "propose_restock",
            {"sku": "MUG-B", "quantity": -2, "reason": "they are broken"},
        ),
        (
            "accept the return of A100123 that waits because our parcel was late",
            "propose_return_verdict",
            {"order": "A100123", "decision": "accept", "reason": "our parcel was late"},
        ),
        (
            "send the failed refund of A100123 to store credit because the card is closed",
            "propose_refund_verdict",
            {"order": "A100123", "decision": "store_credit", "reason": "the card is closed"},
        ),
    ],
)
def test_a_sentence_with_everything_is_one_call(said: str, tool: str, args: dict[str, Any]) -> None:
    assert calls(Chat(*NAMES).say(said)) == [(tool, args)]


def test_what_is_missing_is_asked() -> None:
    chat = Chat(*NAMES)
    assert chat.say("propose a gift card for a customer as goodwill").content.startswith("Which ticket do you mean?")
    assert chat.say("T-7").content == "How much should it be, such as 5.00 EUR?"
    assert chat.say("7,5").content == "What is it for? The person who decides will read it."
    made = chat.say("we lost the parcel twice")
    assert calls(made) == [("propose_goodwill", {"ticket": "T-7", "amount": 750, "reason": "we lost the parcel twice"})]
    assert chat.result(PROPOSED).content == "Proposed: Give something. A person has to decide."


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("5", 500),
        ("5.5 EUR", 550),
        ("€ 12,34", 1234),
        ("from 5 EUR to 4.50 EUR", 450),
        ("five", None),
        ("LAMP 40 x", None),
    ],
)
def test_amounts_are_minor_units(text: str, minor: int | None) -> None:
    assert slots.minor_of(text) == minor


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("release it", "release"),
        ("let it through", "release"),
        ("block it", "stop"),
        ("do not stop, release", None),
        ("hm", None),
    ],
)
def test_a_verdict_is_said_or_asked(text: str, verdict: str | None) -> None:
    assert slots.verdict_of(text) == verdict


def test_what_is_lost_is_fewer() -> None:
    assert [slots.units_of(t) for t in ("add 5 units", "we lost 6 of them", "some")] == [5, -6, None]


@pytest.mark.parametrize(
    ("text", "decision"),
    [
        ("accept it", "accept"),
        ("let it through", "accept"),
        ("turn it down", "reject"),
        ("say no", "reject"),
        ("try it again", "again"),
        ("give it as store credit instead", "store_credit"),
        ("neither accept nor reject it", None),
        ("hm", None),
    ],
)
def test_a_decision_is_said_or_asked(text: str, decision: str | None) -> None:
    assert slots.decision_of(text) == decision
