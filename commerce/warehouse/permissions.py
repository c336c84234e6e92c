"""Permissions of warehouse and who has them by default."""

PICK = "warehouse:pick"

GRANTS = {"merchant": frozenset({PICK}), "support": frozenset({PICK}), "admin": frozenset({PICK})}
