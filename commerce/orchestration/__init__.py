"""Orchestration: sagas and dead letters as operators see them (the kernel owns their tables), and what agents did."""

from commerce.orchestration.errands import ErrandService
from commerce.orchestration.runs import RunService
from commerce.orchestration.schemas import Limits
from commerce.orchestration.service import OrchestrationService

__all__ = ["ErrandService", "Limits", "OrchestrationService", "RunService"]
