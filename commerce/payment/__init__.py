"""Payment: intents, the gateway port, the ledger."""

from commerce.payment.ports import Gateway, GatewayAnswer, GatewayTimeout
from commerce.payment.refunds import Refunds, dealt, spread
from commerce.payment.schemas import (
    Captured,
    PaymentMethodView,
    PaymentRowView,
    PaymentView,
    Promised,
    Risk,
    Share,
    Tender,
)
from commerce.payment.service import PaymentService

__all__ = [
    "Captured",
    "Gateway",
    "GatewayAnswer",
    "GatewayTimeout",
    "PaymentMethodView",
    "PaymentRowView",
    "PaymentService",
    "PaymentView",
    "Promised",
    "Refunds",
    "Risk",
    "Share",
    "Tender",
    "dealt",
    "spread",
]
