"""Promotions and coupons."""

from commerce.promotion.schemas import Adjustment, CouponFacts
from commerce.promotion.service import TRIES_MOST, TRIES_SECONDS, PromotionService

__all__ = ["TRIES_MOST", "TRIES_SECONDS", "Adjustment", "CouponFacts", "PromotionService"]
