"""Permissions of merchant and who has them by default."""

MANAGE_MERCHANTS = "merchant:manage"
OWN_SHOP = "merchant:own"

GRANTS = {"admin": frozenset({MANAGE_MERCHANTS}), "merchant": frozenset({OWN_SHOP})}
