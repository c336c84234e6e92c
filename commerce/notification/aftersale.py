"""What a buyer is told of returns, exchanges, claims and refunds: a line in the feed, and a mail."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from commerce.notification.schemas import Notice
from commerce.notification.wording import written
from commerce.order import OrderService, Told
from commerce.refund import RefundService
from commerce.refund.schemas import WAYS
from commerce.returns import ReturnService
from kernel.db import Work
from kernel.inbox import Delivery
from kernel.money import Money

Write = Callable[[Work, Sequence[Notice]], Awaitable[None]]
TITLES = {
    "ReturnAuthorized": "Your return of order {number} is accepted",
    "ReturnRejected": "Your return of order {number} cannot be accepted",
    "ReturnReceived": "Your return of order {number} has arrived",
    "ReturnCompleted": "Your return of order {number} is done",
    "RefundSucceeded": "{amount} of order {number} went back to you",
    "RefundFailed": "Your refund of order {number} needs another way",
    "ClaimDecided": "An answer to your report about order {number}",
}


class AfterSale:
    def __init__(self, order: OrderService, returns: ReturnService, refund: RefundService, write: Write) -> None:
        self._order = order
        self._returns = returns
        self._refund = refund
        self._write = write

    async def tell(self, work: Work, deliveries: Sequence[Delivery]) -> None:
        """Reaction: one notice for each event, once; a few statements a batch."""
        told = await self._order.told(work, list({delivery.message.key for delivery in deliveries}))
        numbers = await self._order.numbers(work, _ids(deliveries, "order_id"))
        returns = {view.id: view for view in await self._returns.several(work, _ids(deliveries, "return_id"))}
        refunds = {view.id: view for view in await self._refund.several(work, _ids(deliveries, "refund_id"))}
        notices = []
        for delivery in deliveries:
            payload, about = delivery.message.payload, told.get(delivery.message.key)
            if about is None:
                continue
            facts = {
                "number": numbers[UUID(str(payload["order_id"]))],
                "back": returns.get(_id(payload, "return_id")),
                "refund": refunds.get(_id(payload, "refund_id")),
                "amount": str(Money(payload["amount"], payload["currency"])) if "amount" in payload else "",
            }
            notices.append(_notice(delivery, about, facts))
        await self._write(work, notices)


def _notice(delivery: Delivery, about: Told, facts: dict[str, Any]) -> Notice:
    kind = delivery.message.type
    subject, mail = written(kind, name=about.name, facts=delivery.message.payload, ways=WAYS, **facts)
    return Notice(
        cause=delivery.message.id.hex,
        kind=kind,
        title=TITLES[kind].format(number=facts["number"], amount=facts["amount"]),
        text=subject,
        customer_id=about.customer_id,
        email=about.email,
        subject=subject,
        mail=mail,
    )


def _id(payload: dict[str, Any], name: str) -> UUID:
    return UUID(str(payload[name])) if name in payload else UUID(int=0)


def _ids(deliveries: Sequence[Delivery], name: str) -> list[UUID]:
    return list({UUID(str(d.message.payload[name])) for d in deliveries if name in d.message.payload})
