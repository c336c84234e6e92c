"""The warehouse."""

from commerce.warehouse.schemas import PackageView, ToPick
from commerce.warehouse.service import WarehouseService

__all__ = ["PackageView", "ToPick", "WarehouseService"]
