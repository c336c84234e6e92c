"""Permissions of approval and who has them by default. A decider also needs the permission of the kind it decides."""

PROPOSE = "approval:propose"
READ_PROPOSALS = "approval:read"
DECIDE = "approval:decide"
SET_POLICIES = "approval:policies"

GRANTS = {
    "merchant": frozenset({PROPOSE, READ_PROPOSALS, DECIDE}),
    "support": frozenset({PROPOSE, READ_PROPOSALS, DECIDE}),
    "admin": frozenset({PROPOSE, READ_PROPOSALS, DECIDE, SET_POLICIES}),
}
"""A merchant sees and decides what concerns their own shops."""
