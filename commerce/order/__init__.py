"""Orders: what was bought, as it was bought, and what became of it since."""

from commerce.order.delivery import FulfillmentService
from commerce.order.modifications import Entry, Opened
from commerce.order.replacing import LineAfter, OrderAfter, Replacement, Swap, after, paid_for, taken
from commerce.order.schemas import NewGroup, NewLine, NewOrder, OrderView, SentLine, SentOrder, Told
from commerce.order.service import OrderService
from commerce.order.tables import OrderLine

__all__ = [
    "Entry",
    "FulfillmentService",
    "LineAfter",
    "NewGroup",
    "NewLine",
    "NewOrder",
    "Opened",
    "OrderAfter",
    "OrderLine",
    "OrderService",
    "OrderView",
    "Replacement",
    "SentLine",
    "SentOrder",
    "Swap",
    "Told",
    "after",
    "paid_for",
    "taken",
]
