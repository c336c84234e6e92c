"""Inventory: stock that cannot be promised twice."""

from commerce.inventory.schemas import Held
from commerce.inventory.service import InventoryService
from commerce.inventory.statements import units

__all__ = ["Held", "InventoryService", "units"]
