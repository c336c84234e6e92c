"""Permissions of notification and who has them by default."""

READ_FEED = "notification:read"

GRANTS = {"customer": frozenset({READ_FEED}), "merchant": frozenset({READ_FEED})}
