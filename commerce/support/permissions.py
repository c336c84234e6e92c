"""Permissions of support and who has them by default."""

OWN_TICKETS = "support:own"
WORK_TICKETS = "support:work"
SET_TARGETS = "support:targets"

GRANTS = {
    "guest": frozenset({OWN_TICKETS}),
    "customer": frozenset({OWN_TICKETS}),
    "merchant": frozenset({OWN_TICKETS}),
    "support": frozenset({OWN_TICKETS, WORK_TICKETS}),
    "admin": frozenset({OWN_TICKETS, WORK_TICKETS, SET_TARGETS}),
}
