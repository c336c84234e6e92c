"""The catalogue."""

from commerce.product.schemas import Offer, ProductView, Sellable, titled
from commerce.product.service import ProductService

__all__ = ["Offer", "ProductService", "ProductView", "Sellable", "titled"]
