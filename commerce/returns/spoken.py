"""Returns as people say them: which things by their names, why in their words, where the money goes by its kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from commerce.order import FulfillmentService, SentLine, SentOrder
from commerce.payment import PaymentService
from commerce.product import ProductService
from commerce.refund.schemas import Destination
from commerce.returns.errors import (
    NotDelivered,
    OtherProduct,
    ProductUnclear,
    ProductUnknown,
    UnknownReason,
    UnknownReturnLine,
)
from commerce.returns.policies import Policies
from commerce.returns.schemas import RequestReturn, ReturnUnits
from kernel.db import Work

DESTINATIONS: dict[str, Destination] = {"store credit": "store_credit", "credit": "store_credit"}
"""Other words for where money may go; a gift card is found among the customer's saved methods."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units of an item of the order, named by its SKU, and the SKU of what is wanted instead, in an exchange."""

    sku: str
    quantity: int
    new_sku: str | None = None


class Spoken:
    """Turns words into the command a form would send; what it cannot tell apart it asks about."""

    def __init__(
        self, fulfillment: FulfillmentService, policies: Policies, product: ProductService, payment: PaymentService
    ) -> None:
        self._fulfillment = fulfillment
        self._policies = policies
        self._product = product
        self._payment = payment

    async def refund(
        self, work: Work, order_id: UUID, reason: str, item: str | None, quantity: int | None, way: str
    ) -> RequestReturn:
        """Raises OrderNotFound, NotDelivered, ProductUnknown, ProductUnclear, UnknownReason, UnknownPaymentMethod."""
        sent = await self._sent(work, order_id)
        wanted = way.strip().lower()
        destination = DESTINATIONS.get(wanted, "gift_card" if "gift" in wanted else "original")
        method = (await self._payment.chosen(work, "gift card")).id if destination == "gift_card" else None
        lines = _named(sent, item)
        return RequestReturn(
            order_id=order_id,
            lines=[ReturnUnits(order_line_id=line.id, quantity=_units(line, quantity)) for line in lines],
            reason=await self._reason(work, reason),
            destination=destination,
            payment_method_id=method,
        )

    async def exchange(
        self, work: Work, order_id: UUID, reason: str, sku: str, quantity: int | None, method: str
    ) -> RequestReturn:
        """The line of the same product for the variant `sku`. Raises what `refund` raises, OtherProduct, UnknownProduct."""
        sent = await self._sent(work, order_id)
        variant = await self._product.variant(work, sku)
        product, _ = (await self._product.kinds(work, [variant]))[variant]
        fitting = [line for line in _left(sent) if line.product_id == product]
        if not fitting:
            raise OtherProduct()
        if len(fitting) > 1:
            fitting = [line for line in fitting if line.variant_id != variant]
        if len(fitting) > 1:
            raise ProductUnclear(items=", ".join(line.title for line in fitting))
        (line,) = fitting
        units = ReturnUnits(order_line_id=line.id, quantity=_units(line, quantity), replacement_id=variant)
        return RequestReturn(
            order_id=order_id,
            lines=[units],
            reason=await self._reason(work, reason),
            resolution="exchange",
            payment_method_id=await self._method(work, method),
        )

    async def units(
        self, work: Work, order_id: UUID, reason: str, wanted: Sequence[Wanted], method: str | None
    ) -> RequestReturn:
        """Several items at once by their SKUs: the first lines that still have such units give them. `method` pays or
        gets the difference of an exchange; None is a return for money, the way it was paid.

        Raises OrderNotFound, NotDelivered, UnknownReturnLine, UnknownProduct, UnknownReason, UnknownPaymentMethod."""
        sent = await self._sent(work, order_id)
        asked = [
            (one.sku, one.quantity, await self._product.variant(work, one.new_sku) if one.new_sku else None)
            for one in wanted
        ]
        return RequestReturn(
            order_id=order_id,
            lines=_taken(_left(sent), asked),
            reason=await self._reason(work, reason),
            resolution="refund" if method is None else "exchange",
            payment_method_id=None if method is None else await self._method(work, method),
        )

    async def _sent(self, work: Work, order_id: UUID) -> SentOrder:
        sent = await self._fulfillment.sent(work, order_id)
        if sent.delivered_at is None:
            raise NotDelivered(status=sent.status.replace("_", " "))
        return sent

    async def _reason(self, work: Work, said: str) -> str:
        reasons = await self._policies.reasons(work)
        wanted = said.strip().casefold()
        for reason in reasons:
            if wanted in (reason.code, reason.text.casefold(), reason.code.replace("_", " ")):
                return reason.code
        raise UnknownReason(allowed=", ".join(reason.text for reason in reasons))

    async def _method(self, work: Work, wish: str) -> UUID | None:
        """The saved method a person means; None for a guest, or one who saved none and named none."""
        if work.principal.customer_id is None:
            return None
        if wish.strip().lower() in ("", "default") and not await self._payment.methods(work):
            return None
        return (await self._payment.chosen(work, wish)).id


def _left(sent: SentOrder) -> list[SentLine]:
    """Lines with units that have not come back."""
    return [line for line in sent.lines.values() if line.shipped > line.returned]


def _units(line: SentLine, quantity: int | None) -> int:
    return quantity or line.shipped - line.returned


def _taken(lines: Sequence[SentLine], asked: Sequence[tuple[str, int, UUID | None]]) -> list[ReturnUnits]:
    """Units by line and replacement. Raises UnknownReturnLine when the order does not hold so many."""
    left = {line.id: line.shipped - line.returned for line in lines}
    taken: dict[tuple[UUID, UUID | None], int] = {}
    for sku, quantity, replacement in asked:
        wanted = quantity
        for line in lines:
            part = min(wanted, left[line.id]) if line.sku == sku.upper() else 0
            if part:
                taken[line.id, replacement] = taken.get((line.id, replacement), 0) + part
                left[line.id] -= part
                wanted -= part
        if wanted:
            raise UnknownReturnLine()
    return [
        ReturnUnits(order_line_id=line, quantity=quantity, replacement_id=replacement)
        for (line, replacement), quantity in taken.items()
    ]


def _named(sent: SentOrder, item: str | None) -> Sequence[SentLine]:
    """The line that every word names; without words the whole order."""
    left = _left(sent)
    if not item:
        if not left:
            raise ProductUnknown(items="nothing")
        return left
    words = item.casefold().split()
    fitting = [line for line in left if all(word in f"{line.title} {line.sku}".casefold() for word in words)]
    if not fitting:
        raise ProductUnknown(items=", ".join(line.title for line in left) or "nothing")
    if len(fitting) > 1:
        raise ProductUnclear(items=", ".join(line.title for line in fitting))
    return fitting
