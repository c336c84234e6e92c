"""Permissions of identity and who has them by default."""

MANAGE_USERS = "identity:users"
READ_AUDIT = "identity:audit"

GRANTS = {"admin": frozenset({MANAGE_USERS, READ_AUDIT})}
