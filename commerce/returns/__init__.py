"""Returns: what a customer may send back and why, followed until the money or the replacement is there."""

from commerce.returns.claims import ClaimService
from commerce.returns.policies import Policies
from commerce.returns.receiving import ReceivingService
from commerce.returns.schemas import ClaimView, QuoteView, ReturnView
from commerce.returns.service import ReturnService

__all__ = ["ClaimService", "ClaimView", "Policies", "QuoteView", "ReceivingService", "ReturnService", "ReturnView"]
