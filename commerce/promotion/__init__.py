"""Promotions and coupons."""

from commerce.promotion.schemas import Adjustment, CouponFacts
from commerce.promotion.service import PromotionService

__all__ = ["Adjustment", "CouponFacts", "PromotionService"]
