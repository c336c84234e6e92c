"""Facts a coupon can refuse with."""

from kernel.errors import Conflict, Invalid, NotFound


class UnknownCoupon(NotFound):
    code = "coupon_unknown"
    message = "There is no coupon {coupon}."


class CouponExpired(Conflict):
    code = "coupon_expired"
    message = "The coupon {coupon} is not valid at this time."


class CouponUsedUp(Conflict):
    code = "coupon_used_up"
    message = "The coupon {coupon} has been used up."


class CouponAlreadyUsed(Conflict):
    code = "coupon_already_used"
    message = "The coupon {coupon} can be used once, and you have used it."


class CouponWindowEmpty(Invalid):
    code = "coupon_window_empty"
    message = "The coupon would end before it begins."


class PercentTooHigh(Invalid):
    code = "coupon_percent_too_high"
    message = "A coupon takes at most 100 percent off."


class CouponTaken(Conflict):
    code = "coupon_code_taken"
    message = "There is already a coupon {coupon}."
