"""Permissions of refund and who has them by default. A decision is made by somebody else than who asked."""

READ_REFUNDS = "refund:read"
REQUEST_REFUNDS = "refund:request"
DECIDE_REFUNDS = "refund:decide"
WRITE_REFUND_POLICIES = "refund:policies"

GRANTS = {
    "guest": frozenset({READ_REFUNDS, REQUEST_REFUNDS}),
    "customer": frozenset({READ_REFUNDS, REQUEST_REFUNDS}),
    "merchant": frozenset({READ_REFUNDS}),
    "support": frozenset({READ_REFUNDS, REQUEST_REFUNDS, DECIDE_REFUNDS}),
    "admin": frozenset({READ_REFUNDS, REQUEST_REFUNDS, DECIDE_REFUNDS, WRITE_REFUND_POLICIES}),
}
