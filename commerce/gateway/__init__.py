"""Gateway: idempotency and limits."""

from commerce.gateway.errors import IdempotencyKeyRequired
from commerce.gateway.service import Limiter, Render, Stored, claim, purge, replay, store, strict, usage

__all__ = [
    "IdempotencyKeyRequired",
    "Limiter",
    "Render",
    "Stored",
    "claim",
    "purge",
    "replay",
    "store",
    "strict",
    "usage",
]
