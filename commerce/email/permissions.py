"""Permissions of e-mail and who has them by default."""

READ_MAIL = "email:read"

GRANTS = {"support": frozenset({READ_MAIL}), "admin": frozenset({READ_MAIL})}
