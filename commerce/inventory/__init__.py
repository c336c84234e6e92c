"""Inventory: stock that cannot be promised twice."""

from commerce.inventory.proposals import StockProposals
from commerce.inventory.schemas import Held, OwnStock
from commerce.inventory.service import InventoryService
from commerce.inventory.shelves import Shelves
from commerce.inventory.statements import units

__all__ = ["Held", "InventoryService", "OwnStock", "Shelves", "StockProposals", "units"]
