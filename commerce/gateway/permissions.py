"""Permissions of the gateway and who has them by default."""

READ_USAGE = "gateway:read"

GRANTS = {"support": frozenset({READ_USAGE}), "admin": frozenset({READ_USAGE})}
