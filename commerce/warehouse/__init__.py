"""The warehouse."""

from commerce.warehouse.schemas import ToPick
from commerce.warehouse.service import WarehouseService

__all__ = ["ToPick", "WarehouseService"]
