"""Permissions of product and who has them by default."""

WRITE_PRODUCTS = "product:write"
WRITE_CATEGORIES = "product:categories"

GRANTS = {
    "merchant": frozenset({WRITE_PRODUCTS}),
    "admin": frozenset({WRITE_PRODUCTS, WRITE_CATEGORIES}),
}
