"""Orders: what was bought, as it was bought."""

from commerce.order.schemas import NewGroup, NewLine, NewOrder, OrderView, Told
from commerce.order.service import OrderService

__all__ = ["NewGroup", "NewLine", "NewOrder", "OrderService", "OrderView", "Told"]
