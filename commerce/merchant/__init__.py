"""Merchants: the shops of the marketplace."""

from commerce.merchant.schemas import MerchantView
from commerce.merchant.service import MerchantService

__all__ = ["MerchantService", "MerchantView"]
