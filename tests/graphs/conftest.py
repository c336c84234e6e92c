"""The assistant on a scripted model, as the agents' tests have it."""

from tests.agents.conftest import assistants

__all__ = ["assistants"]
