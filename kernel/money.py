"""Money: integer minor units and an ISO 4217 currency. No float ever touches an amount."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CURRENCIES = {"EUR": 2, "USD": 2, "GBP": 2, "CHF": 2, "SEK": 2, "DKK": 2, "NOK": 2, "PLN": 2, "JPY": 0}
"""Currencies a channel may use, with the digits of their minor unit (ISO 4217)."""


class CurrencyMismatch(ValueError):
    """Two currencies met in one sum: a programming error, never a customer's."""


@dataclass(frozen=True, slots=True)
class Money:
    minor: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __str__(self) -> str:
        digits = CURRENCIES.get(self.currency, 2)
        return f"{Decimal(self.minor).scaleb(-digits):.{digits}f} {self.currency}"

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.minor


def round_minor(value: Decimal) -> int:
    """The one rounding: half away from zero, to the minor unit, once per line (commercial rounding)."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Shares of `total` (minor units) in proportion to `weights`, summing to `total` exactly.

    Largest remainder (Hamilton): floors first, the missing units go to the largest remainders, earlier first.
    Zero or no weight at all gives equal weights. A negative total is the mirror of the positive one.
    """
    if not weights:
        return []
    if total < 0:
        return [-share for share in split(-total, weights)]
    base = list(weights) if sum(weights) > 0 else [1] * len(weights)
    whole = sum(base)
    shares = [total * weight // whole for weight in base]
    by_remainder = sorted(range(len(base)), key=lambda i: (-(total * base[i] % whole), i))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares
