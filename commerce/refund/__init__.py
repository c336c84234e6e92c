"""Refunds: the intent above money. What goes back, for what, with whose consent, and where to."""

from commerce.refund.ports import OrderFacts, PaidLine, PaidOrder
from commerce.refund.schemas import Asked, RefundView
from commerce.refund.service import RefundService

__all__ = ["Asked", "OrderFacts", "PaidLine", "PaidOrder", "RefundService", "RefundView"]
