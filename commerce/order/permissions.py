"""Permissions of order and who has them by default. Guests hold the customer's two for their own orders."""

READ_ORDERS = "order:read"
CHANGE_ORDERS = "order:change"
READ_SALES = "order:sales"

GRANTS = {
    "guest": frozenset({READ_ORDERS, CHANGE_ORDERS}),
    "customer": frozenset({READ_ORDERS, CHANGE_ORDERS}),
    "merchant": frozenset({READ_ORDERS, READ_SALES}),
    "support": frozenset({READ_ORDERS, CHANGE_ORDERS}),
    "admin": frozenset({READ_ORDERS, CHANGE_ORDERS, READ_SALES}),
}
