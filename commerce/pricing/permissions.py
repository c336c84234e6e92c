"""Permissions of pricing and who has them by default."""

WRITE_PRICES = "pricing:write"
WRITE_CHANNELS = "pricing:channels"

GRANTS = {
    "merchant": frozenset({WRITE_PRICES}),
    "admin": frozenset({WRITE_PRICES, WRITE_CHANNELS}),
}
