"""Pure rules of tax: one rounding per line, the same wherever a total is made."""

from decimal import Decimal

from kernel.money import round_minor


def tax_of(amount: int, rate: Decimal, included: bool) -> int:
    """Tax of a line amount (minor units): the part inside it, or what comes on top."""
    if included:
        return amount - round_minor(Decimal(amount) / (1 + rate))
    return round_minor(Decimal(amount) * rate)
