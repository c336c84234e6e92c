"""Orders: what was bought, as it was bought, and what became of it since."""

from commerce.order.modifications import Entry, Opened
from commerce.order.replacing import LineAfter, OrderAfter, Replacement, Swap, after, paid_for, taken
from commerce.order.schemas import NewGroup, NewLine, NewOrder, OrderView, Told
from commerce.order.service import OrderService
from commerce.order.tables import OrderLine

__all__ = [
    "Entry",
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
    "Swap",
    "Told",
    "after",
    "paid_for",
    "taken",
]
