"""Permissions of order and who has them by default. Guests hold the customer's two for their own orders."""

READ_ORDERS = "order:read"
CHANGE_ORDERS = "order:change"
READ_SALES = "order:sales"
MANAGE_ORDERS = "order:manage"
"""Hold, note, tag: what staff and the order's own merchant do beside it."""
SHIP_ORDERS = "order:ship"

GRANTS = {
    "guest": frozenset({READ_ORDERS, CHANGE_ORDERS}),
    "customer": frozenset({READ_ORDERS, CHANGE_ORDERS}),
    "merchant": frozenset({READ_ORDERS, READ_SALES, MANAGE_ORDERS, SHIP_ORDERS}),
    "support": frozenset({READ_ORDERS, CHANGE_ORDERS, MANAGE_ORDERS, SHIP_ORDERS}),
    "admin": frozenset({READ_ORDERS, CHANGE_ORDERS, READ_SALES, MANAGE_ORDERS, SHIP_ORDERS}),
}
