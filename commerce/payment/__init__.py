"""Payment: intents, the gateway port, the ledger."""

from commerce.payment.ports import Gateway, GatewayAnswer, GatewayTimeout
from commerce.payment.schemas import PaymentMethodView, PaymentView, Risk, Share, Tender
from commerce.payment.service import PaymentService

__all__ = [
    "Gateway",
    "GatewayAnswer",
    "GatewayTimeout",
    "PaymentMethodView",
    "PaymentService",
    "PaymentView",
    "Risk",
    "Share",
    "Tender",
]
