"""Permissions of returns and who has them by default."""

READ_RETURNS = "returns:read"
REQUEST_RETURNS = "returns:request"
DECIDE_RETURNS = "returns:decide"
RECEIVE_RETURNS = "returns:receive"
WRITE_RETURN_POLICIES = "returns:policies"

GRANTS = {
    "guest": frozenset({READ_RETURNS, REQUEST_RETURNS}),
    "customer": frozenset({READ_RETURNS, REQUEST_RETURNS}),
    "merchant": frozenset({READ_RETURNS, RECEIVE_RETURNS}),
    "support": frozenset({READ_RETURNS, REQUEST_RETURNS, DECIDE_RETURNS, RECEIVE_RETURNS}),
    "admin": frozenset({READ_RETURNS, REQUEST_RETURNS, DECIDE_RETURNS, RECEIVE_RETURNS, WRITE_RETURN_POLICIES}),
}
