"""What a refund must know of an order: read through a port, since orders stand above."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from kernel.db import Work


@dataclass(frozen=True, slots=True)
class PaidLine:
    """A line as it was bought, without units that were cancelled; minor units. `tax` is on top of `goods - discount`, or
    inside of it."""

    id: UUID
    name: str
    quantity: int
    goods: int
    discount: int
    tax: int


@dataclass(frozen=True, slots=True)
class PaidOrder:
    """An order as it was paid. `shipping_tax` is the order's tax that is on no line; `changing` while a change of it, or of
    how it is paid, is on the way."""

    id: UUID
    number: str
    status: str
    group_id: UUID
    channel_id: UUID
    merchant_id: UUID
    customer_id: UUID | None
    guest_key: bytes | None
    currency: str
    tax_included: bool
    total: int
    shipping: int
    shipping_tax: int
    changing: bool
    lines: list[PaidLine]


class OrderFacts(Protocol):
    async def paid(self, work: Work, order_id: UUID) -> PaidOrder:
        """An order the caller may see, locked until the transaction ends. Raises OrderNotFound."""
        ...
