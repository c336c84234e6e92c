"""Permissions of promotion and who has them by default."""

WRITE_PROMOTIONS = "promotion:write"
READ_PROMOTIONS = "promotion:read"
USE_COUPONS = "promotion:use"

GRANTS = {
    "guest": frozenset({USE_COUPONS}),
    "customer": frozenset({USE_COUPONS}),
    "support": frozenset({READ_PROMOTIONS}),
    "admin": frozenset({READ_PROMOTIONS, WRITE_PROMOTIONS}),
}
