"""Permissions of identity and who has them by default."""

MANAGE_USERS = "identity:users"
READ_AUDIT = "identity:audit"

READ_SELF = "identity:me"

GRANTS = {
    "customer": frozenset({READ_SELF}),
    "merchant": frozenset({READ_SELF}),
    "support": frozenset({READ_SELF}),
    "admin": frozenset({READ_SELF, MANAGE_USERS, READ_AUDIT}),
}
