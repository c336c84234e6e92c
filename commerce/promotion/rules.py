"""Promotions as a pure function: line amounts and codes in, what each code takes off out."""

from collections.abc import Sequence
from datetime import datetime

from commerce.promotion.schemas import Adjustment, CouponFacts
from kernel.money import split


def is_running(coupon: CouponFacts, now: datetime) -> bool:
    return coupon.starts_at <= now and (coupon.ends_at is None or now < coupon.ends_at)


def apply(amounts: Sequence[int], coupons: Sequence[CouponFacts], currency: str, now: datetime) -> list[Adjustment]:
    """What each running coupon takes off the lines (minor units), by priority; never more than is left of a line.

    A coupon whose minimum the subtotal does not reach, or of another currency, takes nothing and is left out.
    """
    left = list(amounts)
    subtotal = sum(amounts)
    found = []
    for coupon in sorted(coupons, key=lambda c: (c.priority, c.code)):
        if not is_running(coupon, now) or subtotal < coupon.minimum_minor:
            continue
        if coupon.kind == "shipping":
            found.append(Adjustment(coupon.coupon_id, coupon.code, coupon.name, [0] * len(left), free_shipping=True))
            continue
        if coupon.kind == "fixed" and coupon.currency != currency:
            continue
        off = sum(left) * coupon.value // 100 if coupon.kind == "percent" else min(coupon.value, sum(left))
        shares = split(off, left)
        left = [amount - share for amount, share in zip(left, shares, strict=True)]
        found.append(Adjustment(coupon.coupon_id, coupon.code, coupon.name, shares))
    return found
