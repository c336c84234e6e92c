"""What promotions tell others."""

from uuid import UUID

from kernel.events import Event


class CouponRedeemed(Event):
    topic = "promotion"
    aggregate = "reference_id"

    reference_id: UUID
    coupon_id: UUID
    amount: int
