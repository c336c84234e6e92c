"""Permissions of inventory and who has them by default."""

READ_STOCK = "inventory:read"
ADJUST_STOCK = "inventory:adjust"
RECEIVE_STOCK = "inventory:receive"

GRANTS = {
    "merchant": frozenset({READ_STOCK, ADJUST_STOCK, RECEIVE_STOCK}),
    "support": frozenset({READ_STOCK}),
    "admin": frozenset({READ_STOCK, ADJUST_STOCK, RECEIVE_STOCK}),
}
