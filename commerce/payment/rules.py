"""Pure rules of payment: the risk score."""

from commerce.payment.schemas import Risk

REVIEW_FROM = 50
REJECT_FROM = 90
GUEST_AMOUNT = 100_000
"""Minor units from which a guest's order adds risk."""
LARGE_AMOUNT = 500_000
HOURLY_MOST = 30
"""Payments one buyer may start in an hour before it looks like card testing."""


def assess(amount: int, is_guest: bool, recent: int) -> Risk:
    """Score of a payment: 0 (none) to 100. From REVIEW_FROM on somebody looks, from REJECT_FROM on it is refused."""
    score = 0
    reasons = []
    if amount >= LARGE_AMOUNT:
        score += 35
        reasons.append("large_amount")
    if is_guest and amount >= GUEST_AMOUNT:
        score += 20
        reasons.append("guest_large_amount")
    if recent > HOURLY_MOST:
        score += 60
        reasons.append("velocity")
    score = min(score, 100)
    if score >= REJECT_FROM:
        return Risk(score, tuple(reasons), "reject")
    return Risk(score, tuple(reasons), "review" if score >= REVIEW_FROM else "accept")
