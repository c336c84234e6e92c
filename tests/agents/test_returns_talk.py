"""The planner on returns: which order, which thing, why; what is missing is asked for, and results are said plainly."""

from typing import Any

import pytest

from agents.replies import told
from agents.wording import returned_words
from commerce.refund import RefundView
from commerce.returns import ReturnView
from commerce.returns.schemas import LabelView, ReturnLineView
from kernel.schemas import money
from tests.agents.said import AFTER, AT, EUR, ID, Chat, an_order, calls
from tools import refund, returns
from tools.bind import rendered
from tools.order import OrderStory

TOOLS = (
    *("get_order", "cancel_order", "find_products", "search_help"),
    *(returns.request_return.__name__, returns.request_exchange.__name__, returns.return_status.__name__),
    refund.refund_status.__name__,
)
REASONS = "I do not want it any more, It does not fit, It is defective"


def a_return(**changes: Any) -> ReturnView:
    line = ReturnLineView(
        id=ID, order_line_id=ID, name="Mug (Blue)", quantity=2, reason="not_wanted", condition="unopened",
        replacement_id=None, received=0, passed=0, refunded=0, exchanged=0,
    )  # fmt: skip
    known: dict[str, Any] = {
        "id": ID, "order_id": ID, "status": "in_transit", "resolution": "refund", "destination": "original",
        "explanation": "Mug can be sent back until 1 April 2026.", "difference": money(0, EUR),
        "replacement_group_id": None, "lines": [line], "refund_id": None, "created_at": AT, "updated_at": AT,
        "label": LabelView(carrier="standard", tracking="R1", free=False, send_until=AT),
    }  # fmt: skip
    return ReturnView(**{**known, **changes})


def a_refund(**changes: Any) -> RefundView:
    known: dict[str, Any] = {
        "id": ID, "order_id": ID, "status": "succeeded", "amount": money(1500, EUR), "destination": "original",
        "reason": "broken", "approvals_needed": 0, "approvals": 0, "failure": None, "lines": [], "created_at": AT,
        "updated_at": AT,
    }  # fmt: skip
    return RefundView(**{**known, **changes})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("return order A100123 because it does not fit", None),
        ("return the mug from my last order", "mug"),
        ("exchange the shirt for size M", "shirt size M"),
        ("swap the chair from A100123 for the white one", "chair white"),
        ("I want to return something", None),
        ("return both items of order A100123", None),
    ],
)
def test_what_goes_back_is_named_without_the_wish_around_it(text: str, words: str | None) -> None:
    assert returned_words(text) == words


def test_a_return_in_one_sentence() -> None:
    chat = Chat(*TOOLS)
    assert calls(chat.say("I want to return order A100123 because it does not fit")) == [
        ("request_return", {"order": "A100123", "reason": "it does not fit"})
    ]
    choice = chat.result({"error": "return_reason_unknown", "advice": "ask", "message": f"The reasons: {REASONS}."})
    assert calls(choice) == [("request_return", {"order": "A100123", "reason": "It does not fit"})]


def test_what_is_missing_is_asked_for_and_reasons_are_offered() -> None:
    chat = Chat(*TOOLS)
    assert chat.say("I want to return something").content.startswith("Which order do you mean?")
    asked = chat.say("A100123")
    assert asked.content == "Why do you want to send it back?"
    assert calls(chat.say("no idea")) == [("request_return", {"order": "A100123", "reason": "no idea"})]
    offered = chat.result({"error": "return_reason_unknown", "advice": "ask", "message": f"The reasons: {REASONS}."})
    assert offered.additional_kwargs["options"] == REASONS.split(", ")
    assert calls(chat.say("It is defective")) == [("request_return", {"order": "A100123", "reason": "It is defective"})]


def test_the_order_on_the_table_is_meant() -> None:
    chat = Chat(*TOOLS)
    chat.say("where is order A100123")
    chat.result(OrderStory(order=an_order(status="delivered"), history=[]))
    assert calls(chat.say("send the mug back because it is defective")) == [
        ("request_return", {"order": "A100123", "reason": "it is defective", "product": "mug"})
    ]


def test_an_exchange_looks_its_variant_up() -> None:
    chat = Chat(*TOOLS)
    assert calls(chat.say("exchange the shirt from order A100123 for size M because it does not fit")) == [
        ("find_products", {"q": "shirt size M"})
    ]


def test_a_negated_return_is_none() -> None:
    assert calls(Chat(*TOOLS).say("I do not want to return order A100123")) == []


@pytest.mark.parametrize(
    ("text", "tool"),
    [("how far is my return", "return_status"), ("where is my refund", "refund_status")],
)
def test_how_far_it_is(text: str, tool: str) -> None:
    assert calls(Chat(*TOOLS).say(text)) == [(tool, {})]


def test_results_are_said_plainly() -> None:
    assert told("request_return", rendered(a_return())) == (
        "Your return is registered: 2 × Mug (Blue).\n"
        "Send it with the label R1 by 25 November 2026; its postage is yours.\n"
        "The money moves once the parcel has arrived and was looked at."
    )
    grey = a_return(status="requested", label=None, explanation="A person of the shop looks at it first.")
    assert told("request_return", rendered(grey)) == "Your return is noted. A person of the shop looks at it first."
    dearer = a_return(resolution="exchange", difference=money(600, EUR))
    assert told("request_exchange", rendered(dearer)).endswith(
        "The difference of 6.00 EUR is charged once the parcel was looked at."
    )
    assert told("return_status", rendered([a_return()])) == (
        "Return of 25 November 2026 (2 × Mug (Blue)): waiting for your parcel."
    )
    assert told("return_status", {"items": []}) == "You have sent nothing back."
    assert told("refund_status", rendered([a_refund(), a_refund(status="pending")])) == (
        "15.00 EUR of 25 November 2026: done, the way it was paid.\n15.00 EUR of 25 November 2026: waiting."
    )
    assert told("refund_status", {"items": []}) == "There is no refund of yours."


def test_staff_hear_what_speaks_for_a_return_and_for_a_refund() -> None:
    said = {tool: told(tool, rendered(view)) for tool, view in AFTER.items()}
    assert said["return_case"] == (
        "The refund return of order A100123 is requested. A person of the shop looks at the return of Mug first. Abuse score 8 "
        "of 100; its customer asked for 2 returns in 180 days, this one included, and 1 units did not pass.\n"
        "1 × Mug (not wanted): said to be unopened, found used, did not pass."
    )
    assert said["refund_case"] == (
        "The refund of 15.00 EUR for order A100123 is failed (refund not possible), because of “broken”; 1 of 1 people agreed. Of "
        "the order's 19.90 EUR, 0.00 EUR went back before. In the 180 days before, its customer got 5.00 EUR back in 1 refunds."
    )
    assert said["propose_return_verdict"] == said["propose_refund_verdict"]
    assert said["propose_return_verdict"].startswith("Proposed: Give something.")
