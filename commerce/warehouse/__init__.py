"""The warehouse."""

from commerce.warehouse.proposals import VarianceProposals
from commerce.warehouse.rounds import ShortView, WaveView
from commerce.warehouse.schemas import PackageView, ToPick
from commerce.warehouse.service import WarehouseService

__all__ = ["PackageView", "ShortView", "ToPick", "VarianceProposals", "WarehouseService", "WaveView"]
