"""Permissions of promotion and who has them by default."""

WRITE_PROMOTIONS = "promotion:write"

GRANTS = {"admin": frozenset({WRITE_PROMOTIONS})}
