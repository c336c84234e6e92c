"""Returns as people say them: which things by their names, why in their words, where the money goes by its kind."""

from collections.abc import Sequence
from uuid import UUID

from commerce.order import FulfillmentService, SentLine, SentOrder
from commerce.payment import PaymentService
from commerce.product import ProductService
from commerce.returns.errors import NotDelivered, OtherProduct, ProductUnclear, ProductUnknown, UnknownReason
from commerce.returns.policies import Policies
from commerce.returns.schemas import Destination, RequestReturn, ReturnUnits
from kernel.db import Work

DESTINATIONS: dict[str, Destination] = {"store credit": "store_credit", "credit": "store_credit"}
"""Other words for where money may go; a gift card is found among the customer's saved methods."""


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
