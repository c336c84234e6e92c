"""Permissions of warehouse and who has them by default."""

PICK = "warehouse:pick"
"""The work on the floor: pick, pack, put away, move, look."""
RECEIVE = "warehouse:receive"
"""Goods in, and from place to place."""
COUNT = "warehouse:count"
APPROVE = "warehouse:approve"
"""The second person's word on a count that is off."""
MANAGE = "warehouse:manage"
"""How the floor is laid out."""

_ALL = frozenset({PICK, RECEIVE, COUNT, APPROVE, MANAGE})
GRANTS = {"merchant": _ALL, "support": frozenset({PICK}), "admin": _ALL}
