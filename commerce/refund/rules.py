"""Pure rules of refunds: what a partial refund is worth, exactly, and who has to agree to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kernel.money import split

TRANSITIONS: dict[str, frozenset[str]] = {
    "waiting_approval": frozenset({"approved", "rejected"}),
    "approved": frozenset({"sending", "succeeded", "failed"}),
    "sending": frozenset({"pending", "succeeded", "failed"}),
    "pending": frozenset({"succeeded", "failed"}),
    "failed": frozenset({"waiting_approval", "approved"}),
    "rejected": frozenset(),
    "succeeded": frozenset(),
}
DEAD = ("failed", "rejected")
"""States of a refund that counts for nothing: its money may be asked for again."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some units of a line and their money, minor units: price, the discount in it, and the tax on or in it."""

    quantity: int
    goods: int
    discount: int
    tax: int

    def amount(self, included: bool) -> int:
        """What a customer paid for it."""
        return self.goods - self.discount + (0 if included else self.tax)

    def less(self, other: "Part") -> "Part":
        """What is left when `other` was given back."""
        return Part(
            *(self.quantity - other.quantity, self.goods - other.goods),
            *(self.discount - other.discount, self.tax - other.tax),
        )


def units_of(left: Part, quantity: int) -> Part:
    """The money of the next `quantity` units out of what is left: each component by largest remainder, earlier units
    first, so that any sequence of partial refunds ends at exactly what was paid."""
    return Part(quantity, *(_first(c, quantity, left.quantity) for c in (left.goods, left.discount, left.tax)))


def _first(total: int, quantity: int, units: int) -> int:
    """The sum of the first `quantity` of `units` equal shares (`kernel.money.split`) of a total."""
    return quantity * (total // units) + min(quantity, total % units)


def goodwill(left: Part, amount: int, included: bool) -> Part:
    """An amount out of what is left of a line, for no unit in particular: its share of price, discount and tax.

    `amount` is at most `left.amount(included)`."""
    net_left = left.goods - left.discount
    net = amount if included else split(amount, [net_left, left.tax])[0]
    rest = [net, net_left - net]
    discount = split(left.discount, rest)[0] if net_left else 0
    inside = split(left.tax, rest)[0] if net_left else 0
    tax = inside if included else amount - net
    return Part(0, net + discount, discount, tax)


def spread(lefts: Sequence[Part], amount: int, included: bool) -> list[Part]:
    """An amount over several lines, in proportion to what is left of each; `amount` is at most what is left of all."""
    shares = split(amount, [left.amount(included) for left in lefts])
    return [goodwill(left, share, included) for left, share in zip(lefts, shares, strict=True)]


@dataclass(frozen=True, slots=True)
class Policy:
    """A store's rules of refunds, as data. Amounts are minor units of its currency.

    Up to `auto_minor` the staff's own refund needs nobody else; up to `customer_auto_minor` a customer's wish does not;
    above them one other person agrees, above `second_minor` two."""

    auto_minor: int = 10_000
    customer_auto_minor: int = 0
    second_minor: int = 50_000
    approval_hours: int = 168
    destinations: tuple[str, ...] = ("original", "gift_card", "store_credit")

    def approvals(self, amount: int, asker: str) -> int:
        """How many people have to agree; `asker` is customer, staff, or system (a rule that was checked before)."""
        free = self.customer_auto_minor if asker == "customer" else self.auto_minor
        if amount <= free:
            return 0
        return 2 if amount > self.second_minor else 1


def may_become(status: str, wanted: str) -> bool:
    return wanted in TRANSITIONS[status]


def total_of(parts: Sequence[Part], included: bool) -> Part:
    """All parts as one; its amount is the refund's."""
    whole = Part(0, 0, 0, 0)
    for part in parts:
        whole = replace(
            whole,
            quantity=whole.quantity + part.quantity,
            goods=whole.goods + part.goods,
            discount=whole.discount + part.discount,
            tax=whole.tax + part.tax,
        )
    assert whole.amount(included) == sum(part.amount(included) for part in parts)
    return whole
