"""Permissions of pricing and who has them by default."""

READ_PRICES = "pricing:read"
WRITE_PRICES = "pricing:write"
WRITE_CHANNELS = "pricing:channels"

GRANTS = {
    "merchant": frozenset({READ_PRICES, WRITE_PRICES}),
    "support": frozenset({READ_PRICES}),
    "admin": frozenset({READ_PRICES, WRITE_PRICES, WRITE_CHANNELS}),
}
