"""People as the agents' tests know them."""

from tests.agents.conftest import principals

__all__ = ["principals"]
