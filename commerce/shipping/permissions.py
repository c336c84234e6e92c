"""Permissions of shipping and who has them by default."""

WRITE_RATES = "shipping:rates"

GRANTS = {"admin": frozenset({WRITE_RATES})}
