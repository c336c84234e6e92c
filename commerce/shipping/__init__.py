"""Shipping: methods and rates."""

from commerce.shipping.schemas import Rate
from commerce.shipping.service import ShippingService

__all__ = ["Rate", "ShippingService"]
