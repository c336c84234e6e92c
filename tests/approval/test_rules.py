"""What a policy says, by table; and that arbitration does not depend on who came first."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce.approval.rules import TEXTS, Claim, Rule, Verdict, bounds, outweighs, verdict
from commerce.approval.schemas import Policy
from kernel.money import Money

POLICY = Policy(accept_most=1000, two_from=5000, most=9000, change_most=2000)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


@pytest.mark.parametrize(
    ("amount", "change", "expected"),
    [
        (euros(9000), 2000, None),
        (euros(9001), 0, Rule.AMOUNT),
        (euros(0), 2001, Rule.CHANGE),
        (None, 0, None),
    ],
)
def test_what_no_person_can_accept_either(amount: Money | None, change: int, expected: Rule | None) -> None:
    found = bounds(POLICY, amount, change)
    assert found == (Verdict("reject", expected) if expected else None)


def test_a_closed_policy_rejects_everything() -> None:
    assert bounds(Policy(enabled=False), euros(1), 0) == Verdict("reject", Rule.CLOSED)


@pytest.mark.parametrize(
    ("amount", "contrary", "expected"),
    [
        (euros(0), False, Verdict("accept", Rule.WITHIN)),
        (euros(1000), False, Verdict("accept", Rule.WITHIN)),
        (euros(1000), True, Verdict("wait", Rule.CONTRARY)),
        (euros(1001), False, Verdict("wait", Rule.ONE_PERSON)),
        (euros(4999), True, Verdict("wait", Rule.ONE_PERSON)),
        (euros(5000), False, Verdict("wait", Rule.TWO_PEOPLE, 2)),
        (None, False, Verdict("wait", Rule.ONE_PERSON)),
    ],
)
def test_who_decides(amount: Money | None, contrary: bool, expected: Verdict) -> None:
    assert verdict(POLICY, amount, contrary) == expected


def test_without_limits_a_person_decides() -> None:
    assert verdict(Policy(), euros(1), False) == Verdict("wait", Rule.ONE_PERSON)


def test_the_more_careful_stance_stays_then_the_smaller_amount_then_the_earlier() -> None:
    def made(stance: str, amount: int = 100, late: int = 0) -> Claim:
        return Claim(stance, amount, NOON + timedelta(seconds=late), UUID(int=late))

    order = ("stop", "release")
    assert outweighs(order, made("stop", late=1), made("release"))
    assert not outweighs(order, made("release", amount=1, late=1), made("stop"))
    assert outweighs(order, made("release", amount=99, late=1), made("release"))
    assert not outweighs(order, made("release", late=1), made("release"))


claims = st.builds(
    Claim,
    stance=st.sampled_from(["lower", "raise"]),
    amount=st.integers(0, 5),
    created_at=st.integers(0, 3).map(lambda s: NOON + timedelta(seconds=s)),
    id=st.uuids(),
)


@given(claims, claims)
def test_one_of_two_stays_whatever_the_order_they_come_in(one: Claim, other: Claim) -> None:
    order = ("lower", "raise")
    if one != other:
        assert outweighs(order, one, other) is not outweighs(order, other, one)


def test_every_rule_has_its_sentence_and_its_number() -> None:
    assert set(TEXTS) == set(Rule)
    assert [rule.value for rule in Rule] == [f"APPROVAL-{n}" for n in range(1, 12)]
