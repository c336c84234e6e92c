"""Orchestration: sagas and dead letters as operators see them. The kernel owns their tables."""

from commerce.orchestration.service import OrchestrationService

__all__ = ["OrchestrationService"]
