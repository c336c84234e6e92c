"""Integration: what other systems bring in, and what they call our things."""

from commerce.integration.service import ImportService

__all__ = ["ImportService"]
