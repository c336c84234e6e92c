"""Permissions of warehouse and who has them by default."""

PICK = "warehouse:pick"
"""The work on the floor: pick, pack, move, look."""
MANAGE = "warehouse:manage"
"""How the floor is laid out."""

_ALL = frozenset({PICK, MANAGE})
GRANTS = {"merchant": _ALL, "support": frozenset({PICK}), "admin": _ALL}
