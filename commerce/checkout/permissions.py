"""Permissions of checkout and who has them by default."""

BUY = "checkout:buy"

GRANTS = {"guest": frozenset({BUY}), "customer": frozenset({BUY})}
