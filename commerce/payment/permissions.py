"""Permissions of payment and who has them by default."""

OWN_METHODS = "payment:methods"
READ_PAYMENTS = "payment:read"
ISSUE_GIFT_CARDS = "payment:gift_cards"
REVIEW_FRAUD = "payment:review"
MOVE_MONEY = "payment:move"
"""Only sagas past their pivot have it: no role does."""

GRANTS = {
    "customer": frozenset({OWN_METHODS}),
    "support": frozenset({READ_PAYMENTS, REVIEW_FRAUD}),
    "admin": frozenset({READ_PAYMENTS, ISSUE_GIFT_CARDS, REVIEW_FRAUD}),
}
