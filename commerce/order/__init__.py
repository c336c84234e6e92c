"""Orders: what was bought, as it was bought."""

from commerce.order.fulfillment import FulfillmentService
from commerce.order.schemas import NewGroup, NewLine, NewOrder, OrderView, SentLine, SentOrder, Told
from commerce.order.service import OrderService

__all__ = [
    "FulfillmentService",
    "NewGroup",
    "NewLine",
    "NewOrder",
    "OrderService",
    "OrderView",
    "SentLine",
    "SentOrder",
    "Told",
]
