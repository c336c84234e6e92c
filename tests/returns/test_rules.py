"""The policy engine by table: what it says, and that a customer can read why; the money of an exchange, to the cent."""

from dataclasses import replace as changed
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commerce.returns.rules import Facts, Policy, Verdict, abuse, judge, replace, together

DELIVERED = datetime(2026, 3, 2, 9, tzinfo=UTC)
FACTS = Facts("Mug", DELIVERED, DELIVERED + timedelta(days=3), "unopened", False, 1500, 0)


@pytest.mark.parametrize(
    ("policy", "facts", "outcome", "explanation"),
    [
        ({}, {}, "authorised", "Mug can be sent back until 1 April 2026."),
        ({}, {"condition": "opened"}, "authorised", "Mug can be sent back until 1 April 2026."),
        ({}, {"condition": "used"}, "rejected", "Mug can be sent back unopened or opened, and you say it is used."),
        ({}, {"condition": "damaged", "fault": True}, "authorised", "Mug can be sent back until 29 August 2026."),
        (
            {"final_sale": True},
            {},
            "rejected",
            "Mug was sold as final sale and can only be sent back when it is faulty.",
        ),
        ({"final_sale": True}, {"fault": True}, "authorised", "Mug can be sent back until 29 August 2026."),
        (
            {},
            {"now": DELIVERED + timedelta(days=31)},
            "grey",
            "The 30 days for Mug ended on 1 April 2026; a person of the shop decides whether it still can be.",
        ),
        (
            {},
            {"now": DELIVERED + timedelta(days=45)},
            "rejected",
            "Mug could be sent back for 30 days, until 1 April 2026; that is over.",
        ),
        ({"abuse_from": 40}, {"score": 40}, "grey", "A person of the shop looks at the return of Mug first."),
        ({"review_minor": 1499}, {}, "grey", "A person of the shop looks at the return of Mug first."),
    ],
)
def test_a_verdict_and_why(policy: dict, facts: dict, outcome: str, explanation: str) -> None:
    found = judge(Policy(**policy), changed(FACTS, **facts))
    assert found == Verdict(outcome, explanation)  # type: ignore[arg-type]


def test_the_window_ends_with_its_last_instant() -> None:
    last = DELIVERED + timedelta(days=30)
    assert judge(Policy(), changed(FACTS, now=last)).outcome == "authorised"
    assert judge(Policy(), changed(FACTS, now=last + timedelta(seconds=1))).outcome == "grey"
    end = last + timedelta(days=14)
    assert judge(Policy(), changed(FACTS, now=end)).outcome == "grey"
    assert judge(Policy(), changed(FACTS, now=end + timedelta(seconds=1))).outcome == "rejected"


def test_the_worst_line_speaks_for_the_request() -> None:
    yes, no = Verdict("authorised", "a"), Verdict("rejected", "b")
    assert together([yes, no, Verdict("rejected", "c"), no]) == Verdict("rejected", "b c")
    assert together([yes, Verdict("grey", "g")]) == Verdict("grey", "g")


@pytest.mark.parametrize(
    ("facts", "score"),
    [((3, 0, 0, 0), 0), ((4, 0, 0, 0), 8), ((0, 2, 1, 0), 65), ((0, 0, 0, 4), 10), ((20, 5, 0, 0), 100)],
)
def test_an_abuse_score(facts: tuple[int, int, int, int], score: int) -> None:
    assert abuse(*facts) == score


@given(st.integers(0, 10**7), st.integers(0, 10**6), st.integers(0, 10**7), st.booleans())
@settings(max_examples=400, deadline=None)
def test_a_replacement_costs_exactly_the_difference(subtotal: int, tax: int, credit: int, included: bool) -> None:
    tax = min(tax, subtotal)
    found = replace(subtotal, tax, credit, included)
    whole = subtotal + (0 if included else tax)
    assert found.due - found.back == whole - credit
    assert min(found.due, found.back) == 0
    assert 0 <= found.discount <= subtotal
    assert 0 <= found.tax <= tax
    total = found.subtotal - found.discount + (0 if included else found.tax)
    assert total == found.due
