"""Pure rules of tax: one rounding per line, the same wherever a total is made."""

from decimal import Decimal
from typing import Any

from kernel.money import round_minor

DEFAULT_POLICY: dict[str, Any] = {
    "capture": "at_confirm",
    "cancel_reasons": ["no longer needed", "ordered by mistake", "changed my mind", "found it cheaper", "other"],
    "publish_needs": ["price", "media", "tax_class"],
    "cart_lines_most": 200,
}
"""What a channel does unless its own policy says otherwise."""


def tax_of(amount: int, rate: Decimal, included: bool) -> int:
    """Tax of a line amount (minor units): the part inside it, or what comes on top."""
    if included:
        return amount - round_minor(Decimal(amount) / (1 + rate))
    return round_minor(Decimal(amount) * rate)
