"""Permissions of customer and who has them by default."""

OWN_PROFILE = "customer:own"

FIND_CUSTOMERS = "customer:find"
"""A customer finds nobody but themselves by it."""

GRANTS = {
    "customer": frozenset({OWN_PROFILE, FIND_CUSTOMERS}),
    "support": frozenset({FIND_CUSTOMERS}),
    "admin": frozenset({FIND_CUSTOMERS}),
}
