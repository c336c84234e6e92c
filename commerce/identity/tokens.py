"""Access tokens: JWT, EdDSA, ten minutes. Claims are checked against fixed expectations, never against the header."""

import hashlib
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from commerce.identity.errors import BadToken
from kernel.ids import new_id

ISSUER = "agora"
AUDIENCE = "agora-api"
TYPE = "at+jwt"
LIFETIME = 600
"""Seconds an access token is good for."""
ALGORITHM = "Ed25519"
"""EdDSA on that curve, by its fully specified name (RFC 9864)."""


class Signer:
    """Signs and reads access tokens. The Ed25519 key is derived from `secret`, so that every process has the same."""

    def __init__(self, secret: str) -> None:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        seed = hashlib.sha256(b"agora access token key\0" + secret.encode()).digest()
        pem = Ed25519PrivateKey.from_private_bytes(seed).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._kid = hashlib.sha256(seed + b"kid").hexdigest()[:16]
        self._key = OKPKey.import_key(pem)

    def issue(self, subject: UUID | str, now: datetime, claims: dict[str, Any], lifetime: int = LIFETIME) -> str:
        at = int(now.timestamp())
        payload = {
            **claims,
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(subject),
            "iat": at,
            "nbf": at,
            "exp": at + lifetime,
            "jti": new_id().hex,
        }
        return jwt.encode({"alg": ALGORITHM, "typ": TYPE, "kid": self._kid}, payload, self._key, algorithms=[ALGORITHM])

    def read(self, token: str, now: datetime) -> dict[str, Any]:
        """The claims of a valid token; raises BadToken for anything else, without saying why."""
        try:
            decoded = jwt.decode(token, self._key, algorithms=[ALGORITHM])
        except (JoseError, ValueError, TypeError, KeyError, json.JSONDecodeError):
            raise BadToken() from None
        header, claims = decoded.header, decoded.claims
        at = now.timestamp()
        expected = (
            header.get("typ") == TYPE
            and header.get("kid") == self._kid
            and claims.get("iss") == ISSUER
            and claims.get("aud") == AUDIENCE
            and isinstance(claims.get("exp"), int)
            and isinstance(claims.get("nbf"), int)
            and claims["nbf"] - 5 <= at < claims["exp"]
            and isinstance(claims.get("sub"), str)
        )
        if not expected:
            raise BadToken()
        return dict(claims)
