"""Gateway: idempotency and limits."""

from commerce.gateway.service import Limiter, Stored, claim, purge, replay, store, stored, strict

__all__ = ["Limiter", "Stored", "claim", "purge", "replay", "store", "stored", "strict"]
