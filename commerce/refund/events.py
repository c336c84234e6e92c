"""What refunds tell others. The key is the purchase, so that everything of it stays in order.

`RefundSucceeded` carries what loyalty points and commission are reversed by: the merchant, the customer, and the price,
tax and shipping in the amount. Amounts are minor units."""

from uuid import UUID

from kernel.events import Event


class RefundEvent(Event):
    topic = "refund"
    aggregate = "group_id"

    refund_id: UUID
    group_id: UUID
    order_id: UUID
    amount: int
    currency: str


class RefundRequested(RefundEvent):
    needed: int


class RefundApproved(RefundEvent): ...


class RefundRejected(RefundEvent): ...


class RefundSucceeded(RefundEvent):
    merchant_id: UUID
    customer_id: UUID | None = None
    net: int
    """Price less discount of the goods, without shipping; tax is inside of it when the order's is."""
    tax: int
    shipping: int
    order_refunded: int
    """All that was given back of this order so far, this refund included."""


class RefundFailed(RefundEvent):
    failure: str
