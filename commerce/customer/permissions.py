"""Permissions of customer and who has them by default."""

OWN_PROFILE = "customer:own"

GRANTS = {"customer": frozenset({OWN_PROFILE})}
