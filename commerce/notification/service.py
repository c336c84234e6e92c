"""Notification: events become lines of a feed, and mails."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from commerce.email import EmailService, Mail
from commerce.notification.aftersale import AfterSale
from commerce.notification.errors import UnknownNotification
from commerce.notification.permissions import READ_FEED
from commerce.notification.schemas import Notice, NotificationView
from commerce.notification.tables import Notification
from commerce.notification.wording import written
from commerce.order import OrderService, Told
from commerce.refund import RefundService
from commerce.returns import ReturnService
from kernel.db import Work
from kernel.inbox import Delivery
from kernel.money import Money
from kernel.repository import Repository
from kernel.schemas import Page

REASONS = {
    "payment_declined": "the payment was declined",
    "payment_expired": "the payment was not approved in time",
    "payment_refused": "the payment could not be accepted",
    "stock_gone": "the items sold out before the payment came through",
}
TITLES = {
    "OrderConfirmed": "Order {numbers} is confirmed",
    "OrderCancelled": "Order {numbers} was cancelled",
    "OrderAddressChanged": "Order {numbers} goes to a new address",
    "OrderModified": "Order {numbers} was changed",
    "OrderShipped": "A parcel of order {numbers} is on its way",
    "ShipmentOutForDelivery": "A parcel of order {numbers} comes today",
    "ShipmentDelivered": "A parcel of order {numbers} has arrived",
}
TO_MERCHANT = {"OrderConfirmed": "New order {number}", "OrderCancelled": "Order {number} was cancelled"}

_ADD = """
insert into notifications (id, cause, customer_id, merchant_id, kind, title, text, created_at)
select uuidv7(), n.cause, n.customer_id, n.merchant_id, n.kind, n.title, n.text, $7
from unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[])
  n(cause, customer_id, merchant_id, kind, title, text)
on conflict (cause, customer_id, merchant_id) do nothing
"""

Line = tuple[str, UUID | None, UUID | None, str, str, str]
"""(cause, customer, merchant, kind, title, text)"""


class NotificationService:
    def __init__(self, order: OrderService, email: EmailService, returns: ReturnService, refund: RefundService) -> None:
        self._order = order
        self._email = email
        self.after_sale = AfterSale(order, returns, refund, self.write)
        self._feed = Repository(Notification, "customer_id", "merchant_id")

    async def tell(self, work: Work, deliveries: Sequence[Delivery]) -> None:
        """Reaction: what happened to a purchase is told to its buyer and to its merchants, three statements a batch."""
        told = await self._order.told(work, list({delivery.message.key for delivery in deliveries}))
        lines: list[Line] = []
        mails: list[Mail] = []
        for delivery in deliveries:
            kind, cause = delivery.message.type, delivery.message.id.hex
            about = told.get(delivery.message.key)
            if about is None:
                continue
            subject, text = _written(kind, about, delivery.message.payload)
            mails.append(Mail(cause, about.email, subject, text))
            if about.customer_id:
                title = TITLES[kind].format(numbers=", ".join(about.numbers.values()))
                lines.append((cause, about.customer_id, None, kind, title, subject))
            # A purchase that never was confirmed was never announced to its merchants.
            if kind in TO_MERCHANT and (kind != "OrderCancelled" or about.paid):
                lines += [
                    (cause, None, merchant, kind, TO_MERCHANT[kind].format(number=number), "")
                    for merchant, number in about.numbers.items()
                ]
        await self._put(work, lines, mails)

    async def write(self, work: Work, notices: Sequence[Notice]) -> None:
        """Tells what an upper context has to say, in the words it brings; two statements a batch."""
        mails = [Mail(n.cause, n.email, n.subject, n.mail) for n in notices if n.email]
        lines = [
            (n.cause, n.customer_id, n.merchant_id, n.kind, n.title, n.text)
            for n in notices
            if n.customer_id or n.merchant_id
        ]
        await self._put(work, lines, mails)

    async def _put(self, work: Work, lines: Sequence[Line], mails: Sequence[Mail]) -> None:
        if mails:
            await self._email.queue(work, mails)
        if lines:
            await work.run(_ADD, *[list(column) for column in zip(*lines, strict=True)], work.now)

    async def page(self, work: Work, cursor: str | None = None, size: int = 20) -> Page[NotificationView]:
        """The caller's feed, newest first."""
        work.principal.require(READ_FEED)
        rows, following = await self._feed.page(work, cursor=cursor, size=size)
        return Page(items=[_view(row) for row in rows], next=following)

    async def read(self, work: Work, notification_id: UUID) -> None:
        """Notes that it was seen. Raises UnknownNotification."""
        work.principal.require(READ_FEED)
        if await self._feed.get(work, notification_id) is None:
            raise UnknownNotification()
        await work.run(
            "update notifications set read_at = coalesce(read_at, $2) where id = $1", notification_id, work.now
        )


def _written(kind: str, about: Told, payload: dict[str, Any]) -> tuple[str, str]:
    reason = str(payload.get("reason", ""))
    return written(
        kind,
        name=about.name,
        numbers=", ".join(about.numbers.values()),
        total=str(Money(about.total, about.currency)),
        lines=about.lines,
        address=about.address,
        reason=REASONS.get(reason, reason),
        paid=about.paid,
        facts=payload,
        difference=str(Money(abs(int(payload.get("difference", 0))), about.currency)),
    )


def _view(row: Notification) -> NotificationView:
    return NotificationView(
        id=row.id,
        kind=row.kind,
        title=row.title,
        text=row.text,
        read=row.read_at is not None,
        created_at=row.created_at,
    )
