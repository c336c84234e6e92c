"""Customers: people who buy, and where they live."""

from commerce.customer.schemas import CustomerView
from commerce.customer.service import CustomerService

__all__ = ["CustomerService", "CustomerView"]
