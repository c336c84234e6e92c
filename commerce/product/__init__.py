"""The catalogue."""

from commerce.product.schemas import ProductView, Sellable
from commerce.product.service import ProductService

__all__ = ["ProductService", "ProductView", "Sellable"]
