"""Checkout: carts, and the purchase that comes of them."""

from commerce.checkout.carts import CartService
from commerce.checkout.changes import ChangeService
from commerce.checkout.reviews import ReviewService
from commerce.checkout.schemas import CartView, ChangeView, OrderGroupView
from commerce.checkout.service import CheckoutService, Placed

__all__ = [
    "CartService",
    "CartView",
    "ChangeService",
    "ChangeView",
    "CheckoutService",
    "OrderGroupView",
    "Placed",
    "ReviewService",
]
