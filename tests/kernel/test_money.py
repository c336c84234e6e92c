"""Money: integers, one rounding, splits that add up."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from commerce.pricing import tax_of
from kernel.money import CurrencyMismatch, Money, round_minor, split


@given(some.integers(-(10**9), 10**9), some.lists(some.integers(0, 10**6), min_size=1, max_size=50))
def test_a_split_adds_up_and_is_fair(total: int, weights: list[int]) -> None:
    shares = split(total, weights)
    assert sum(shares) == total
    whole = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        if whole:
            assert abs(share - total * weight / whole) < 1.0001
        assert share * total >= 0


def test_rounding_is_half_away_from_zero() -> None:
    assert [round_minor(Decimal(text)) for text in ("0.5", "1.5", "2.4", "-0.5", "2.5")] == [1, 2, 2, -1, 3]


@given(some.integers(0, 10**8), some.decimals(0, Decimal("0.99"), places=4))
def test_tax_inside_and_tax_on_top_agree(net: int, rate: Decimal) -> None:
    on_top = tax_of(net, rate, included=False)
    assert abs(tax_of(net + on_top, rate, included=True) - on_top) <= 1


def test_two_currencies_never_meet() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(1, "EUR") + Money(1, "USD")
    assert str(Money(1999, "EUR")) == "19.99 EUR"
    assert str(Money(1999, "JPY")) == "1999 JPY"
