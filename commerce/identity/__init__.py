"""Identity: users, roles, tokens, audit."""

from commerce.identity.schemas import MeView, TokensView
from commerce.identity.service import IdentityService, hashed, merged
from commerce.identity.tokens import Signer

__all__ = ["IdentityService", "MeView", "Signer", "TokensView", "hashed", "merged"]
