"""Permissions of order and who has them by default. Guests hold the customer's two for their own orders."""

READ_ORDERS = "order:read"
CHANGE_ORDERS = "order:change"
READ_SALES = "order:sales"
SHIP_ORDERS = "order:ship"

GRANTS = {
    "guest": frozenset({READ_ORDERS, CHANGE_ORDERS}),
    "customer": frozenset({READ_ORDERS, CHANGE_ORDERS}),
    "merchant": frozenset({READ_ORDERS, READ_SALES, SHIP_ORDERS}),
    "support": frozenset({READ_ORDERS, CHANGE_ORDERS, SHIP_ORDERS}),
    "admin": frozenset({READ_ORDERS, CHANGE_ORDERS, READ_SALES, SHIP_ORDERS}),
}
