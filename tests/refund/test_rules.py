"""What a partial refund is worth: any sequence of partial refunds ends at exactly what was paid."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commerce.refund.rules import Part, Policy, goodwill, spread, total_of, units_of


@st.composite
def lines(draw: st.DrawFn) -> Part:
    quantity = draw(st.integers(1, 40))
    goods = quantity * draw(st.integers(0, 99_999))
    discount = draw(st.integers(0, goods))
    return Part(quantity, goods, discount, draw(st.integers(0, goods - discount)))


@given(lines(), st.booleans(), st.integers(0, 2**32))
@settings(max_examples=400, deadline=None)
def test_any_sequence_of_units_and_goodwill_sums_to_the_whole(line: Part, included: bool, seed: int) -> None:
    chance = random.Random(seed)
    left, given_back = line, []
    while left.quantity:
        if chance.random() < 0.4:
            part = goodwill(left, chance.randint(0, left.amount(included)), included)
        else:
            part = units_of(left, chance.randint(1, left.quantity))
        assert min(part.goods - part.discount, part.discount, part.tax, part.amount(included)) >= 0
        left = left.less(part)
        assert min(left.goods - left.discount, left.discount, left.tax, left.amount(included)) >= 0
        given_back.append(part)
    assert total_of(given_back, included) == line
    assert left == Part(0, 0, 0, 0)


@given(st.lists(lines(), min_size=1, max_size=6), st.booleans(), st.data())
@settings(max_examples=200, deadline=None)
def test_an_amount_spread_over_lines_is_exactly_that_amount(
    lefts: list[Part], included: bool, data: st.DataObject
) -> None:
    whole = sum(left.amount(included) for left in lefts)
    amount = data.draw(st.integers(0, whole))
    parts = spread(lefts, amount, included)
    assert sum(part.amount(included) for part in parts) == amount
    assert all(part.amount(included) <= left.amount(included) for part, left in zip(parts, lefts, strict=True))
    if amount == whole:
        assert [p.amount(included) for p in parts] == [x.amount(included) for x in lefts]


def test_the_cents_of_three_units_fall_on_the_first_ones() -> None:
    line = Part(3, 3000, 100, 463)
    first = units_of(line, 1)
    assert first == Part(1, 1000, 34, 155)
    second = units_of(line.less(first), 1)
    assert second == Part(1, 1000, 33, 154)
    assert units_of(line.less(first).less(second), 1) == Part(1, 1000, 33, 154)


@pytest.mark.parametrize(
    ("amount", "asker", "needed"),
    [
        (10_000, "staff", 0),
        (10_001, "staff", 1),
        (50_000, "staff", 1),
        (50_001, "staff", 2),
        (1, "customer", 1),
        (50_001, "customer", 2),
        (10_000, "system", 0),
        (10_001, "system", 1),
    ],
)
def test_who_has_to_agree_follows_from_the_amount(amount: int, asker: str, needed: int) -> None:
    assert Policy().approvals(amount, asker) == needed
